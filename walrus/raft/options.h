// Options: the limits and timings of one Raft node.
#pragma once

#include <cstdint>

#include "walrus/raft/message.h"

namespace walrus::raft {

// Times are in ticks; the driver decides how long a tick is.
struct Options {
    NodeId id = kNobody;
    // A follower that hears nothing campaigns after [election_ticks, 2 * election_ticks).
    std::uint32_t election_ticks = 10;
    std::uint32_t heartbeat_ticks = 1;  // Must be less than election_ticks.

    std::uint64_t max_payload_bytes = 4ULL << 20;       // Of one proposal.
    std::uint64_t max_message_bytes = 1ULL << 20;       // Of entries; one entry always fits.
    std::uint32_t max_inflight_messages = 64;           // Unanswered appends per follower.
    std::uint64_t max_inflight_bytes = 16ULL << 20;     // The same in bytes.
    std::uint64_t max_uncommitted_bytes = 64ULL << 20;  // Proposals are refused above it.
    std::uint64_t max_committed_bytes = 4ULL << 20;     // Entries to apply per Ready.
    std::uint64_t snapshot_chunk_bytes = 256ULL << 10;
    // Entries kept below a snapshot, so that a follower a little behind needs no snapshot.
    std::uint64_t trailing_entries = 10'000;
    std::uint32_t max_pending_reads = 4'096;

    bool forward_proposals = true;  // A follower passes proposals on to the leader it knows.
    bool auto_promote = false;      // The leader makes a voter of every learner that caught up.
};

}  // namespace walrus::raft
