#include "walrus/raft/message.h"

#include <algorithm>
#include <iterator>

namespace walrus::raft {
namespace {

bool has(const std::vector<NodeId>& sorted, NodeId id) {
    return std::binary_search(sorted.begin(), sorted.end(), id);
}

bool is_set(const std::vector<NodeId>& ids) {
    return ids.size() <= kMaxMembers && std::is_sorted(ids.begin(), ids.end()) &&
           std::adjacent_find(ids.begin(), ids.end()) == ids.end() &&
           (ids.empty() || ids.front() != kNobody);
}

std::vector<NodeId> merged(const std::vector<NodeId>& a, const std::vector<NodeId>& b) {
    std::vector<NodeId> result;
    std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
    return result;
}

}  // namespace

bool ConfState::is_voter(NodeId id) const {
    return has(voters, id) || has(outgoing, id);
}

bool ConfState::is_learner(NodeId id) const {
    return has(learners, id);
}

std::vector<NodeId> ConfState::members() const {
    return merged(merged(voters, outgoing), learners);
}

bool valid(const ConfState& conf) {
    if (!is_set(conf.voters) || !is_set(conf.outgoing) || !is_set(conf.learners)) return false;
    if (!is_set(conf.next_learners)) return false;
    if (conf.voters.empty() && (conf.joint() || !conf.learners.empty())) return false;
    if (!conf.joint() && conf.auto_leave) return false;
    for (const NodeId id : conf.learners) {
        if (conf.is_voter(id)) return false;
    }
    for (const NodeId id : conf.next_learners) {
        if (!has(conf.outgoing, id) || has(conf.voters, id)) return false;
    }
    return conf.members().size() <= kMaxMembers;
}

}  // namespace walrus::raft
