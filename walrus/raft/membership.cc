// Membership: configuration changes, promotion of learners, hand-over of leadership ([D] 4, 3.10).
#include <string>
#include <utility>

#include "walrus/raft/codec.h"
#include "walrus/raft/mutants.h"
#include "walrus/raft/raft.h"

namespace walrus::raft {

Result<Proposed> Raft::propose_conf_change(const ConfChange& change) {
    if (role_ != Role::kLeader) {
        return Error{Errc::kNotLeader, "raft: the leader is node " + std::to_string(leader_)};
    }
    if (transferring()) return Error{Errc::kBusy, "raft: leadership is being handed over"};
    const bool pending = confs_.latest_index() > log_.commit_index();
    if (pending && !mutant_on(Mutant::kOverlappingConfChanges)) {
        return Error{Errc::kBusy, "raft: a configuration change is not committed yet"};
    }
    // Without this, changes of two terms could each be decided by a majority that does not meet the
    // other (found by Ongaro in 2015; trap 6).
    if (!committed_in_this_term() && !mutant_on(Mutant::kConfChangeBeforeNoop)) {
        return Error{Errc::kBusy, "raft: nothing of this term is committed yet"};
    }
    auto next = apply(conf(), change);
    if (!next) return next.error();
    auto proposed = append_as_leader(EntryKind::kConfChange, Payload(encode(*next)));
    adopt_conf(log_.last_index(), *std::move(next));
    return proposed;
}

bool Raft::committed_in_this_term() const {
    return log_.matches(log_.commit_index(), term_);
}

// [D] 4.1: a server uses the latest configuration in its log, committed or not.
void Raft::adopt_conf(Index index, ConfState conf) {
    confs_.append(index, std::move(conf));
    if (role_ == Role::kLeader) sync_progress();
}

// Who was removed goes on receiving until the removal is committed, so that it learns of it.
void Raft::sync_progress() {
    for (const NodeId id : conf().members()) {
        if (id != options_.id) progress_.try_emplace(id, options_, log_.last_index());
    }
    for (auto& [id, progress] : progress_) progress.leaving = !conf().contains(id);
    if (transferring() && !conf().is_voter(transfer_to_)) transfer_to_ = kNobody;
}

// Runs on the leader whenever the commit index moved and covers the latest configuration.
void Raft::on_conf_committed() {
    if (conf().joint() && conf().auto_leave) {
        ConfState next = leave_joint(conf());
        static_cast<void>(append_as_leader(EntryKind::kConfChange, Payload(encode(next))));
        adopt_conf(log_.last_index(), std::move(next));
        return;
    }
    flush();  // The last chance to tell those who leave, and the others how far it is committed.
    std::erase_if(progress_, [](const auto& item) { return item.second.leaving; });
    if (conf().is_voter(options_.id) || mutant_on(Mutant::kRemovedLeaderStays)) return;
    resign_to_best();
}

// [D] 4.2.2: a leader outside the committed configuration steps down; who has most of the log need
// not wait for its timer.
void Raft::resign_to_best() {
    NodeId best = kNobody;
    Index best_match = confs_.latest_index();
    for (const auto& [id, progress] : progress_) {
        if (!conf().is_voter(id) || progress.match() < best_match) continue;
        best = id;
        best_match = progress.match();
    }
    if (best != kNobody) send(best, TimeoutNow{});
    become_follower(term_, kNobody);
}

std::vector<NodeId> Raft::promotable_learners() const {
    std::vector<NodeId> result;
    for (const auto& [id, progress] : progress_) {
        const bool ready = progress.caught_up() && progress.recent_active;
        if (ready && conf().is_learner(id)) result.push_back(id);
    }
    return result;
}

void Raft::auto_promote() {
    if (role_ != Role::kLeader || conf().joint()) return;
    if (confs_.latest_index() > log_.commit_index()) return;
    const std::vector<NodeId> ready = promotable_learners();
    if (ready.empty()) return;
    // Refused now means tried again at the next tick.
    static_cast<void>(propose_conf_change({.steps = {{ConfChangeKind::kAddVoter, ready.front()}}}));
}

Status Raft::transfer_leader(NodeId to) {
    if (role_ != Role::kLeader) {
        return Error{Errc::kNotLeader, "raft: the leader is node " + std::to_string(leader_)};
    }
    if (to == options_.id || !conf().is_voter(to)) {
        return Error{Errc::kInvalidArgument,
                     "raft: node " + std::to_string(to) + " cannot take over the leadership"};
    }
    if (transferring() && transfer_to_ != to) {
        return Error{Errc::kBusy, "raft: leadership is being handed over"};
    }
    if (transferring()) return {};
    transfer_to_ = to;
    transfer_ticks_ = 0;
    transfer_sent_ = false;
    continue_transfer();
    return {};
}

void Raft::continue_transfer() {
    if (role_ != Role::kLeader || !transferring() || transfer_sent_) return;
    const auto found = progress_.find(transfer_to_);
    if (found == progress_.end() || found->second.match() < log_.last_index()) return;
    transfer_sent_ = true;
    send(transfer_to_, TimeoutNow{});
}

}  // namespace walrus::raft
