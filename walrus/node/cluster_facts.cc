#include "walrus/node/cluster_facts.h"

namespace walrus::node {
namespace {

bool serves(const cluster::ClusterState& state, cluster::NodeId id) {
    const cluster::Node* const node = state.node(id);
    return node != nullptr && node->serves();
}

void count(const cluster::ClusterState& state, const cluster::Topic& topic,
           const cluster::Segment& segment, ClusterFacts& facts) {
    ++facts.segments;
    std::uint32_t serving = 0;
    for (const cluster::ReplicaId& replica : segment.replicas) {
        ++facts.copies[replica.node];
        if (serves(state, replica.node)) ++serving;
    }
    if (serving < topic.config.replication_factor) ++facts.under_replicated;
}

}  // namespace

ClusterFacts cluster_facts(const member::ClusterMember& member) {
    const cluster::ClusterState& state = member.state();
    ClusterFacts facts;
    for (const auto& [id, node] : state.data().nodes) {
        if (node.state == cluster::NodeState::kRemoved) continue;
        ++facts.nodes;
        if (node.serves()) ++facts.live_nodes;
    }
    for (const auto& [id, topic] : state.data().topics) {
        ++facts.topics;
        for (const auto& [number, segment] : topic.segments) count(state, topic, segment, facts);
        const cluster::Segment& last = topic.last();
        const bool is_open = last.state == cluster::SegmentState::kOpen;
        if (is_open && last.leader == member.self()) ++facts.segments_led;
        if (!is_open || !serves(state, last.leader.node)) ++facts.without_leader;
    }
    return facts;
}

std::string_view node_state_name(cluster::NodeState state) {
    switch (state) {
        case cluster::NodeState::kLive: return "live";
        case cluster::NodeState::kDown: return "down";
        case cluster::NodeState::kDraining: return "draining";
        case cluster::NodeState::kRemoved: return "removed";
    }
    return "unknown";
}

std::string_view segment_state_name(cluster::SegmentState state) {
    switch (state) {
        case cluster::SegmentState::kOpen: return "open";
        case cluster::SegmentState::kSealing: return "sealing";
        case cluster::SegmentState::kSealed: return "sealed";
    }
    return "unknown";
}

}  // namespace walrus::node
