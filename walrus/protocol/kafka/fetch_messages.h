// Fetch, ListOffsets, OffsetForLeaderEpoch and DeleteRecords: reading, and where a log begins and
// ends.
#pragma once

#include "walrus/protocol/kafka/api.h"
#include "walrus/protocol/kafka/error_code.h"
#include "walrus/protocol/kafka/wire.h"

namespace walrus::protocol::kafka {

struct FetchPartition {
    std::int32_t index = 0;
    std::int32_t current_leader_epoch = -1;
    std::int64_t fetch_offset = 0;
    std::int64_t log_start_offset = -1;  // Of a follower.
    std::int32_t max_bytes = 0;

    static void fields(auto& io, auto& m) {
        io(m.index);
        if (io.version() >= 9) io(m.current_leader_epoch);
        io(m.fetch_offset);
        if (io.version() >= 5) io(m.log_start_offset);
        io(m.max_bytes);
    }
};

struct FetchTopic {
    std::string name = {};
    std::vector<FetchPartition> partitions = {};

    static void fields(auto& io, auto& m) { io(m.name, m.partitions); }
};

struct FetchForgottenTopic {
    std::string name = {};
    std::vector<std::int32_t> partitions = {};

    static void fields(auto& io, auto& m) { io(m.name, m.partitions); }
};

struct FetchRequest {
    static constexpr ApiKey kKey = ApiKey::kFetch;
    std::int32_t replica_id = -1;
    std::int32_t max_wait_ms = 0;
    std::int32_t min_bytes = 0;
    std::int32_t max_bytes = 0x7FFFFFFF;
    std::int8_t isolation_level = 0;  // 0 read uncommitted, 1 read committed.
    std::int32_t session_id = 0;
    std::int32_t session_epoch = -1;  // -1: no session.
    std::vector<FetchTopic> topics = {};
    std::vector<FetchForgottenTopic> forgotten_topics = {};
    std::string rack_id = {};

    static void fields(auto& io, auto& m) {
        io(m.replica_id, m.max_wait_ms, m.min_bytes);
        if (io.version() >= 3) io(m.max_bytes);
        if (io.version() >= 4) io(m.isolation_level);
        if (io.version() >= 7) io(m.session_id, m.session_epoch);
        io(m.topics);
        if (io.version() >= 7) io(m.forgotten_topics);
        if (io.version() >= 11) io(m.rack_id);
    }
};

struct AbortedTransaction {
    std::int64_t producer_id = 0;
    std::int64_t first_offset = 0;

    static void fields(auto& io, auto& m) { io(m.producer_id, m.first_offset); }
};

struct FetchPartitionResponse {
    std::int32_t index = 0;
    ErrorCode error = ErrorCode::kNone;
    std::int64_t high_watermark = 0;  // One past the last readable record.
    std::int64_t last_stable_offset = -1;
    std::int64_t log_start_offset = -1;
    std::optional<std::vector<AbortedTransaction>> aborted_transactions = {};
    std::int32_t preferred_read_replica = -1;
    std::optional<Bytes> records = {};  // Record batches; the last one may be cut short.

    // A server whose records are elsewhere writes these, the length, and leaves the records out.
    static void fields_before_records(auto& io, auto& m) {
        io(m.index, m.error, m.high_watermark);
        if (io.version() >= 4) io(m.last_stable_offset);
        if (io.version() >= 5) io(m.log_start_offset);
        if (io.version() >= 4) io(m.aborted_transactions);
        if (io.version() >= 11) io(m.preferred_read_replica);
    }
    static void fields(auto& io, auto& m) {
        fields_before_records(io, m);
        io(m.records);
    }
};

struct FetchTopicResponse {
    std::string name = {};
    std::vector<FetchPartitionResponse> partitions = {};

    static void fields(auto& io, auto& m) { io(m.name, m.partitions); }
};

struct FetchResponse {
    static constexpr ApiKey kKey = ApiKey::kFetch;
    std::int32_t throttle_time_ms = 0;
    ErrorCode error = ErrorCode::kNone;
    std::int32_t session_id = 0;  // 0: no session.
    std::vector<FetchTopicResponse> topics = {};

    static void fields_before_topics(auto& io, auto& m) {
        if (io.version() >= 1) io(m.throttle_time_ms);
        if (io.version() >= 7) io(m.error, m.session_id);
    }
    static void fields(auto& io, auto& m) {
        fields_before_topics(io, m);
        io(m.topics);
    }
};

struct ListOffsetsPartition {
    std::int32_t index = 0;
    std::int32_t current_leader_epoch = -1;
    std::int64_t timestamp = 0;  // Milliseconds; -1 the end of the log, -2 its start.
    std::int32_t max_offsets = 1;

    static void fields(auto& io, auto& m) {
        io(m.index);
        if (io.version() >= 4) io(m.current_leader_epoch);
        io(m.timestamp);
        if (io.version() == 0) io(m.max_offsets);
    }
};

struct ListOffsetsTopic {
    std::string name = {};
    std::vector<ListOffsetsPartition> partitions = {};

