// ReadQueue: linearizable reads without writing to the log ([D] 6.4).
//
// A leader may serve a read at its commit index once a quorum has confirmed, after the read came
// in, that it still leads.  Confirmations are heartbeat rounds: every heartbeat carries a round
// number that only grows, followers echo it, and a read waits for a round that began after it came.
// Many reads share one round, and a lost heartbeat costs nothing but the next round's delay.
// There are no leases: a clock is not allowed to decide what a reader sees.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "walrus/raft/message.h"

namespace walrus::raft {

struct PendingRead {
    ReadId id = 0;
    NodeId from = kNobody;    // Who asked: this node or a follower.
    Index index = 0;          // The commit index when the read came in.
    std::uint64_t round = 0;  // Confirmed when a quorum has answered this round or a later one.
};

// Owned by a leader; one thread.
class ReadQueue {
public:
    std::size_t size() const { return reads_.size(); }
    std::uint64_t current_round() const { return current_round_; }

    // The read will be confirmed by the next round that begins.
    void add(ReadId id, NodeId from, Index commit_index);
    // Whether a round should begin at once: reads wait for one and none is under way.
    bool wants_round() const;
    // Begins a round; its number goes into the heartbeats sent next.
    std::uint64_t begin_round() { return ++current_round_; }
    // A quorum has answered `round`: returns the reads it confirms, in order.
    std::vector<PendingRead> confirm(std::uint64_t round);
    // Leadership is over.  Returns the reads that were not confirmed.
    std::vector<PendingRead> abandon();

private:
    std::deque<PendingRead> reads_;  // Invariant: rounds do not fall.
    std::uint64_t current_round_ = 0;
    std::uint64_t confirmed_round_ = 0;  // Invariant: confirmed_round_ <= current_round_.
};

}  // namespace walrus::raft
