// Progress: what a leader knows of one follower, and how much it may send.
//
//              accepted                       needs compacted entries
//    probe ----------------> replicate -------------------------------> snapshot
//      ^   <----------------     |                                         |
//      |        rejected         |                                         |
//      +-------------------------+-----------------------------------------+ installed
//
// probe: one append per heartbeat interval until the logs are known to meet.  replicate: appends
// are sent ahead of their acknowledgements, within a window.  snapshot: chunks, one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "walrus/raft/message.h"
#include "walrus/raft/options.h"

namespace walrus::raft {

// The unanswered appends of one follower: a ring of fixed size.
class InflightWindow {
public:
    InflightWindow(std::size_t max_messages, std::uint64_t max_bytes);

    bool full() const { return count_ == ring_.size() || (count_ > 0 && bytes_ >= max_bytes_); }
    std::size_t count() const { return count_; }
    // An append whose last entry is `last_index` was sent.  Must not be full.
    void add(Index last_index, std::uint64_t bytes);
    // Everything up to `index` was answered.
    void free_through(Index index);
    // Makes room for one message whose answer was probably lost.
    void free_oldest();
    void clear();

private:
    struct Sent {
        Index last_index;
        std::uint64_t bytes;
    };
    std::vector<Sent> ring_;
    std::size_t start_ = 0;
    std::size_t count_ = 0;
    std::uint64_t bytes_ = 0;
    std::uint64_t max_bytes_;
};

enum class ProgressState : std::uint8_t { kProbe, kReplicate, kSnapshot };

// A chunked transfer to one follower.
struct SnapshotTransfer {
    SnapshotMeta meta;
    std::uint64_t offset = 0;          // Next byte the follower wants.
    std::optional<std::uint64_t> end;  // The snapshot's size, once known.
    bool chunk_in_flight = false;      // Asked of the driver or sent, not answered.
    std::uint32_t idle_ticks = 0;      // Since the chunk in flight was asked for.
};

// Catch-up of a learner in rounds ([D] 4.2.1): each round replicates what the leader's log held
// when the round began.
struct CatchUp {
    Index round_end = 0;  // 0: no round is under way.
    std::uint64_t round_start_tick = 0;
    bool caught_up = false;  // Nothing was missing, or the last round was short.
};

class Progress {
public:
    Progress(const Options& options, Index last_index);

    ProgressState state() const { return state_; }
    Index match() const { return match_; }
    Index next() const { return next_; }
    SnapshotTransfer& transfer() { return transfer_; }
    const SnapshotTransfer& transfer() const { return transfer_; }
    const InflightWindow& inflight() const { return inflight_; }

    // Whether an append with entries may be sent now.
    bool may_send() const;
    // An append of `count` entries from next() was sent.
    void sent(std::size_t count, std::uint64_t bytes);
    // The follower is durable and equal up to `match`.  Stale replies change nothing.
    void accepted(Index match);
    // The follower refused `rejected_prev` and has no match above `hint`.  False: a stale reply.
    bool rejected(Index rejected_prev, Index hint);
    // A sign of life: something lost may be sent again.
    void heard();
    void begin_snapshot(const SnapshotMeta& meta);
    // The transfer ended, well or not: look where the follower stands.
    void become_probe();
    // Measures catching up; called after every acknowledgement of a learner.
    void note_round(Index last_index, std::uint64_t now_tick, std::uint32_t election_ticks);
    bool caught_up() const { return catch_up_.caught_up; }

    bool recent_active = true;     // Heard from since the last CheckQuorum.
    bool leaving = false;          // Removed by a configuration that is not committed yet.
    bool poke = false;             // Send an append even if there is nothing new.
    Index sent_commit = 0;         // Highest commit index told.
    std::uint64_t read_round = 0;  // Highest heartbeat round answered.

private:
    ProgressState state_ = ProgressState::kProbe;
    Index match_ = 0;  // Never falls during a term.  Invariant: match_ < next_.
    Index next_;
    bool probe_sent_ = false;
    InflightWindow inflight_;
    SnapshotTransfer transfer_;
    CatchUp catch_up_;
};

}  // namespace walrus::raft
