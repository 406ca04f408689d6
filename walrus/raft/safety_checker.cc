#include "walrus/raft/safety_checker.h"

#include <algorithm>

namespace walrus::raft {
namespace {

bool majority(const std::vector<NodeId>& voters, const auto& holds) {
    const auto count = std::count_if(voters.begin(), voters.end(), holds);
    return static_cast<std::size_t>(count) * 2 > voters.size();
}

bool on_disk(const TestDisk& disk, Index index, Term term) {
    if (index <= disk.snapshot.index) return true;
    if (disk.entries.empty() || index < disk.entries.front().index) return false;
    const Index skip = index - disk.entries.front().index;
    return skip < disk.entries.size() && disk.entries[skip].term == term;
}

}  // namespace

void SafetyChecker::fail(NodeId id, const std::string& what) {
    if (!violation_) violation_ = "node " + std::to_string(id) + ": " + what;
}

void SafetyChecker::observe(NodeId id) {
    const TestNode& node = nodes_.at(id);
    const Raft& raft = node.raft();
    View& view = views_[id];
    if (raft.term() < view.term) fail(id, "the term fell");
    if (raft.log().commit_index() < view.commit) fail(id, "the commit index fell");
    check_log(raft, view);
    check_commit(raft, view.commit);
    check_leader(raft, view);
    const Index durable = raft.log().durable_index();
    if (const auto term = raft.log().term(durable); term && !on_disk(node.disk(), durable, *term)) {
        fail(id, "index " + std::to_string(durable) + " passes for durable but is not on the disk");
    }
    check_configuration(raft);
    check_applied(node);
    view.term = raft.term();
    view.role = raft.role();
    view.base = raft.log().base_index();
    view.terms.clear();
    for (Index i = view.base + 1; i <= raft.log().last_index(); ++i) {
        view.terms.push_back(raft.log().at(i).term);
    }
    view.commit = raft.log().commit_index();
}

void SafetyChecker::check_leader(const Raft& raft, const View& before) {
    View& view = views_[raft.id()];
    if (raft.role() != Role::kLeader) {
        view.match.clear();
        return;
    }
    const auto [leader, first] = leaders_.try_emplace(raft.term(), raft.id());
    if (leader->second != raft.id()) {
        fail(raft.id(), "Election Safety: node " + std::to_string(leader->second) +
                            " also leads term " + std::to_string(raft.term()));
    }
    if (first) check_completeness(raft);
    if (before.role != Role::kLeader || before.term != raft.term()) view.match.clear();
    std::map<NodeId, Index> match;
    for (const auto& [peer, progress] : raft.progress()) {
        if (progress.match() < view.match[peer]) fail(raft.id(), "a match index fell");
        match[peer] = progress.match();
    }
    view.match = std::move(match);
}

void SafetyChecker::check_completeness(const Raft& raft) {
    const RaftLog& log = raft.log();
    for (Index i = log.base_index() + 1; i <= committed_.size(); ++i) {
        const Committed& entry = committed_[i - 1];
        if (entry.by_term >= raft.term()) continue;
        if (!log.matches(i, entry.term)) {
            fail(raft.id(), "Leader Completeness: index " + std::to_string(i) +
                                " is missing at the leader of term " + std::to_string(raft.term()));
            return;
        }
    }
}

void SafetyChecker::check_log(const Raft& raft, const View& before) {
    const RaftLog& log = raft.log();
    const bool leads =
        before.role == Role::kLeader && raft.role() == Role::kLeader && before.term == raft.term();
    const Index before_last = before.base + before.terms.size();
    if (leads && log.last_index() < before_last) fail(raft.id(), "Leader Append-Only: cut its log");
    for (Index i = log.base_index() + 1; i <= log.last_index(); ++i) {
        const Entry& entry = log.at(i);
        if (i > before.base && i <= before_last) {
            if (before.terms[i - before.base - 1] == entry.term) continue;
            if (leads) fail(raft.id(), "Leader Append-Only: overwrote its log");
        }
        const Seen here{*log.term(i - 1), hash_entry(0, entry)};
        const auto [seen, first] = seen_.try_emplace({i, entry.term}, here);
        if (seen->second.prev_term != here.prev_term || seen->second.hash != here.hash) {
            fail(raft.id(), "Log Matching: differs at index " + std::to_string(i));
        }
    }
}

void SafetyChecker::check_commit(const Raft& raft, Index before) {
    const RaftLog& log = raft.log();
    for (Index i = std::max(before, log.base_index()) + 1; i <= log.commit_index(); ++i) {
        const Term term = log.at(i).term;
        if (i <= committed_.size()) {
            if (committed_[i - 1].term != term) {
                fail(raft.id(), "State Machine Safety: another entry is committed at index " +
                                    std::to_string(i));
            }
            continue;
        }
        if (!durable_on_quorum(raft, i, term)) {
            fail(raft.id(),
                 "index " + std::to_string(i) + " is committed without a durable quorum");
        }
        committed_.push_back({term, raft.term()});
    }
}

bool SafetyChecker::durable_on_quorum(const Raft& raft, Index index, Term term) const {
    const auto holds = [&](NodeId id) { return on_disk(nodes_.at(id).disk(), index, term); };
    // The entries that follow may have brought a newer configuration; commitment of these is
    // decided by the one in force when the leader decides, which is its latest.
    const ConfState& conf = raft.conf();
    return majority(conf.voters, holds) && (!conf.joint() || majority(conf.outgoing, holds));
}

void SafetyChecker::check_configuration(const Raft& raft) {
    const RaftLog& log = raft.log();
    // A new leader may not know yet that the first of two was committed before its time.
    const Index known = std::max<Index>({log.commit_index(), committed_.size(), log.base_index()});
    std::size_t pending = 0;
    bool own_pending = false;
    for (Index i = std::max(log.commit_index(), log.base_index()) + 1; i <= log.last_index(); ++i) {
        if (log.at(i).kind != EntryKind::kConfChange) continue;
        own_pending = true;
        if (i > known) ++pending;
    }
    if (raft.role() == Role::kLeader) {
        if (pending > 1) fail(raft.id(), "two configuration changes are pending");
        if (!own_pending && !raft.conf().is_voter(raft.id())) {
            fail(raft.id(), "leads outside the committed configuration");
        }
    }
    if (log.commit_index() < log.snapshot().index) return;
    const ConfState& conf = raft.conf_at(log.commit_index());
    if (conf.voters.empty()) return;  // A joiner that has not come to its own configuration yet.
    const auto [seen, first] = confs_.try_emplace(log.commit_index(), conf);
    if (seen->second != conf) {
        fail(raft.id(), "another configuration at index " + std::to_string(log.commit_index()));
    }
}

void SafetyChecker::check_applied(const TestNode& node) {
    const AppliedState& state = node.applied();
    if (state.index == 0) return;
    const auto [seen, first] = states_.try_emplace(state.index, state.hash);
    if (seen->second != state.hash) {
        fail(node.id(),
             "State Machine Safety: another state at index " + std::to_string(state.index));
    }
}

void SafetyChecker::observe(const Message& message) {
    const auto* reply = std::get_if<VoteReply>(&message.body);
    const auto* request = std::get_if<VoteRequest>(&message.body);
    NodeId candidate = kNobody;
    if (reply != nullptr && reply->granted && !reply->pre_vote) candidate = message.to;
    if (request != nullptr && !request->pre_vote) candidate = message.from;
    if (candidate == kNobody) return;
    const auto [vote, first] = votes_.try_emplace({message.from, message.term}, candidate);
    if (vote->second != candidate) {
        fail(message.from, "voted twice in term " + std::to_string(message.term));
    }
}

void SafetyChecker::read_done(const ReadState& read) {
    const auto floor = read_floor_.find(read.id);
    if (floor == read_floor_.end()) return;
    if (read.index < floor->second) {
        violation_ =
            violation_.value_or("stale read: index " + std::to_string(read.index) + ", but " +
                                std::to_string(floor->second) + " was committed before it began");
    }
}

}  // namespace walrus::raft
