// OffsetCommit and OffsetFetch: how far a group has read.
#pragma once

#include "walrus/protocol/kafka/api.h"
#include "walrus/protocol/kafka/error_code.h"
#include "walrus/protocol/kafka/wire.h"

namespace walrus::protocol::kafka {

struct OffsetCommitPartition {
    std::int32_t index = 0;
    std::int64_t committed_offset = 0;
    std::int32_t leader_epoch = -1;
    std::int64_t commit_timestamp = -1;
    std::optional<std::string> metadata = {};

    static void fields(auto& io, auto& m) {
        io(m.index, m.committed_offset);
        if (io.version() >= 6) io(m.leader_epoch);
        if (io.version() == 1) io(m.commit_timestamp);
        io(m.metadata);
    }
};

struct OffsetCommitTopic {
    std::string name = {};
    std::vector<OffsetCommitPartition> partitions = {};

    static void fields(auto& io, auto& m) { io(m.name, m.partitions); }
};

struct OffsetCommitRequest {
    static constexpr ApiKey kKey = ApiKey::kOffsetCommit;
    std::string group_id = {};
    std::int32_t generation_id = -1;
    std::string member_id = {};
    std::optional<std::string> group_instance_id = {};
    std::int64_t retention_time_ms = -1;
    std::vector<OffsetCommitTopic> topics = {};

    static void fields(auto& io, auto& m) {
        io(m.group_id);
        if (io.version() >= 1) io(m.generation_id, m.member_id);
        if (io.version() >= 7) io(m.group_instance_id);
        if (io.version() >= 2 && io.version() <= 4) io(m.retention_time_ms);
        io(m.topics);
    }
};

struct OffsetCommitPartitionResponse {
    std::int32_t index = 0;
    ErrorCode error = ErrorCode::kNone;

    static void fields(auto& io, auto& m) { io(m.index, m.error); }
};

struct OffsetCommitTopicResponse {
    std::string name = {};
    std::vector<OffsetCommitPartitionResponse> partitions = {};

    static void fields(auto& io, auto& m) { io(m.name, m.partitions); }
};

struct OffsetCommitResponse {
    static constexpr ApiKey kKey = ApiKey::kOffsetCommit;
    std::int32_t throttle_time_ms = 0;
    std::vector<OffsetCommitTopicResponse> topics = {};

    static void fields(auto& io, auto& m) {
        if (io.version() >= 3) io(m.throttle_time_ms);
        io(m.topics);
    }
};

struct OffsetFetchTopic {
    std::string name = {};
    std::vector<std::int32_t> partitions = {};

    static void fields(auto& io, auto& m) { io(m.name, m.partitions); }
};

struct OffsetFetchRequest {
    static constexpr ApiKey kKey = ApiKey::kOffsetFetch;
    std::string group_id = {};
    std::optional<std::vector<OffsetFetchTopic>> topics =
        {};  // Nothing (from version 2 on): all of the group.

    static void fields(auto& io, auto& m) { io(m.group_id, m.topics); }
};

struct OffsetFetchPartitionResponse {
    std::int32_t index = 0;
    std::int64_t committed_offset = -1;  // -1: none.
    std::int32_t leader_epoch = -1;
    std::optional<std::string> metadata = {};
    ErrorCode error = ErrorCode::kNone;

    static void fields(auto& io, auto& m) {
        io(m.index, m.committed_offset);
        if (io.version() >= 5) io(m.leader_epoch);
        io(m.metadata, m.error);
    }
};

struct OffsetFetchTopicResponse {
    std::string name = {};
    std::vector<OffsetFetchPartitionResponse> partitions = {};

    static void fields(auto& io, auto& m) { io(m.name, m.partitions); }
};

struct OffsetFetchResponse {
    static constexpr ApiKey kKey = ApiKey::kOffsetFetch;
    std::int32_t throttle_time_ms = 0;
    std::vector<OffsetFetchTopicResponse> topics = {};
    ErrorCode error = ErrorCode::kNone;

    static void fields(auto& io, auto& m) {
        if (io.version() >= 3) io(m.throttle_time_ms);
        io(m.topics);
        if (io.version() >= 2) io(m.error);
    }
};

}  // namespace walrus::protocol::kafka
