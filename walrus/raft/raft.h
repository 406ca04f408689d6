// Raft: one member of the metadata group, as a pure state machine.
//
// No clock, thread, disk, socket or global: time comes as tick(), messages as step(), randomness
// as walrus::Random, and all effects leave as Ready.  Sources: raft.cc (life cycle, driver),
// election.cc, replication.cc, membership.cc, snapshot.cc, reads.cc.
//
// The driver's loop:
//
//   while (raft.has_ready()) {
//       Ready ready = raft.ready();
//       send(ready.messages);                      // at once, in parallel with the disk
//       write(hard_state, install, entries);       // batches complete in the order handed out
//       raft.persisted(ready.batch);               // when durable; may be later, after more
//       ready()s send(ready.messages_after_persist);        // only then apply(ready.committed);
//       raft.applied(...); // in order
//   }
//
// Promises this rests on: what persisted() reports survives every crash, and batches survive in
// order.  The leader counts its own entries only when they are persisted, and so does everybody:
// a message in `messages` promises nothing that a crash can take back.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "walrus/base/random.h"
#include "walrus/base/result.h"
#include "walrus/raft/confchange.h"
#include "walrus/raft/message.h"
#include "walrus/raft/options.h"
#include "walrus/raft/progress.h"
#include "walrus/raft/raft_log.h"
#include "walrus/raft/read_index.h"
#include "walrus/raft/ready.h"

namespace walrus::raft {

// One thread at a time.  `random` must outlive it.  Same inputs, same outputs.
class Raft {
public:
    // kInvalidArgument: the options contradict each other.  kCorruption: what storage returned is
    // not what a member of the group can have written; the node must not start.
    static Result<Raft> open(const Options& options, Restored restored, Random& random);

    // Handles one message.  kInvalidArgument: not for this node.  kCorruption: it contradicts the
    // protocol or what is committed here; nothing was changed.  Late, duplicate and pointless
    // messages are no errors.
    Status step(Message message);
    // One unit of time passed.
    void tick();

    // Appends a command as leader, or passes it on.  Nothing is promised: ask proposal_outcome().
    // kNotLeader: no leader is known, or forwarding is off.  kBusy: leadership is being handed
    // over.  kTooLarge, kResourceExhausted: limits of the options.
    Result<Proposed> propose(Payload data);
    // Leader only.  kBusy: an earlier change, or the first entry of this term, is not committed.
    Result<Proposed> propose_conf_change(const ConfChange& change);
    ProposalOutcome proposal_outcome(Index index, Term term) const;

    // Asks for a read point.  `id` comes back in Ready::reads or Ready::failed_reads, or never when
    // a forwarded message is lost.  Ids must not repeat, also across restarts of this node.
    // kNotLeader: no leader is known.  kBusy: the leader has not committed in its term yet.
    Status read_index(ReadId id);

    // Leader only: hands leadership to a voter once it has the whole log.  Given up after an
    // election timeout.  kInvalidArgument: not a voter or this node.
    Status transfer_leader(NodeId to);
    // Starts an election now, with a pre-vote.  Ignored by leaders and by who cannot stand for one.
    void campaign();

    bool has_ready();
    Ready ready();
    // All batches up to `batch` are durable.
    void persisted(std::uint64_t batch);
    // Everything up to `index` was applied to the state machine.
    void applied(Index index);
    // For drivers that do everything in place: persisted() and applied() for all handed out.
    void advance();

    // This node's snapshot at `meta` is durable, file and directory; older entries may go.  A meta
    // that is not newer than the last one is ignored.  Its conf is conf_at(its index), which must
    // have voters: a joiner cannot snapshot what came before the first configuration it knows.
    void snapshot_saved(const SnapshotMeta& meta);
    // Answers Ready::snapshot_reads.  `done`: nothing follows `data`.
    void provide_chunk(const SnapshotRead& read, Payload data, bool done);
    // That snapshot is gone; the transfer starts again with the present one.
    void chunk_unavailable(const SnapshotRead& read);
    // Answers the last SnapshotPiece: the bytes of `meta` are complete and `intact`, or useless.
    void snapshot_received(const SnapshotMeta& meta, bool intact);

