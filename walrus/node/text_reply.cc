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

std::string state_document(const broker::TopicDescription& topic) {
    const broker::PartitionInfo& partition = topic.partitions.front();
    const std::uint64_t segment = current_segment(partition);
    // One machine never changes the leader, so it has sealed nothing.
    const Json state = {
        {"current_segment", segment},
        {"leader_node", partition.leader},
        {"last_sealed_entry_offset", 0},
        {"sealed_segments", Json::object()},
        {"segment_leaders", {{std::to_string(segment), partition.leader}}},
    };
    return dump(state, -1);
}

// A cluster of one has a leader without an election and no log of metadata: term 1, index 0.
std::string metrics_document(const broker::ClusterDescription& cluster, std::string_view address) {
    constexpr int kTerm = 1;
    const auto id = cluster.self;
    const std::string key = std::to_string(id);
    const Json leader = {{"term", kTerm}, {"node_id", id}};
    const Json log_id = {{"leader_id", leader}, {"index", 0}};
    const Json metrics = {
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
    return dump(metrics, 2);
}

}  // namespace walrus::node
