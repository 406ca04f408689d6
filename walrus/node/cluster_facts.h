// Counts over a cluster's metadata, for status pages and metrics.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "walrus/cluster/metadata.h"
#include "walrus/member/member.h"

namespace walrus::node {

struct ClusterFacts {
    std::uint64_t nodes = 0;  // But those that were removed.
    std::uint64_t live_nodes = 0;
    std::uint64_t topics = 0;
    std::uint64_t segments = 0;
    std::uint64_t segments_led = 0;      // Open ones, by this node.
    std::uint64_t under_replicated = 0;  // Fewer copies on serving nodes than the topic asks for.
    std::uint64_t without_leader = 0;    // Topics that nobody can append to now.
    std::map<cluster::NodeId, std::uint64_t> copies = {};
};

ClusterFacts cluster_facts(const member::ClusterMember& member);

std::string_view node_state_name(cluster::NodeState state);
std::string_view segment_state_name(cluster::SegmentState state);

}  // namespace walrus::node