    NodeId id() const { return options_.id; }
    Role role() const { return role_; }
    Term term() const { return term_; }
    NodeId vote() const { return vote_; }
    NodeId leader() const { return leader_; }
    const RaftLog& log() const { return log_; }
    // The configuration in force, which may be uncommitted.
    const ConfState& conf() const { return confs_.latest(); }
    // The configuration after `index`, for a snapshot there.
    const ConfState& conf_at(Index index) const { return confs_.at(index); }
    bool transferring() const { return transfer_to_ != kNobody; }
    // A leader's view of its followers; empty otherwise.
    const std::map<NodeId, Progress>& progress() const { return progress_; }
    // Learners that have caught up ([D] 4.2.1), leader only.
    std::vector<NodeId> promotable_learners() const;

private:
    enum class CampaignKind : std::uint8_t { kPreVote, kElection, kTransfer };

    Raft(const Options& options, Restored restored, RaftLog log, Random& random);

    // election.cc
    void become_follower(Term term, NodeId leader);
    void become_leader();
    void start_campaign(CampaignKind kind);
    void stand(CampaignKind kind);
    void record_vote(NodeId from, bool granted);
    bool may_campaign() const;
    bool hears_leader() const;
    bool grants(const Message& message, const VoteRequest& request) const;
    void reset_election_timer();
    void leave_leadership();
    void on(const Message& message, const VoteRequest& request);
    void on(const Message& message, const VoteReply& reply);
    void on(const Message& message, const TimeoutNow& request);

    // raft.cc
    Status dispatch(Message& message);
    void answer_lower_term(const Message& message);
    Status follow(const Message& message);
    void tick_leader();
    void send(NodeId to, MessageBody body);
    void promise(NodeId to, MessageBody body);
    HardState hard_state_to_persist() const;
    bool must_persist() const;

    // replication.cc
    Result<Proposed> append_as_leader(EntryKind kind, Payload data);
    Status on(const Message& message, AppendRequest& request);
    void on(const Message& message, const AppendReply& reply);
    void on(const Message& message, const HeartbeatRequest& request);
    void on(const Message& message, const HeartbeatReply& reply);
    void on(const Message& message, ProposeRequest& request);
    Status merge(const AppendRequest& request);
    void reject(NodeId to, Index prev_index, Term prev_term);
    void flush();
    void flush_to(NodeId to, Progress& progress);
    void send_append(NodeId to, Progress& progress, Term prev_term);
    void send_heartbeats();
    Index match_of(NodeId id) const;
    void maybe_commit();
    void commit_to(Index index);
    void check_quorum();

    // membership.cc
    void adopt_conf(Index index, ConfState conf);
    void sync_progress();
    void on_conf_committed();
    void resign_to_best();
    void auto_promote();
    bool committed_in_this_term() const;
    void continue_transfer();

    // snapshot.cc
    void on(const Message& message, const SnapshotChunk& chunk);
    void on(const Message& message, const SnapshotReply& reply);
    bool already_has(const SnapshotMeta& meta, NodeId from);
    void flush_snapshot(NodeId to, Progress& progress);
    Progress* transfer_of(const SnapshotRead& read);
    void tick_transfers();

    // reads.cc
    void on(const Message& message, const ReadRequest& request);
    void on(const Message& message, const ReadReply& reply);
    Status admit_read(ReadId id, NodeId from);
    void confirm_reads();
    void finish_read(const PendingRead& read, bool confirmed);

    // A snapshot that is being received.
    struct Incoming {
        NodeId from = kNobody;
        Term term = 0;
        SnapshotMeta meta;
        std::uint64_t next_offset = 0;
        bool complete = false;  // Waits for snapshot_received().
    };

    Options options_;
    std::reference_wrapper<Random> random_;
    RaftLog log_;
    ConfHistory confs_;

    Term term_ = 0;
    NodeId vote_ = kNobody;
    Role role_ = Role::kFollower;
    NodeId leader_ = kNobody;

    std::uint32_t election_elapsed_ = 0;
    std::uint32_t heartbeat_elapsed_ = 0;
    std::uint32_t election_timeout_ = 0;  // Randomised anew for every wait.
    std::uint64_t ticks_ = 0;

    // Elections.
    std::map<NodeId, bool> votes_;
    std::uint64_t self_vote_batch_ = 0;  // The own vote counts when this batch is durable.

    // Leaders.
    std::map<NodeId, Progress> progress_;  // Everybody but this node.
    std::uint64_t uncommitted_bytes_ = 0;
    NodeId transfer_to_ = kNobody;
    std::uint32_t transfer_ticks_ = 0;
    bool transfer_sent_ = false;
    ReadQueue reads_;
    bool dirty_ = false;  // flush() has something to look at.

    std::optional<Incoming> incoming_;

    // What the next ready() hands out, besides log entries.
    Ready next_;
    HardState handed_hard_state_;
    std::uint64_t batch_ = 0;  // Last batch handed out.
};

}  // namespace walrus::raft
