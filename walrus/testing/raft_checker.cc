#include "walrus/testing/raft_checker.h"

#include <algorithm>

namespace walrus::testing {
namespace {

bool majority(const std::vector<raft::NodeId>& voters, const auto& holds) {
    const auto count = std::count_if(voters.begin(), voters.end(), holds);
    return static_cast<std::size_t>(count) * 2 > voters.size();
}

}  // namespace

void RaftChecker::fail(raft::NodeId id, const std::string& what) {
    if (!violation_) violation_ = "node " + std::to_string(id) + ": " + what;
}

void RaftChecker::observe(SimRaft& member) {
    View& view = views_[member.raft().id()];
    look(member.raft(), view);
    check_applied(member);
    check_reads(member);
}

void RaftChecker::started(SimRaft& member) {
    const raft::Raft& raft = member.raft();
    View& view = views_[raft.id()];
    const raft::RaftLog& log = raft.log();
    if (raft.term() < view.promised) fail(raft.id(), "forgot a promise of a later term");
    if (log.last_index() < view.durable) fail(raft.id(), "lost entries that were durable");
    const std::optional<raft::Term> was = view.term_of(view.durable);
    const std::optional<raft::Term> is = log.term(view.durable);
    if (was && is && *was != *is) fail(raft.id(), "the last durable entry became another");
    // What only memory held begins anew.
    const raft::Term promised = view.promised;
    view = {};
    view.promised = promised;
    view.base = log.base_index();
    view.term = raft.term();
    observe(member);
}

void RaftChecker::look(const raft::Raft& raft, View& view) {
    if (raft.term() < view.term) fail(raft.id(), "the term fell");
    if (raft.log().commit_index() < view.commit) fail(raft.id(), "the commit index fell");
    check_log(raft, view);
    view.durable = raft.log().durable_index();
    if (raft.log().commit_index() != view.commit) check_commit(raft, view);
    const bool leads = raft.role() == raft::Role::kLeader;
    if (leads && (view.role != raft::Role::kLeader || view.term != raft.term())) {
        check_leader(raft, view);
    }
    while (view.base < raft.log().base_index()) {
        view.terms.pop_front();
        ++view.base;
    }
    view.term = raft.term();
    view.role = raft.role();
}

// The entries that are new or others than at the last look.
void RaftChecker::check_log(const raft::Raft& raft, View& view) {
    const raft::RaftLog& log = raft.log();
    const bool led = view.role == raft::Role::kLeader && view.term == raft.term() &&
                     raft.role() == raft::Role::kLeader;
    const raft::Index before = view.last();
    while (view.last() > std::max(view.base, log.base_index()) &&
           !log.matches(view.last(), view.terms.back())) {
        view.terms.pop_back();
    }
    const raft::Index base = log.base_index();
    if (view.last() < base || (view.base < base && !log.matches(base, *view.term_of(base)))) {
        // A snapshot was installed.
        view.terms.clear();
        view.base = base;
    } else if (led && view.last() < before) {
        fail(raft.id(), "Leader Append-Only: it changed its log");
    }
    for (raft::Index i = view.last() + 1; i <= log.last_index(); ++i) {
        check_entry(raft, i);
        view.terms.push_back(log.at(i).term);
    }
}

void RaftChecker::check_entry(const raft::Raft& raft, raft::Index index) {
    const raft::Entry& entry = raft.log().at(index);
    const Seen here{entry.term, *raft.log().term(index - 1), hash_entry(0, entry)};
    if (index >= seen_.size()) seen_.resize(index + 1);
    for (const Seen& seen : seen_[index]) {
        if (seen.term != here.term) continue;
        if (seen.prev_term != here.prev_term || seen.hash != here.hash) {
            fail(raft.id(), "Log Matching: differs at index " + std::to_string(index));
        }
        return;
    }
    seen_[index].push_back(here);
}

void RaftChecker::check_commit(const raft::Raft& raft, View& view) {
    const raft::RaftLog& log = raft.log();
    const raft::Index commit = log.commit_index();
    // By the view: what was committed just now may be compacted already.
    for (raft::Index i = std::max(view.commit, view.base) + 1; i <= commit; ++i) {
        const raft::Term term = *view.term_of(i);
        if (i > committed_.size() + 1) {
            return fail(raft.id(), "index " + std::to_string(i) + " is committed before others");
        }
        if (i <= committed_.size()) {
            if (committed_[i - 1].term == term) continue;
            fail(raft.id(),
                 "State Machine Safety: another entry is committed at index " + std::to_string(i));
        } else {
            if (!durable_on_quorum(raft, i, term)) {
                fail(raft.id(), "index " + std::to_string(i) + " is committed, not durable");
            }
            committed_.push_back({term, raft.term()});
        }
    }
    view.commit = commit;
    // A joiner may not have come to its own configuration yet.
    if (commit < log.snapshot().index || raft.conf_at(commit).voters.empty()) return;
    const auto [seen, first] = confs_.try_emplace(commit, raft.conf_at(commit));
    if (!first && seen->second != raft.conf_at(commit)) {
        fail(raft.id(), "another configuration at index " + std::to_string(commit));
    }
}

bool RaftChecker::durable_on_quorum(const raft::Raft& raft, raft::Index index,
                                    raft::Term term) const {
    const auto holds = [&](raft::NodeId id) {
        const auto found = views_.find(id);
        if (found == views_.end() || found->second.durable < index) return false;
        // What a member has compacted was committed before.
        return found->second.base >= index || found->second.term_of(index) == term;
    };
    const raft::ConfState& conf = raft.conf();
    return majority(conf.voters, holds) && (!conf.joint() || majority(conf.outgoing, holds));
}

void RaftChecker::check_leader(const raft::Raft& raft, const View& view) {
    const auto [leader, first] = leaders_.try_emplace(raft.term(), raft.id());
    if (leader->second != raft.id()) {
        fail(raft.id(), "Election Safety: node " + std::to_string(leader->second) +
                            " also leads term " + std::to_string(raft.term()));
    }
    for (raft::Index i = view.base + 1; i <= committed_.size(); ++i) {
        const Committed& entry = committed_[i - 1];
        if (entry.by_term >= raft.term() || view.term_of(i) == entry.term) continue;
        return fail(raft.id(), "Leader Completeness: index " + std::to_string(i) +
                                   " is missing in term " + std::to_string(raft.term()));
    }
}

void RaftChecker::check_applied(SimRaft& member) {
    for (const SimApplied& state : member.applied_log()) {
        if (state.index >= states_.size()) states_.resize(state.index + 1);
        std::uint64_t& seen = states_[state.index];
        if (seen == 0) seen = state.hash;
        if (seen != state.hash) {
            fail(member.raft().id(),
                 "State Machine Safety: another state at index " + std::to_string(state.index));
        }
        if (state.index > committed_.size()) {
            fail(member.raft().id(),
                 "index " + std::to_string(state.index) + " is applied, not committed");
        }
    }
    member.applied_log().clear();
}

void RaftChecker::check_reads(SimRaft& member) {
    for (const raft::ReadState& read : member.reads()) {
        const auto floor = read_floor_.find({member.raft().id(), read.id});
        if (floor == read_floor_.end()) continue;  // Answered twice: frames are doubled.
        if (read.index < floor->second) {
            fail(member.raft().id(), "stale read: index " + std::to_string(read.index) + ", but " +
                                         std::to_string(floor->second) + " was committed before");
        }
        read_floor_.erase(floor);
        ++reads_;
    }
    member.reads().clear();
}

void RaftChecker::read_began(raft::NodeId node, raft::ReadId id) {
    const auto [floor, first] = read_floor_.try_emplace({node, id}, committed_.size());
    if (!first) fail(node, "used a read id twice");
}

void RaftChecker::sent(const raft::Message& message) {
    raft::NodeId candidate = raft::kNobody;
    bool promise = false;
    if (const auto* reply = std::get_if<raft::VoteReply>(&message.body)) {
        if (reply->granted && !reply->pre_vote) candidate = message.to;
    } else if (const auto* request = std::get_if<raft::VoteRequest>(&message.body)) {
        if (!request->pre_vote) candidate = message.from;
    } else if (const auto* append = std::get_if<raft::AppendReply>(&message.body)) {
        promise = append->accepted;
    }
    if (candidate != raft::kNobody) {
        promise = true;
        const auto [vote, first] = votes_.try_emplace({message.from, message.term}, candidate);
        if (vote->second != candidate) {
            fail(message.from, "voted twice in term " + std::to_string(message.term));
        }
    }
    if (!promise) return;
    View& view = views_[message.from];
    view.promised = std::max(view.promised, message.term);
}

void RaftChecker::proposal_outcome(raft::Index index, raft::Term term,
                                   raft::ProposalOutcome outcome) {
    const bool known = index <= committed_.size();
    const bool is_committed = known && committed_[index - 1].term == term;
    if (outcome == raft::ProposalOutcome::kCommitted && !is_committed) {
        violation_ = violation_.value_or("index " + std::to_string(index) +
                                         " was reported committed, and is not");
    }
    if (outcome == raft::ProposalOutcome::kLost && (!known || is_committed)) {
        violation_ = violation_.value_or("index " + std::to_string(index) +
                                         " was reported lost, and may be applied");
    }
}

}  // namespace walrus::testing
