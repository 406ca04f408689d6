// Replication: proposals, appends with flow control, acknowledgements, commitment ([D] 3.5, 3.6).
#include <algorithm>
#include <string>
#include <utility>

#include "walrus/raft/codec.h"
#include "walrus/raft/mutants.h"
#include "walrus/raft/quorum.h"
#include "walrus/raft/raft.h"

namespace walrus::raft {

Result<Proposed> Raft::propose(Payload data) {
    if (data.size() > options_.max_payload_bytes) {
        return Error{Errc::kTooLarge, "raft: proposal of " + std::to_string(data.size()) +
                                          " bytes, limit " +
                                          std::to_string(options_.max_payload_bytes)};
    }
    if (role_ != Role::kLeader) {
        if (leader_ == kNobody || !options_.forward_proposals) {
            return Error{Errc::kNotLeader, "raft: the leader is node " + std::to_string(leader_)};
        }
        send(leader_, ProposeRequest{std::move(data)});
        return Proposed{.forwarded = true, .leader = leader_};
    }
    if (transferring()) return Error{Errc::kBusy, "raft: leadership is being handed over"};
    const std::uint64_t cost = data.size() + sizeof(Entry);
    if (uncommitted_bytes_ > 0 && uncommitted_bytes_ + cost > options_.max_uncommitted_bytes) {
        return Error{Errc::kResourceExhausted,
                     "raft: " + std::to_string(uncommitted_bytes_) + " bytes are uncommitted"};
    }
    return append_as_leader(EntryKind::kCommand, std::move(data));
}

Result<Proposed> Raft::append_as_leader(EntryKind kind, Payload data) {
    Entry entry{log_.last_index() + 1, term_, kind, std::move(data)};
    const Proposed proposed{.leader = options_.id, .index = entry.index, .term = term_};
    uncommitted_bytes_ += cost_bytes(entry);
    dirty_ = true;
    log_.append(std::move(entry));
    return proposed;
}

void Raft::on(const Message&, ProposeRequest& request) {
    // Not passed on further: two nodes that each take the other for the leader would play ball.
    // A refusal needs no answer, since the outcome of what was forwarded is unknown anyway.
    if (role_ == Role::kLeader) static_cast<void>(propose(std::move(request.data)));
}

Status Raft::on(const Message& message, AppendRequest& request) {
    if (request.prev_index < log_.base_index()) {
        // Compacted here, hence committed, hence equal.
        promise(message.from, AppendReply{.accepted = true, .match_index = log_.commit_index()});
        return {};
    }
    if (!log_.matches(request.prev_index, request.prev_term)) {
        reject(message.from, request.prev_index, request.prev_term);
        return {};
    }
    WALRUS_RETURN_IF_ERROR(merge(request));
    // What follows the last new entry may differ from the leader's log ([P] Fig. 2, trap 5).
    const Index last_new = request.prev_index + request.entries.size();
    const Index known = mutant_on(Mutant::kCommitBeyondLastNew) ? log_.last_index() : last_new;
    commit_to(std::min(request.commit, known));
    promise(message.from, AppendReply{.accepted = true, .match_index = last_new});
    return {};
}

// Tells where the logs may meet: entries with a term above the refused one cannot be the leader's
// at that position, so whole terms are skipped ([P] 5.3, end).
void Raft::reject(NodeId to, Index prev_index, Term prev_term) {
    const Index hint = log_.last_with_term_at_most(prev_index, prev_term);
    send(to, AppendReply{.accepted = false,
                         .rejected_prev = prev_index,
                         .hint_index = hint,
                         .hint_term = log_.term(hint).value_or(0)});
}

// Entries that are here already stay as they are, and so does what follows them: the request may
// be a late one (trap 3).
Status Raft::merge(const AppendRequest& request) {
    Index conflict = log_.find_conflict(request.entries);
    if (mutant_on(Mutant::kTruncateOnMatch)) {
        conflict = std::max(request.prev_index, log_.commit_index()) + 1;
    }
    if (conflict == 0) return {};
    if (conflict <= log_.commit_index()) {
        return Error{Errc::kCorruption,
                     "raft: an append contradicts the committed index " + std::to_string(conflict)};
    }
    log_.truncate(conflict);
    confs_.truncate(conflict);
    for (const Entry& entry : request.entries) {
        if (entry.index < conflict) continue;
        log_.append(entry);
        if (entry.kind != EntryKind::kConfChange) continue;
        auto conf = decode_conf_state(as_bytes(entry.data.text()));
        WALRUS_ASSERT(conf.has_value());  // validate() has decoded it before.
        adopt_conf(entry.index, *std::move(conf));
    }
    return {};
}

void Raft::on(const Message& message, const AppendReply& reply) {
    const auto found = progress_.find(message.from);
    if (role_ != Role::kLeader || found == progress_.end()) return;
    Progress& progress = found->second;
    progress.recent_active = true;
    dirty_ = true;
    if (!reply.accepted) {
        const Index hint = log_.last_with_term_at_most(reply.hint_index, reply.hint_term);
        progress.rejected(reply.rejected_prev, hint);
        return;
    }
    if (reply.match_index > log_.last_index()) return;  // Nobody can have that from this leader.
    progress.accepted(reply.match_index);
    if (conf().is_learner(message.from)) {
        progress.note_round(log_.last_index(), ticks_, options_.election_ticks);
    }
    maybe_commit();  // May end the leadership or drop the progress.
    continue_transfer();
}

void Raft::on(const Message& message, const HeartbeatRequest& request) {
    // The leader clamps it to what this node acknowledged; a node that lost its disk has less.
    if (request.commit <= log_.last_index()) commit_to(request.commit);
    const HeartbeatReply reply{.round = request.round};
    if (mutant_on(Mutant::kHeartbeatWaitsForDisk)) {
        promise(message.from, reply);
        return;
    }
    // Needs no disk, even when the term is new here: who confirms a round only says that it had not
    // voted for a later leader, and votes are durable before they are given (trap 11).
    send(message.from, reply);
}

void Raft::on(const Message& message, const HeartbeatReply& reply) {
    const auto found = progress_.find(message.from);
    if (role_ != Role::kLeader || found == progress_.end()) return;
    Progress& progress = found->second;
    progress.heard();
    progress.read_round = std::max(progress.read_round, reply.round);
    if (progress.match() < log_.last_index()) progress.poke = true;
    dirty_ = true;
    confirm_reads();
}

void Raft::send_heartbeats() {
    heartbeat_elapsed_ = 0;
    const std::uint64_t round = reads_.begin_round();
    for (const auto& [id, progress] : progress_) {
        Index commit = std::min(progress.match(), log_.commit_index());
        if (mutant_on(Mutant::kHeartbeatCommitUnclamped)) commit = log_.commit_index();
        send(id, HeartbeatRequest{.commit = commit, .round = round});
    }
    confirm_reads();
}

// Appends are made as late as possible, when the driver asks for work: proposals that came in
// between share messages.
void Raft::flush() {
    if (role_ != Role::kLeader) return;
    if (reads_.wants_round()) send_heartbeats();
    if (!std::exchange(dirty_, false)) return;
    for (auto& [id, progress] : progress_) flush_to(id, progress);
}

void Raft::flush_to(NodeId to, Progress& progress) {
    while (progress.may_send()) {
        const bool news = progress.next() <= log_.last_index();
        const bool probing = progress.state() == ProgressState::kProbe;
        const bool commit_news = progress.sent_commit < log_.commit_index();
        if (!news && !probing && !progress.poke && !commit_news) return;
        const auto prev_term = log_.term(progress.next() - 1);
        if (!prev_term) {
            // Somebody who is away gets no snapshot until there is a sign of life.
            if (!progress.recent_active) return;
            progress.begin_snapshot(log_.snapshot());
            break;
        }
        send_append(to, progress, *prev_term);
        if (!news) return;
    }
    if (progress.state() == ProgressState::kSnapshot) flush_snapshot(to, progress);
}

void Raft::send_append(NodeId to, Progress& progress, Term prev_term) {
    AppendRequest request;
    request.prev_index = progress.next() - 1;
    request.prev_term = prev_term;
    request.commit = log_.commit_index();
    request.entries = log_.slice(progress.next(), log_.last_index(), options_.max_message_bytes);
    std::uint64_t bytes = 0;
    for (const Entry& entry : request.entries) bytes += cost_bytes(entry);
    progress.sent(request.entries.size(), bytes);
    progress.sent_commit = log_.commit_index();
    send(to, std::move(request));
}

// The leader is one more replica whose disk has to answer before it counts ([D] 10.2.1).
Index Raft::match_of(NodeId id) const {
    if (id == options_.id) {
        return mutant_on(Mutant::kCountOwnUnpersisted) ? log_.last_index() : log_.durable_index();
    }
    const auto found = progress_.find(id);
    return found == progress_.end() ? 0 : found->second.match();
}

void Raft::maybe_commit() {
    const Index reached = quorum_reached(conf(), [this](NodeId id) { return match_of(id); });
    if (reached <= log_.commit_index()) return;
    // [P] 5.4.2, Fig. 8: counting replicas decides only for entries of the own term.
    const bool own_term = log_.matches(reached, term_);
    if (own_term || mutant_on(Mutant::kCommitOldTermEntries)) commit_to(reached);
}

void Raft::commit_to(Index index) {
    const Index before = log_.commit_index();
    log_.commit_to(index);
    if (role_ != Role::kLeader || log_.commit_index() == before) return;
    for (Index i = before + 1; i <= log_.commit_index(); ++i) {
        const Entry& entry = log_.at(i);
        if (entry.term != term_ || entry.kind == EntryKind::kNoop) continue;
        uncommitted_bytes_ -= cost_bytes(entry);
    }
    dirty_ = true;
    if (confs_.latest_index() <= log_.commit_index()) on_conf_committed();
}

// [D] 6.2: a leader that cannot reach a quorum steps aside, so that clients look elsewhere and a
// one-way partition cannot keep everybody waiting.
void Raft::check_quorum() {
    const bool active = quorum_active(conf(), [this](NodeId id) {
        const auto found = progress_.find(id);
        return id == options_.id || (found != progress_.end() && found->second.recent_active);
    });
    for (auto& [id, progress] : progress_) progress.recent_active = false;
    if (!active && !mutant_on(Mutant::kNoCheckQuorum)) become_follower(term_, kNobody);
}

}  // namespace walrus::raft