    static void fields(auto& io, auto& m) { io(m.name, m.partitions); }
};

struct ListOffsetsRequest {
    static constexpr ApiKey kKey = ApiKey::kListOffsets;
    std::int32_t replica_id = -1;
    std::int8_t isolation_level = 0;
    std::vector<ListOffsetsTopic> topics = {};

    static void fields(auto& io, auto& m) {
        io(m.replica_id);
        if (io.version() >= 2) io(m.isolation_level);
        io(m.topics);
    }
};

struct ListOffsetsPartitionResponse {
    std::int32_t index = 0;
    ErrorCode error = ErrorCode::kNone;
    std::vector<std::int64_t> old_style_offsets = {};
    std::int64_t timestamp = -1;
    std::int64_t offset = -1;
    std::int32_t leader_epoch = -1;

    static void fields(auto& io, auto& m) {
        io(m.index, m.error);
        if (io.version() == 0) io(m.old_style_offsets);
        if (io.version() >= 1) io(m.timestamp, m.offset);
        if (io.version() >= 4) io(m.leader_epoch);
    }
};

struct ListOffsetsTopicResponse {
    std::string name = {};
    std::vector<ListOffsetsPartitionResponse> partitions = {};

    static void fields(auto& io, auto& m) { io(m.name, m.partitions); }
};

struct ListOffsetsResponse {
    static constexpr ApiKey kKey = ApiKey::kListOffsets;
    std::int32_t throttle_time_ms = 0;
    std::vector<ListOffsetsTopicResponse> topics = {};

    static void fields(auto& io, auto& m) {
        if (io.version() >= 2) io(m.throttle_time_ms);
        io(m.topics);
    }
};

struct EpochPartition {
    std::int32_t index = 0;
    std::int32_t current_leader_epoch = -1;
    std::int32_t leader_epoch = 0;

    static void fields(auto& io, auto& m) {
        io(m.index);
        if (io.version() >= 2) io(m.current_leader_epoch);
        io(m.leader_epoch);
    }
};

struct EpochTopic {
    std::string name = {};
    std::vector<EpochPartition> partitions = {};

    static void fields(auto& io, auto& m) { io(m.name, m.partitions); }
};

struct OffsetForLeaderEpochRequest {
    static constexpr ApiKey kKey = ApiKey::kOffsetForLeaderEpoch;
    std::int32_t replica_id = -2;  // -2: a client.
    std::vector<EpochTopic> topics = {};

    static void fields(auto& io, auto& m) {
        if (io.version() >= 3) io(m.replica_id);
        io(m.topics);
    }
};

struct EpochEndOffset {
    ErrorCode error = ErrorCode::kNone;
    std::int32_t index = 0;
    std::int32_t leader_epoch = -1;
    std::int64_t end_offset = -1;

    static void fields(auto& io, auto& m) {
        io(m.error, m.index);
        if (io.version() >= 1) io(m.leader_epoch);
        io(m.end_offset);
    }
};

struct EpochTopicResponse {
    std::string name = {};
    std::vector<EpochEndOffset> partitions = {};

    static void fields(auto& io, auto& m) { io(m.name, m.partitions); }
};

struct OffsetForLeaderEpochResponse {
    static constexpr ApiKey kKey = ApiKey::kOffsetForLeaderEpoch;
    std::int32_t throttle_time_ms = 0;
    std::vector<EpochTopicResponse> topics = {};

    static void fields(auto& io, auto& m) {
        if (io.version() >= 2) io(m.throttle_time_ms);
        io(m.topics);
    }
};

struct DeleteRecordsPartition {
    std::int32_t index = 0;
    std::int64_t offset = 0;  // The first to keep; -1: none below the high watermark is kept.

    static void fields(auto& io, auto& m) { io(m.index, m.offset); }
};

struct DeleteRecordsTopic {
    std::string name = {};
    std::vector<DeleteRecordsPartition> partitions = {};

    static void fields(auto& io, auto& m) { io(m.name, m.partitions); }
};

struct DeleteRecordsRequest {
    static constexpr ApiKey kKey = ApiKey::kDeleteRecords;
    std::vector<DeleteRecordsTopic> topics = {};
    std::int32_t timeout_ms = 0;

    static void fields(auto& io, auto& m) { io(m.topics, m.timeout_ms); }
};

struct DeleteRecordsPartitionResponse {
    std::int32_t index = 0;
    std::int64_t low_watermark = -1;
    ErrorCode error = ErrorCode::kNone;

    static void fields(auto& io, auto& m) { io(m.index, m.low_watermark, m.error); }
};

struct DeleteRecordsTopicResponse {
    std::string name = {};
    std::vector<DeleteRecordsPartitionResponse> partitions = {};

    static void fields(auto& io, auto& m) { io(m.name, m.partitions); }
};

struct DeleteRecordsResponse {
    static constexpr ApiKey kKey = ApiKey::kDeleteRecords;
    std::int32_t throttle_time_ms = 0;
    std::vector<DeleteRecordsTopicResponse> topics = {};

    static void fields(auto& io, auto& m) { io(m.throttle_time_ms, m.topics); }
};

}  // namespace walrus::protocol::kafka
