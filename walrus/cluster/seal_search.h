// Exhaustive search through everything that can happen to one segment of three replicas.
//
// The machines are the real ones: Replica, SegmentLeader, SealCoordinator and ClusterState.  What
// surrounds them is the worst that the model allows: messages and proposals are a set that only
// grows, and any of them may arrive at any time, any number of times, in any order, or never; nodes
// crash between any two steps and lose what was not durable; disks vanish; nodes hear of the
// metadata late.  What a node says to itself arrives at once, as in SegmentNode.  Answers that only
// tell a machine to give up (fenced, superseded, sealed) are always lost, which allows more, not
// less; messages that can have no effect any more are forgotten.  Breadth first, so that what is
// found is short.  Two states count as one when their 64-bit hashes are equal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace walrus::cluster {

struct SearchOptions {
    std::uint32_t ack_quorum = 2;
    std::uint32_t batches = 1;    // Of one record each, appended by the leader.
    std::uint32_t seals = 1;      // BeginSeal is applied at most so often, on nodes 2, 3, 2, ...
    std::uint32_t crashes = 0;    // Restarts of any node, at any time.
    std::uint32_t wipes = 0;      // Restarts of a follower with a blank disk.
    bool slow_disk = false;       // Writes become durable in steps of their own.
    bool forgetful_disk = false;  // A crash also drops one durable batch; the copy says lossy.
    bool rollover = false;        // The leader may also seal gracefully.
    std::uint64_t max_states = 2'000'000;
};

struct SearchResult {
    std::uint64_t states = 0;
    std::uint64_t transitions = 0;
    std::uint64_t seals = 0;               // Transitions that sealed the segment.
    bool exhausted = false;                // Nothing was left to explore.
    std::optional<std::string> violation;  // With the steps that lead to it.
};

SearchResult search_seal(const SearchOptions& options);

}  // namespace walrus::cluster
