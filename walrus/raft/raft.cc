#include "walrus/raft/raft.h"

#include <algorithm>
#include <string>
#include <utility>

#include "walrus/raft/codec.h"
#include "walrus/raft/mutants.h"

namespace walrus::raft {
namespace {

Status check(const Options& options) {
    const auto invalid = [](const char* what) {
        return Error{Errc::kInvalidArgument, std::string("raft options: ") + what};
    };
    if (options.id == kNobody) return invalid("id must not be 0");
    if (options.heartbeat_ticks == 0) return invalid("heartbeat_ticks must be positive");
    if (options.election_ticks <= options.heartbeat_ticks) {
        return invalid("election_ticks must exceed heartbeat_ticks");
    }
    if (options.max_inflight_messages == 0)
        return invalid("max_inflight_messages must be positive");
    if (options.snapshot_chunk_bytes == 0) return invalid("snapshot_chunk_bytes must be positive");
    return {};
}

// Configurations that the stored entries carry.
Status restore_confs(const std::vector<Entry>& entries, Index after, ConfHistory& confs) {
    for (const Entry& entry : entries) {
        if (entry.kind != EntryKind::kConfChange || entry.index <= after) continue;
        auto conf = decode_conf_state(as_bytes(entry.data.text()));
        if (!conf) return conf.error();
        confs.append(entry.index, *std::move(conf));
    }
    return {};
}

}  // namespace

Result<Raft> Raft::open(const Options& options, Restored restored, Random& random) {
    WALRUS_RETURN_IF_ERROR(check(options));
    const ConfState& conf = restored.snapshot.conf;
    if (!valid(conf) || (restored.snapshot.index > 0 && conf.voters.empty())) {
        return Error{Errc::kCorruption, "raft: the stored configuration is invalid"};
    }
    auto log = RaftLog::restore(restored.snapshot, restored.entries, restored.hard_state,
                                restored.applied);
    if (!log) return log.error();
    ConfHistory confs(restored.snapshot.index, restored.snapshot.conf);
    std::vector<Entry> kept =
        log->slice(log->base_index() + 1, log->last_index(), ~std::uint64_t{0});
    WALRUS_RETURN_IF_ERROR(restore_confs(kept, restored.snapshot.index, confs));
    Raft raft(options, std::move(restored), *std::move(log), random);
    raft.confs_ = std::move(confs);
    return raft;
}

Raft::Raft(const Options& options, Restored restored, RaftLog log, Random& random)
    : options_(options),
      random_(random),
      log_(std::move(log)),
      term_(std::max(restored.hard_state.term, restored.snapshot.term)),
      vote_(restored.hard_state.term == term_ ? restored.hard_state.vote : kNobody),
      handed_hard_state_(restored.hard_state) {
    reset_election_timer();
}

Status Raft::step(Message message) {
    if (message.to != options_.id) {
        return Error{Errc::kInvalidArgument,
                     "raft: message for node " + std::to_string(message.to)};
    }
    WALRUS_RETURN_IF_ERROR(validate(message));
    if (message.term < term_) {
        answer_lower_term(message);
        return {};
    }
    if (message.term == term_) return dispatch(message);

    const auto* request = std::get_if<VoteRequest>(&message.body);
    const auto* reply = std::get_if<VoteReply>(&message.body);
    // [D] 4.2.3 and 6.4.1: who hears from a leader does not help to depose it.
    if (request != nullptr && !request->transfer && hears_leader()) return {};
    const bool hypothetical = (request != nullptr && request->pre_vote) ||
                              (reply != nullptr && reply->pre_vote && reply->granted);
    if (!hypothetical) become_follower(message.term, kNobody);
    return dispatch(message);
}

// A node that is ahead must say so even to a leader: otherwise a member whose term ran ahead would
// refuse the leader for ever, while the leader's followers refuse its pre-votes (trap 10).
void Raft::answer_lower_term(const Message& message) {
    const auto* request = std::get_if<VoteRequest>(&message.body);
    if (request != nullptr) {
        send(message.from, VoteReply{.pre_vote = request->pre_vote, .granted = false});
        return;
    }
    const bool from_leader = std::holds_alternative<AppendRequest>(message.body) ||
                             std::holds_alternative<HeartbeatRequest>(message.body) ||
                             std::holds_alternative<SnapshotChunk>(message.body);
    if (!from_leader || mutant_on(Mutant::kSilentToLowerTerm)) return;
    send(message.from, AppendReply{.accepted = false});
}

// A message that only the leader of `message.term` sends.
Status Raft::follow(const Message& message) {
    if (role_ == Role::kLeader || (leader_ != kNobody && leader_ != message.from)) {
        return Error{Errc::kCorruption, "raft: nodes " + std::to_string(leader_) + " and " +
                                            std::to_string(message.from) + " both lead term " +
                                            std::to_string(term_)};
    }
    if (role_ != Role::kFollower || leader_ == kNobody) become_follower(term_, message.from);
    election_elapsed_ = 0;
    return {};
}

Status Raft::dispatch(Message& message) {
    const bool from_leader = std::holds_alternative<AppendRequest>(message.body) ||
                             std::holds_alternative<HeartbeatRequest>(message.body) ||
                             std::holds_alternative<SnapshotChunk>(message.body);
    if (from_leader) WALRUS_RETURN_IF_ERROR(follow(message));
    if (auto* append = std::get_if<AppendRequest>(&message.body)) return on(message, *append);
    std::visit(
        [&](auto& body) {
            if constexpr (!std::is_same_v<std::decay_t<decltype(body)>, AppendRequest>) {
                on(message, body);
            }
        },
        message.body);
    return {};
}

void Raft::tick() {
    ++ticks_;
    if (role_ == Role::kLeader) {
        tick_leader();
        return;
    }
    ++election_elapsed_;
    if (election_elapsed_ >= election_timeout_) campaign();
}

void Raft::tick_leader() {
    tick_transfers();
    if (transferring() && ++transfer_ticks_ >= options_.election_ticks) transfer_to_ = kNobody;
    if (++election_elapsed_ >= options_.election_ticks) {
        election_elapsed_ = 0;
        check_quorum();
        if (role_ != Role::kLeader) return;
    }
    if (++heartbeat_elapsed_ >= options_.heartbeat_ticks) send_heartbeats();
    if (options_.auto_promote) auto_promote();
}

ProposalOutcome Raft::proposal_outcome(Index index, Term term) const {
    if (index <= log_.commit_index()) {
        const auto committed_term = log_.term(index);
        if (!committed_term) return ProposalOutcome::kUnknown;
        return *committed_term == term ? ProposalOutcome::kCommitted : ProposalOutcome::kLost;
    }
    if (role_ == Role::kLeader && term == term_) return ProposalOutcome::kPending;
    return mutant_on(Mutant::kStepDownReportsLost) ? ProposalOutcome::kLost
                                                   : ProposalOutcome::kUnknown;
}

void Raft::send(NodeId to, MessageBody body) {
    next_.messages.push_back({options_.id, to, term_, std::move(body)});
}

void Raft::promise(NodeId to, MessageBody body) {
    auto& queue =
        mutant_on(Mutant::kReplyBeforePersist) ? next_.messages : next_.messages_after_persist;
    queue.push_back({options_.id, to, term_, std::move(body)});
}

// The commit index is written lazily and never ahead of the durable log: a log that is found
// shorter than it has lost committed entries (trap 13).
HardState Raft::hard_state_to_persist() const {
    const Index commit = std::min(log_.commit_index(), log_.durable_index());
    HardState state{term_, vote_, std::max(commit, handed_hard_state_.commit)};
    if (mutant_on(Mutant::kForgetVote)) state.vote = kNobody;
    return state;
}

bool Raft::must_persist() const {
    return next_.install.has_value() || log_.has_unwritten() ||
           !next_.messages_after_persist.empty() || hard_state_to_persist() != handed_hard_state_;
}

bool Raft::has_ready() {
    flush();
    return must_persist() || !next_.empty() || log_.has_unapplied();
}

Ready Raft::ready() {
    flush();
    Ready ready = std::exchange(next_, {});
    const HardState state = hard_state_to_persist();
    if (ready.install || log_.has_unwritten() || !ready.messages_after_persist.empty() ||
        state != handed_hard_state_) {
        ready.batch = ++batch_;
        ready.must_sync = ready.install || log_.has_unwritten() ||
                          state.term != handed_hard_state_.term ||
                          state.vote != handed_hard_state_.vote;
        if (state != handed_hard_state_) ready.hard_state = handed_hard_state_ = state;
        ready.entries = log_.take_unwritten(ready.batch);
    }
    ready.committed = log_.take_unapplied(options_.max_committed_bytes);
    return ready;
}

void Raft::persisted(std::uint64_t batch) {
    WALRUS_ASSERT(batch <= batch_);
    log_.persisted(batch);
    if (self_vote_batch_ != 0 && batch >= self_vote_batch_) {
        self_vote_batch_ = 0;
        record_vote(options_.id, true);
    }
    if (role_ == Role::kLeader) maybe_commit();
}

void Raft::applied(Index index) {
    log_.applied(index);
}

void Raft::advance() {
    persisted(batch_);
    applied(log_.handed_for_apply());
}

}  // namespace walrus::raft
