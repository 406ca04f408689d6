#include "walrus/node/text_reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "walrus/protocol/text_codec.h"
#include "walrus/protocol/text_error.h"

namespace walrus::node {
namespace {

using Json = nlohmann::ordered_json;
namespace text_error = protocol::text_error;

// A name may hold anything that is text; what is not is replaced rather than thrown about.
std::string dump(const Json& json, int indent) {
    return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string log_key(std::string_view topic, std::uint64_t segment) {
    return fmt::format("t_{}_s_{}", topic, segment);
}

}  // namespace

std::string unknown_topic_reply(std::string_view topic) {
    return protocol::encode_text_error(fmt::format("{}{}", text_error::kUnknownTopicFor, topic));
}

std::string append_error_reply(std::string_view topic, std::uint64_t segment, const Error& error) {
    if (error.code == Errc::kNotFound) return unknown_topic_reply(topic);
    const std::string key = log_key(topic, segment);
    if (error.code == Errc::kNotLeader)
        return protocol::encode_text_error(fmt::format("{}{}", text_error::kNotLeaderFor, key));
    return protocol::encode_text_error(
        fmt::format("{}{}: {}", text_error::kAppendFailedFor, key, error.to_string()));
}

std::string read_error_reply(std::string_view topic, const Error& error) {
    if (error.code == Errc::kNotFound) return unknown_topic_reply(topic);
    return protocol::encode_text_error(
        fmt::format("read failed for {}: {}", topic, error.to_string()));
}

std::uint64_t current_segment(const broker::PartitionInfo& partition) {
    return static_cast<std::uint64_t>(std::max(partition.leader_epoch, 1));
}

namespace {

// What upstream tells of a cluster's topic: the counts of what is sealed, and who led what.
void add_segments(const broker::PartitionInfo& partition, Json& state) {
    Json replicas = Json::object();
    Json epochs = Json::object();
    for (const broker::SegmentInfo& segment : partition.segments) {
        const std::string key = std::to_string(segment.number);
        if (segment.state == "sealed") state["sealed_segments"][key] = segment.records;
        state["segment_leaders"][key] = segment.leader;
        replicas[key] = segment.replicas;
        epochs[key] = segment.epoch;
    }
    state["last_sealed_entry_offset"] = partition.segments.back().base_offset.value;
    state["segment_state"] = partition.segments.back().state;
    state["segment_replicas"] = std::move(replicas);
    state["segment_epochs"] = std::move(epochs);
    state["in_sync"] = partition.in_sync;
    state["high_watermark"] = partition.high_watermark.value;
}

// A cluster of one has a leader without an election and no log of metadata: term 1, index 0.
Json metrics_of_one(const broker::ClusterDescription& cluster, std::string_view address) {
    constexpr int kTerm = 1;
    const auto id = cluster.self;
    const std::string key = std::to_string(id);
    const Json leader = {{"term", kTerm}, {"node_id", id}};
    const Json log_id = {{"leader_id", leader}, {"index", 0}};
    return {
        {"running_state", {{"Ok", nullptr}}},
        {"id", id},
        {"current_term", kTerm},
        {"vote", {{"leader_id", leader}, {"committed", true}}},
        {"last_log_index", 0},
        {"last_applied", log_id},
        {"snapshot", nullptr},
        {"purged", nullptr},
        {"state", "Leader"},
        {"current_leader", id},
        {"millis_since_quorum_ack", 0},
        {"last_quorum_acked", nullptr},
        {"membership_config",
         {{"log_id", log_id},
          {"membership",
           {{"configs", Json::array({Json::array({id})})},
            {"nodes", {{key, {{"addr", address}}}}}}}}},
        {"heartbeat", {{key, nullptr}}},
        {"replication", {{key, log_id}}},
    };
}

// Of the log of metadata, as this node sees it.  Indexes carry the present term: older ones are not
// kept apart.
Json metrics_of_many(const broker::ClusterDescription& cluster,
                     const broker::MetadataLogInfo& log) {
    const bool is_known = cluster.controller >= 0;
    const bool leads = cluster.controller == cluster.self;
    const Json leader_node = is_known ? Json(cluster.controller) : Json(nullptr);
    const Json leader = {{"term", log.term}, {"node_id", leader_node}};
    const auto log_id = [&](std::uint64_t index) {
        return Json{{"leader_id", leader}, {"index", index}};
    };
    Json nodes = Json::object();
    for (const auto& [id, peer] : log.addresses) nodes[std::to_string(id)] = {{"addr", peer}};
    // Only the leader knows how far the others are, and this node knows it of itself.
    const Json replication = {{std::to_string(cluster.self), log_id(log.commit_index)}};
    const bool is_learner = std::ranges::find(log.learners, cluster.self) != log.learners.end();
    return {
        {"running_state", {{"Ok", nullptr}}},
        {"id", cluster.self},
        {"current_term", log.term},
        {"vote", {{"leader_id", leader}, {"committed", is_known}}},
        {"last_log_index", log.commit_index},
        {"last_applied", log_id(log.applied_index)},
        {"snapshot", nullptr},
        {"purged", nullptr},
        {"state", leads ? "Leader" : (is_learner ? "Learner" : "Follower")},
        {"current_leader", leader_node},
        {"millis_since_quorum_ack", nullptr},
        {"last_quorum_acked", nullptr},
        {"membership_config",
         {{"log_id", log_id(log.applied_index)},
          {"membership", {{"configs", Json::array({log.voters})}, {"nodes", std::move(nodes)}}}}},
        {"heartbeat", nullptr},
        {"replication", leads ? replication : Json(nullptr)},
    };
}

}  // namespace

std::string state_document(const broker::TopicDescription& topic) {
    const broker::PartitionInfo& partition = topic.partitions.front();
    const std::uint64_t segment = current_segment(partition);
    // One machine never changes the leader, so it has sealed nothing.
    Json state = {
        {"current_segment", segment},        {"leader_node", partition.leader},
        {"last_sealed_entry_offset", 0},     {"sealed_segments", Json::object()},
        {"segment_leaders", Json::object()},
    };
    if (partition.segments.empty())
        state["segment_leaders"][std::to_string(segment)] = partition.leader;
    else
        add_segments(partition, state);
    return dump(state, -1);
}

std::string metrics_document(const broker::ClusterDescription& cluster, std::string_view address) {
    return dump(cluster.metadata ? metrics_of_many(cluster, *cluster.metadata)
                                 : metrics_of_one(cluster, address),
                2);
}

}  // namespace walrus::node
