#include "walrus/cluster/metadata.h"

#include <algorithm>

namespace walrus::cluster {

const char* fault_of(const TopicConfig& config) {
    const std::uint32_t rf = config.replication_factor;
    if (rf == 0 || rf > kMaxReplicas) return "replication factor must be 1 to 16";
    if (config.ack_quorum == 0 || config.ack_quorum > rf) {
        return "ack quorum must be 1 to the replication factor";
    }
    if (config.min_ack == 0 || config.min_ack > config.ack_quorum) {
        return "min_ack must be 1 to the ack quorum";
    }
    constexpr std::uint64_t kMostRecords = std::uint64_t{1} << 40;
    if (config.limits.max_records == 0 || config.limits.max_records > kMostRecords) {
        return "max_records must be 1 to 2^40";
    }
    return nullptr;
}

const ReplicaId* Segment::replica(NodeId node) const {
    const auto found =
        std::ranges::find_if(replicas, [&](const ReplicaId& r) { return r.node == node; });
    return found == replicas.end() ? nullptr : &*found;
}

bool Segment::has_replica(NodeId node) const {
    return replica(node) != nullptr;
}

const Segment* Topic::segment(SegmentNumber number) const {
    const auto found = segments.find(number);
    return found == segments.end() ? nullptr : &found->second;
}

}  // namespace walrus::cluster
