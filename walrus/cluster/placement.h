// Placement: who gets a new segment, or another copy of an old one.
//
// Pure: the same state and load give the same answer on every node, so two controllers that race
// propose the same thing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "walrus/cluster/cluster_state.h"

namespace walrus::cluster {

// Copies of unsealed and sealed segments that the state gives to each node.
struct NodeLoad {
    std::uint64_t leads = 0;
    std::uint64_t copies = 0;
};
std::map<NodeId, NodeLoad> node_loads(const ClusterData& data);

// The next leader is the next live node after `previous_leader` in the order of ids (round robin);
// the other replicas are preferably those of `previous` that are live (they have the producers'
// state and warm caches), then the nodes with the fewest copies.  Nothing: fewer live nodes than
// the configuration's min_ack.
struct PlacementRequest {
    const TopicConfig& config;
    const Segment* previous = nullptr;  // Null for a new topic.
    // Mixed into the start of the round of a new topic, so that first leaders spread.
    std::uint64_t spread = 0;
    std::uint64_t wall_ms = 0;
};
std::optional<NextSegment> place_segment(const ClusterData& data, const PlacementRequest& request);

// The registered disk of a node that serves: such copies count.
bool is_live_copy(const ClusterData& data, const ReplicaId& replica);

// The open segment has fewer live copies than its successor would get.
bool is_thin(const ClusterData& data, const Topic& topic);

// A live node without a copy of the segment, with the fewest copies; nothing if there is none.
std::optional<ReplicaId> place_copy(const ClusterData& data, const Segment& segment);

// Copies of a sealed segment that do not count: their node is gone, down, or has another disk.
std::vector<ReplicaId> dead_copies(const ClusterData& data, const Segment& segment);

}  // namespace walrus::cluster
