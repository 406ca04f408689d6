#include "walrus/raft/confchange.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "walrus/base/assert.h"
#include "walrus/raft/mutants.h"

namespace walrus::raft {
namespace {

Error invalid(std::string what) {
    return {Errc::kInvalidArgument, "configuration change: " + std::move(what)};
}

void insert(std::vector<NodeId>& sorted, NodeId id) {
    const auto at = std::lower_bound(sorted.begin(), sorted.end(), id);
    if (at == sorted.end() || *at != id) sorted.insert(at, id);
}

void erase(std::vector<NodeId>& sorted, NodeId id) {
    const auto at = std::lower_bound(sorted.begin(), sorted.end(), id);
    if (at != sorted.end() && *at == id) sorted.erase(at);
}

std::size_t difference(const std::vector<NodeId>& a, const std::vector<NodeId>& b) {
    std::vector<NodeId> both;
    std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
    return both.size();
}

// Applies the steps to voters and learners, without regard to the joint phase.
Result<ConfState> target_of(const ConfState& current, const ConfChange& change) {
    ConfState target;
    target.voters = current.voters;
    target.learners = current.learners;
    std::vector<NodeId> named;
    for (const ConfChangeStep& step : change.steps) {
        if (step.node == kNobody) return invalid("node 0 does not exist");
        if (std::find(named.begin(), named.end(), step.node) != named.end()) {
            return invalid("node " + std::to_string(step.node) + " is named twice");
        }
        named.push_back(step.node);
        erase(target.voters, step.node);
        erase(target.learners, step.node);
        switch (step.kind) {
            case ConfChangeKind::kAddVoter: insert(target.voters, step.node); break;
            case ConfChangeKind::kAddLearner: insert(target.learners, step.node); break;
            case ConfChangeKind::kRemove: break;
        }
    }
    return target;
}

// Turns `target` into the joint configuration that leads there from `current`.
ConfState enter_joint(const ConfState& current, ConfState target, bool auto_leave) {
    ConfState joint = std::move(target);
    joint.outgoing = current.voters;
    joint.auto_leave = auto_leave;
    // Who still votes in the old half must not be a learner at the same time.
    for (const NodeId id : current.voters) {
        if (!std::binary_search(joint.learners.begin(), joint.learners.end(), id)) continue;
        erase(joint.learners, id);
        insert(joint.next_learners, id);
    }
    return joint;
}

}  // namespace

Result<ConfState> apply(const ConfState& current, const ConfChange& change) {
    if (change.steps.empty()) {
        if (!current.joint()) return invalid("there is no joint configuration to leave");
        return leave_joint(current);
    }
    if (current.joint()) return invalid("a joint change is under way");
    auto target = target_of(current, change);
    if (!target) return target;
    if (target->voters.empty()) return invalid("no voter would be left");
    if (*target == current && change.transition == Transition::kAuto) {
        return invalid("nothing would change");
    }
    const bool simple =
        change.transition == Transition::kAuto && difference(current.voters, target->voters) <= 1;
    if (!simple) {
        const bool auto_leave = change.transition != Transition::kJointExplicit;
        target = enter_joint(current, *std::move(target), auto_leave);
    }
    if (!valid(*target)) return invalid("more than " + std::to_string(kMaxMembers) + " members");
    return target;
}

ConfState leave_joint(const ConfState& joint) {
    ConfState result;
    result.voters = joint.voters;
    result.learners = joint.learners;
    for (const NodeId id : joint.next_learners) insert(result.learners, id);
    return result;
}

const ConfState& ConfHistory::at(Index index) const {
    for (auto item = entries_.rbegin(); item != entries_.rend(); ++item) {
        if (item->index <= index) return item->conf;
    }
    return entries_.front().conf;
}

void ConfHistory::append(Index index, ConfState conf) {
    WALRUS_ASSERT(index > latest_index() || mutant_on(Mutant::kConfKeptAfterTruncation));
    entries_.push_back({index, std::move(conf)});
}

bool ConfHistory::truncate(Index from) {
    if (mutant_on(Mutant::kConfKeptAfterTruncation)) return false;
    const std::size_t before = entries_.size();
    while (entries_.size() > 1 && entries_.back().index >= from) entries_.pop_back();
    return entries_.size() != before;
}

void ConfHistory::compact(Index index) {
    while (entries_.size() > 1 && entries_[1].index <= index) entries_.erase(entries_.begin());
}

}  // namespace walrus::raft
