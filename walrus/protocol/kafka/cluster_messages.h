// ApiVersions and Metadata: what a server can do, and who leads what.
#pragma once

#include "walrus/protocol/kafka/api.h"
#include "walrus/protocol/kafka/error_code.h"
#include "walrus/protocol/kafka/wire.h"

namespace walrus::protocol::kafka {

struct ApiVersionsRequest {
    static constexpr ApiKey kKey = ApiKey::kApiVersions;
    std::string client_software_name = {};
    std::string client_software_version = {};

    static void fields(auto& io, auto& m) {
        if (io.version() >= 3) io(m.client_software_name, m.client_software_version);
    }
};

// Both ends included.
struct ApiVersionRange {
    std::int16_t key = 0;
    std::int16_t min_version = 0;
    std::int16_t max_version = 0;

    static void fields(auto& io, auto& m) { io(m.key, m.min_version, m.max_version); }
};

struct ApiVersionsResponse {
    static constexpr ApiKey kKey = ApiKey::kApiVersions;
    ErrorCode error = ErrorCode::kNone;
    std::vector<ApiVersionRange> api_keys = {};
    std::int32_t throttle_time_ms = 0;

    static void fields(auto& io, auto& m) {
        io(m.error, m.api_keys);
        if (io.version() >= 1) io(m.throttle_time_ms);
    }
};

struct MetadataTopic {
    std::string name = {};

    static void fields(auto& io, auto& m) { io(m.name); }
};

struct MetadataRequest {
    static constexpr ApiKey kKey = ApiKey::kMetadata;
    std::optional<std::vector<MetadataTopic>> topics =
        {};  // Nothing, and in version 0 an empty list: all topics.
    bool allow_auto_topic_creation = true;
    bool include_cluster_authorized_operations = false;
    bool include_topic_authorized_operations = false;

    static void fields(auto& io, auto& m) {
        io(m.topics);
        if (io.version() >= 4) io(m.allow_auto_topic_creation);
        if (io.version() >= 8)
            io(m.include_cluster_authorized_operations, m.include_topic_authorized_operations);
    }
};

struct MetadataBroker {
    std::int32_t node_id = 0;
    std::string host = {};
    std::int32_t port = 0;
    std::optional<std::string> rack = {};

    static void fields(auto& io, auto& m) {
        io(m.node_id, m.host, m.port);
        if (io.version() >= 1) io(m.rack);
    }
};

struct MetadataPartition {
    ErrorCode error = ErrorCode::kNone;
    std::int32_t index = 0;
    std::int32_t leader_id = -1;
    std::int32_t leader_epoch = -1;
    std::vector<std::int32_t> replica_nodes = {};
    std::vector<std::int32_t> isr_nodes = {};
    std::vector<std::int32_t> offline_replicas = {};

    static void fields(auto& io, auto& m) {
        io(m.error, m.index, m.leader_id);
        if (io.version() >= 7) io(m.leader_epoch);
        io(m.replica_nodes, m.isr_nodes);
        if (io.version() >= 5) io(m.offline_replicas);
    }
};

struct MetadataTopicResponse {
    ErrorCode error = ErrorCode::kNone;
    std::string name = {};
    bool is_internal = false;
    std::vector<MetadataPartition> partitions = {};
    std::int32_t authorized_operations = kNoAuthorizedOperations;

    static void fields(auto& io, auto& m) {
        io(m.error, m.name);
        if (io.version() >= 1) io(m.is_internal);
        io(m.partitions);
        if (io.version() >= 8) io(m.authorized_operations);
    }
};

struct MetadataResponse {
    static constexpr ApiKey kKey = ApiKey::kMetadata;
    std::int32_t throttle_time_ms = 0;
    std::vector<MetadataBroker> brokers = {};
    std::optional<std::string> cluster_id = {};
    std::int32_t controller_id = -1;
    std::vector<MetadataTopicResponse> topics = {};
    std::int32_t cluster_authorized_operations = kNoAuthorizedOperations;

    static void fields(auto& io, auto& m) {
        if (io.version() >= 3) io(m.throttle_time_ms);
        io(m.brokers);
        if (io.version() >= 2) io(m.cluster_id);
        if (io.version() >= 1) io(m.controller_id);
        io(m.topics);
        if (io.version() >= 8) io(m.cluster_authorized_operations);
    }
};

}  // namespace walrus::protocol::kafka
