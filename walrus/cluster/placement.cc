#include "walrus/cluster/placement.h"

#include <algorithm>
#include <tuple>

namespace walrus::cluster {
namespace {

std::vector<const Node*> live_nodes(const ClusterData& data) {
    std::vector<const Node*> live;
    for (const auto& [id, node] : data.nodes) {
        if (node.state == NodeState::kLive) live.push_back(&node);
    }
    return live;
}

// The first live node after `before` in the ring of ids.
const Node* after(const std::vector<const Node*>& live, NodeId before) {
    const auto next = std::ranges::find_if(live, [&](const Node* n) { return n->id > before; });
    return next == live.end() ? live.front() : *next;
}

}  // namespace

bool is_live_copy(const ClusterData& data, const ReplicaId& replica) {
    const auto found = data.nodes.find(replica.node);
    return found != data.nodes.end() && found->second.disk == replica.disk &&
           found->second.serves();
}

bool is_thin(const ClusterData& data, const Topic& topic) {
    const auto live = std::ranges::count_if(
        topic.last().replicas, [&](const ReplicaId& copy) { return is_live_copy(data, copy); });
    const std::size_t possible =
        std::min<std::size_t>(topic.config.replication_factor, live_nodes(data).size());
    return static_cast<std::size_t>(live) < possible;
}

std::map<NodeId, NodeLoad> node_loads(const ClusterData& data) {
    std::map<NodeId, NodeLoad> loads;
    for (const auto& [id, node] : data.nodes) loads[id];
    for (const auto& [id, topic] : data.topics) {
        for (const auto& [number, segment] : topic.segments) {
            for (const ReplicaId& replica : segment.replicas) ++loads[replica.node].copies;
            if (segment.state == SegmentState::kOpen) ++loads[segment.leader.node].leads;
        }
    }
    return loads;
}

std::optional<NextSegment> place_segment(const ClusterData& data, const PlacementRequest& request) {
    std::vector<const Node*> live = live_nodes(data);
    if (live.size() < request.config.min_ack || live.empty()) return {};
    const Node* leader = request.previous != nullptr ? after(live, request.previous->leader.node)
                                                     : live[request.spread % live.size()];

    std::map<NodeId, NodeLoad> loads = node_loads(data);
    std::ranges::sort(live, {}, [&](const Node* node) {
        const bool had_it = request.previous != nullptr && request.previous->has_replica(node->id);
        return std::tuple(node != leader, !had_it, loads[node->id].copies, node->id);
    });
    NextSegment next{.leader = {leader->id, leader->boot}, .wall_ms = request.wall_ms};
    for (const Node* node : live) {
        if (next.replicas.size() == request.config.replication_factor) break;
        next.replicas.push_back({node->id, node->disk});
    }
    return next;
}

std::optional<ReplicaId> place_copy(const ClusterData& data, const Segment& segment) {
    std::map<NodeId, NodeLoad> loads = node_loads(data);
    const Node* best = nullptr;
    for (const Node* node : live_nodes(data)) {
        const ReplicaId* held = segment.replica(node->id);
        if (held != nullptr && held->disk == node->disk) continue;
        if (best == nullptr || loads[node->id].copies < loads[best->id].copies) best = node;
    }
    if (best == nullptr) return {};
    return ReplicaId{best->id, best->disk};
}

std::vector<ReplicaId> dead_copies(const ClusterData& data, const Segment& segment) {
    std::vector<ReplicaId> dead;
    for (const ReplicaId& replica : segment.replicas) {
        if (!is_live_copy(data, replica)) dead.push_back(replica);
    }
    return dead;
}

}  // namespace walrus::cluster
