// Produce and InitProducerId.
#pragma once

#include "walrus/protocol/kafka/api.h"
#include "walrus/protocol/kafka/error_code.h"
#include "walrus/protocol/kafka/wire.h"

namespace walrus::protocol::kafka {

struct ProducePartition {
    std::int32_t index = 0;
    std::optional<Bytes> records = {};  // One record batch.

    static void fields(auto& io, auto& m) { io(m.index, m.records); }
};

struct ProduceTopic {
    std::string name = {};
    std::vector<ProducePartition> partitions = {};

    static void fields(auto& io, auto& m) { io(m.name, m.partitions); }
};

struct ProduceRequest {
    static constexpr ApiKey kKey = ApiKey::kProduce;
    std::optional<std::string> transactional_id = {};
    std::int16_t acks = 0;  // 0: no response; 1: the leader has it; -1: as the topic promises.
    std::int32_t timeout_ms = 0;
    std::vector<ProduceTopic> topics = {};

    static void fields(auto& io, auto& m) {
        if (io.version() >= 3) io(m.transactional_id);
        io(m.acks, m.timeout_ms, m.topics);
    }
};

struct ProducePartitionResponse {
    std::int32_t index = 0;
    ErrorCode error = ErrorCode::kNone;
    std::int64_t base_offset = -1;
    std::int64_t log_append_time_ms = -1;  // -1: the times of the producer were kept.
    std::int64_t log_start_offset = -1;

    static void fields(auto& io, auto& m) {
        io(m.index, m.error, m.base_offset);
        if (io.version() >= 2) io(m.log_append_time_ms);
        if (io.version() >= 5) io(m.log_start_offset);
    }
};

struct ProduceTopicResponse {
    std::string name = {};
    std::vector<ProducePartitionResponse> partitions = {};

    static void fields(auto& io, auto& m) { io(m.name, m.partitions); }
};

struct ProduceResponse {
    static constexpr ApiKey kKey = ApiKey::kProduce;
    std::vector<ProduceTopicResponse> topics = {};
    std::int32_t throttle_time_ms = 0;

    static void fields(auto& io, auto& m) {
        io(m.topics);
        if (io.version() >= 1) io(m.throttle_time_ms);
    }
};

struct InitProducerIdRequest {
    static constexpr ApiKey kKey = ApiKey::kInitProducerId;
    std::optional<std::string> transactional_id = {};
    std::int32_t transaction_timeout_ms = 0;

    static void fields(auto& io, auto& m) { io(m.transactional_id, m.transaction_timeout_ms); }
};

struct InitProducerIdResponse {
    static constexpr ApiKey kKey = ApiKey::kInitProducerId;
    std::int32_t throttle_time_ms = 0;
    ErrorCode error = ErrorCode::kNone;
    std::int64_t producer_id = -1;
    std::int16_t producer_epoch = -1;

    static void fields(auto& io, auto& m) {
        io(m.throttle_time_ms, m.error, m.producer_id, m.producer_epoch);
    }
};

}  // namespace walrus::protocol::kafka
