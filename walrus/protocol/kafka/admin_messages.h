// CreateTopics, DeleteTopics and DescribeConfigs.
#pragma once

#include "walrus/protocol/kafka/api.h"
#include "walrus/protocol/kafka/error_code.h"
#include "walrus/protocol/kafka/wire.h"

namespace walrus::protocol::kafka {

struct CreateTopicAssignment {
    std::int32_t partition_index = 0;
    std::vector<std::int32_t> broker_ids = {};

    static void fields(auto& io, auto& m) { io(m.partition_index, m.broker_ids); }
};

struct CreateTopicConfig {
    std::string name = {};
    std::optional<std::string> value = {};

    static void fields(auto& io, auto& m) { io(m.name, m.value); }
};

struct CreatableTopic {
    std::string name = {};
    std::int32_t num_partitions = -1;  // -1 (version 4): as the server has it; so the factor.
    std::int16_t replication_factor = -1;
    std::vector<CreateTopicAssignment> assignments = {};
    std::vector<CreateTopicConfig> configs = {};

    static void fields(auto& io, auto& m) {
        io(m.name, m.num_partitions, m.replication_factor, m.assignments, m.configs);
    }
};

struct CreateTopicsRequest {
    static constexpr ApiKey kKey = ApiKey::kCreateTopics;
    std::vector<CreatableTopic> topics = {};
    std::int32_t timeout_ms = 0;
    bool validate_only = false;

    static void fields(auto& io, auto& m) {
        io(m.topics, m.timeout_ms);
        if (io.version() >= 1) io(m.validate_only);
    }
};

struct CreateTopicResult {
    std::string name = {};
    ErrorCode error = ErrorCode::kNone;
    std::optional<std::string> error_message = {};

    static void fields(auto& io, auto& m) {
        io(m.name, m.error);
        if (io.version() >= 1) io(m.error_message);
    }
};

struct CreateTopicsResponse {
    static constexpr ApiKey kKey = ApiKey::kCreateTopics;
    std::int32_t throttle_time_ms = 0;
    std::vector<CreateTopicResult> topics = {};

    static void fields(auto& io, auto& m) {
        if (io.version() >= 2) io(m.throttle_time_ms);
        io(m.topics);
    }
};

struct DeleteTopicsRequest {
    static constexpr ApiKey kKey = ApiKey::kDeleteTopics;
    std::vector<std::string> topic_names = {};
    std::int32_t timeout_ms = 0;

    static void fields(auto& io, auto& m) { io(m.topic_names, m.timeout_ms); }
};

struct DeleteTopicResult {
    std::string name = {};
    ErrorCode error = ErrorCode::kNone;

    static void fields(auto& io, auto& m) { io(m.name, m.error); }
};

struct DeleteTopicsResponse {
    static constexpr ApiKey kKey = ApiKey::kDeleteTopics;
    std::int32_t throttle_time_ms = 0;
    std::vector<DeleteTopicResult> topics = {};

    static void fields(auto& io, auto& m) {
        if (io.version() >= 1) io(m.throttle_time_ms);
        io(m.topics);
    }
};

struct ConfigResource {
    std::int8_t type = 0;  // 2 a topic, 4 a broker.
    std::string name = {};
    std::optional<std::vector<std::string>> config_names = {};  // Nothing: all.

    static void fields(auto& io, auto& m) { io(m.type, m.name, m.config_names); }
};

struct DescribeConfigsRequest {
    static constexpr ApiKey kKey = ApiKey::kDescribeConfigs;
    std::vector<ConfigResource> resources = {};
    bool include_synonyms = false;

    static void fields(auto& io, auto& m) {
        io(m.resources);
        if (io.version() >= 1) io(m.include_synonyms);
    }
};

struct ConfigSynonym {
    std::string name = {};
    std::optional<std::string> value = {};
    std::int8_t source = 0;

    static void fields(auto& io, auto& m) { io(m.name, m.value, m.source); }
};

struct DescribedConfig {
    std::string name = {};
    std::optional<std::string> value = {};
    bool is_read_only = false;
    bool is_default = false;
    std::int8_t source = -1;  // 1 of the topic, 4 of the broker's file, 5 a default.
    bool is_sensitive = false;
    std::vector<ConfigSynonym> synonyms = {};

    static void fields(auto& io, auto& m) {
        io(m.name, m.value, m.is_read_only);
        if (io.version() == 0) io(m.is_default);
        if (io.version() >= 1) io(m.source);
        io(m.is_sensitive);
        if (io.version() >= 1) io(m.synonyms);
    }
};

struct DescribedResource {
    ErrorCode error = ErrorCode::kNone;
    std::optional<std::string> error_message = {};
    std::int8_t type = 0;
    std::string name = {};
    std::vector<DescribedConfig> configs = {};

    static void fields(auto& io, auto& m) {
        io(m.error, m.error_message, m.type, m.name, m.configs);
    }
};

struct DescribeConfigsResponse {
    static constexpr ApiKey kKey = ApiKey::kDescribeConfigs;
    std::int32_t throttle_time_ms = 0;
    std::vector<DescribedResource> resources = {};

    static void fields(auto& io, auto& m) { io(m.throttle_time_ms, m.resources); }
};

}  // namespace walrus::protocol::kafka
