// What the parts of a ClusterBroker share.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "walrus/cluster_broker/cluster_broker.h"
#include "walrus/cluster_broker/cluster_configs.h"

namespace walrus::cluster_broker {

struct Core {
    const ClusterBrokerOptions options;
    net::Loop& loop;
    const ClusterConfigs configs;
    member::ClusterMember* member = nullptr;  // Null: not started yet, or closed.
    std::uint64_t waiting_bytes = 0;          // Of appends that partitions hold back.

    // Only while there is a member.
    const cluster::ClusterState& state() const { return member->state(); }
    const cluster::Topic* topic(cluster::TopicId id) const {
        return member == nullptr ? nullptr : state().topic(id);
    }
    cluster::NodeId self() const { return member->self().node; }

    // Who may append to the topic at present; kNobody: no one.
    cluster::NodeId leader_of(const cluster::Topic& topic) const {
        const cluster::Segment& last = topic.last();
        if (last.state != cluster::SegmentState::kOpen) return cluster::kNobody;
        const cluster::Node* node = state().node(last.leader.node);
        return node != nullptr && node->serves() ? last.leader.node : cluster::kNobody;
    }
    bool leads(const cluster::Topic& topic) const {
        return topic.last().state == cluster::SegmentState::kOpen &&
               topic.last().leader == member->self();
    }
};

inline Error broker_closed() {
    return {Errc::kClosed, "cluster: this node is starting or shutting down"};
}
inline Error not_leader(std::string_view topic) {
    return {Errc::kNotLeader, "topic " + std::string(topic) + ": another node leads it"};
}
inline Error no_topic(std::string_view topic) {
    return {Errc::kNotFound, "topic " + std::string(topic) + ": there is none"};
}

}  // namespace walrus::cluster_broker
