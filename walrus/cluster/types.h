// The words of the cluster: who, which segment, how far, how sure.
//
// A position inside a segment is a `length`: a plain number of records from the segment's start.
// Offset (base/strong.h) is the record's number in its topic: base + length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "walrus/base/strong.h"

namespace walrus::cluster {

using NodeId = std::uint64_t;   // Never reused: a node that lost its disk comes back as another.
using BootId = std::uint64_t;   // One run of a node's process; drawn at random when it starts.
using DiskId = std::uint64_t;   // Written to a data directory when it is made; 0 is no disk.
using TopicId = std::uint64_t;  // Never reused, unlike a topic's name.
using SegmentNumber = std::uint64_t;  // 1-based and dense in its topic.
using Index = std::uint64_t;          // Of the metadata log; 0 is before the first command.
using ProducerId = std::uint64_t;     // 0: the batch has no producer.

inline constexpr NodeId kNobody = 0;

// Reign of one segment leader or seal coordinator: the index of the command that began it, so no
// two reigns share one.
using Epoch = Strong<struct EpochTag>;
// Hash over a segment's batches up to a position, in order (chain_hash.h).
using ChainHash = Strong<struct ChainHashTag>;

struct SegmentKey {
    TopicId topic = 0;
    SegmentNumber segment = 0;

    auto operator<=>(const SegmentKey&) const = default;
};

// One incarnation of a leader: a restarted node is another one.
struct LeaderId {
    NodeId node = kNobody;
    BootId boot = 0;

    bool operator==(const LeaderId&) const = default;
};

// One copy: a node whose disk was replaced no longer holds it.
struct ReplicaId {
    NodeId node = kNobody;
    DiskId disk = 0;

    auto operator<=>(const ReplicaId&) const = default;
};

// What each counted replica does before it answers.  With kDisk and an ack quorum above one, users
// get the durability class `quorum-disk`.
enum class Durability : std::uint8_t {
    kProcess,     // In the page cache: survives kill -9.
    kOsInterval,  // Synced every few milliseconds.
    kDisk,        // Synced before the answer.
};
constexpr Durability last_of(Durability) {
    return Durability::kDisk;
}

// Bounds every list of replicas.
inline constexpr std::size_t kMaxReplicas = 16;
// No topic lives long enough to get here; above it, adding a segment's length could wrap around.
inline constexpr std::uint64_t kMaxPosition = std::uint64_t{1} << 62;

}  // namespace walrus::cluster
