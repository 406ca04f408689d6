// What the metadata log agrees on: nodes, topics, segments, cursors, producers.
//
// Plain values.  Who may change what, and when, is cluster_state.h; bytes are in snapshot_codec.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "walrus/cluster/types.h"

namespace walrus::cluster {

enum class NodeState : std::uint8_t {
    kLive,
    kDown,      // Does not answer; its copies are kept but not counted as live.
    kDraining,  // Serves what it has and gets nothing new.
    kRemoved,   // Gone for good; the id stays taken.
};
constexpr NodeState last_of(NodeState) {
    return NodeState::kRemoved;
}

struct Node {
    NodeId id = kNobody;
    std::string peer_address = {};
    std::string text_address = {};
    std::string kafka_address = {};
    BootId boot = 0;
    DiskId disk = 0;
    NodeState state = NodeState::kLive;
    Index version = 0;  // Index of the last command that changed it.

    // Keeps what it has: copies there count.
    bool serves() const { return state == NodeState::kLive || state == NodeState::kDraining; }

    bool operator==(const Node&) const = default;
};

// When a segment is rolled over.  0 is "no limit" for bytes and age.
struct SegmentLimits {
    std::uint64_t max_records = 1'000'000;  // Strict: bounds the offsets of an unsealed segment.
    std::uint64_t max_bytes = std::uint64_t{1} << 30;
    std::uint64_t max_age_ms = 0;

    bool operator==(const SegmentLimits&) const = default;
};

// What is kept of a topic; 0 is "no limit".  Whole sealed segments are dropped.
struct Retention {
    std::uint64_t max_age_ms = 0;
    std::uint64_t max_bytes = 0;
    std::uint64_t max_records = 0;
    bool reclaim_read = false;  // Everything below the slowest cursor.

    bool operator==(const Retention&) const = default;
};

struct TopicConfig {
    std::uint32_t replication_factor = 3;
    std::uint32_t ack_quorum = 2;
    // A segment may open with fewer replicas than replication_factor as long as this many remain.
    std::uint32_t min_ack = 2;
    Durability durability = Durability::kDisk;
    SegmentLimits limits = {};
    Retention retention = {};

    bool operator==(const TopicConfig&) const = default;
};

// Why the configuration is impossible, or nullptr.
const char* fault_of(const TopicConfig& config);

enum class SegmentState : std::uint8_t {
    kOpen,     // `leader` may append.
    kSealing,  // Nobody may append; a coordinator finds the length.
    kSealed,   // Length, bytes and chain are final; `replicas` hold all of it.
};
constexpr SegmentState last_of(SegmentState) {
    return SegmentState::kSealed;
}

struct Segment {
    SegmentNumber number = 0;
    Epoch epoch = {};
    SegmentState state = SegmentState::kOpen;
    LeaderId leader = {};
    std::vector<ReplicaId> replicas = {};
    std::uint32_t ack_quorum = 1;  // A
    Durability durability = Durability::kDisk;
    std::uint64_t max_records = 0;  // In force for this segment.
    Offset base = {};
    std::uint64_t length = 0;  // These four: 0 until sealed.
    std::uint64_t bytes = 0;
    ChainHash chain = {};
    std::uint64_t lost_records = 0;  // Offsets after `length` given up by an unclean seal.
    std::uint64_t opened_ms = 0;     // Wall clock of who proposed it; for age limits only.
    std::uint64_t sealed_ms = 0;
    Index version = 0;  // Index of the last command that changed it.

    // F: so many fenced replicas prove that nobody can reach the ack quorum any more.
    std::uint32_t fence_quorum() const {
        return static_cast<std::uint32_t>(replicas.size()) - ack_quorum + 1;
    }
    // First offset of the next segment; sealed segments only.
    Offset end() const { return base + length + lost_records; }
    bool has_replica(NodeId node) const;
    const ReplicaId* replica(NodeId node) const;

    bool operator==(const Segment&) const = default;
};

// A position of one consumer of one topic, owned by one node incarnation at a time.
struct Cursor {
    Offset offset = {};    // Next record to read.
    Index generation = 0;  // Index of the command that gave it to its owner; fences earlier ones.
    LeaderId owner = {};

    bool operator==(const Cursor&) const = default;
};

struct Topic {
    TopicId id = 0;
    std::string name = {};
    TopicConfig config = {};
    Index version = 0;  // Index of the last command that changed the configuration.
    // Contiguous numbers, never empty; only the last one may be unsealed.  What retention deleted
    // is gone: numbers below the first are state `deleted`.
    std::map<SegmentNumber, Segment> segments = {};
    std::map<std::string, Cursor> cursors = {};

    const Segment& first() const { return segments.begin()->second; }
    const Segment& last() const { return segments.rbegin()->second; }
    Segment& last() { return segments.rbegin()->second; }
    const Segment* segment(SegmentNumber number) const;
    Offset log_start_offset() const { return first().base; }

    bool operator==(const Topic&) const = default;
};

struct NamedProducer {
    ProducerId id = 0;
    std::uint16_t epoch = 0;
    Index last_used = 0;  // Index of the last InitProducer.

    bool operator==(const NamedProducer&) const = default;
};

}  // namespace walrus::cluster
