// What a member of a cluster knows of it, as JSON.
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "walrus/node/admin_documents.h"
#include "walrus/node/admin_json.h"
#include "walrus/node/cluster_facts.h"

namespace walrus::node {
namespace {

using Json = nlohmann::ordered_json;

Error not_a_member() {
    return {Errc::kNotFound, "this node runs alone: it is not a member of a cluster"};
}

Json log_json(const member::ClusterMember::MetadataFacts& facts) {
    return {{"term", facts.term},
            {"commit_index", facts.commit_index},
            {"applied_index", facts.applied_index},
            {"voters", facts.voters},
            {"learners", facts.learners}};
}

Json replicas_json(const cluster::Segment& segment) {
    Json replicas = Json::array();
    for (const cluster::ReplicaId& replica : segment.replicas) replicas.push_back(replica.node);
    return replicas;
}

Json segment_json(const cluster::Topic& topic, const cluster::Segment& segment) {
    Json json = {{"topic", topic.name},
                 {"segment", segment.number},
                 {"state", segment_state_name(segment.state)},
                 {"epoch", segment.epoch.value},
                 {"leader", segment.leader.node},
                 {"replicas", replicas_json(segment)},
                 {"ack_quorum", segment.ack_quorum},
                 {"base_offset", segment.base.value}};
    if (segment.state == cluster::SegmentState::kSealed) {
        json["records"] = segment.length;
        json["size_bytes"] = segment.bytes;
        json["lost_records"] = segment.lost_records;
    }
    return json;
}

Json link_json(const net::PeerStatus* link) {
    if (link == nullptr) return nullptr;
    return {{"address", link->address},
            {"connected", link->is_connected},
            {"accepted", link->is_accepted},
            {"unsent_bytes", link->unsent_bytes},
            {"round_trip_ms", link->round_trip_ms}};
}

}  // namespace

Result<std::string> cluster_json(const AdminSource& source) {
    if (source.member == nullptr) return not_a_member();
    const member::ClusterMember& member = *source.member;
    const ClusterFacts facts = cluster_facts(member);
    const cluster::NodeId controller = member.controller();
    return json_document(
        {{"cluster_id", source.broker->cluster().cluster_id},
         {"self", member.identity().node},
         {"controller", controller == cluster::kNobody ? Json() : Json(controller)},
         {"is_controller", controller == member.identity().node},
         {"nodes", facts.nodes},
         {"live_nodes", facts.live_nodes},
         {"topics", facts.topics},
         {"segments", facts.segments},
         {"segments_led_here", facts.segments_led},
         {"under_replicated_segments", facts.under_replicated},
         {"segments_without_leader", facts.without_leader},
         {"metadata", log_json(member.metadata_facts())}});
}

Result<std::string> nodes_json(const AdminSource& source) {
    if (source.member == nullptr) return not_a_member();
    const std::vector<net::PeerStatus> links = source.transport->peers();
    const ClusterFacts facts = cluster_facts(*source.member);
    Json nodes = Json::array();
    for (const auto& [id, node] : source.member->state().data().nodes) {
        const net::PeerStatus* found = nullptr;
        for (const net::PeerStatus& link : links)
            if (link.peer == id) found = &link;
        const auto copies = facts.copies.find(id);
        nodes.push_back({{"node_id", id},
                         {"state", node_state_name(node.state)},
                         {"is_controller", id == source.member->controller()},
                         {"is_self", id == source.member->identity().node},
                         {"peer_address", node.peer_address},
                         {"text_address", node.text_address},
                         {"kafka_address", node.kafka_address},
                         {"copies", copies == facts.copies.end() ? 0 : copies->second},
                         {"link", link_json(found)}});
    }
    return json_document({{"nodes", std::move(nodes)}});
}

Result<std::string> segments_json(const AdminSource& source) {
    if (source.member == nullptr) return not_a_member();
    Json segments = Json::array();
    for (const auto& [id, topic] : source.member->state().data().topics)
        for (const auto& [number, segment] : topic.segments)
            segments.push_back(segment_json(topic, segment));
    return json_document({{"segments", std::move(segments)}});
}

}  // namespace walrus::node
