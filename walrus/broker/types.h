// What a Broker (broker.h) is told and tells.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/base/strong.h"

namespace walrus::broker {

using BrokerId = std::int32_t;  // A node, as Kafka's clients know it.

// When an append is answered.  The class is the topic's, or weaker if the client asked for less.
enum class Acks : std::uint8_t {
    kNone,    // At once, and nobody waits for it.
    kLeader,  // When the leader has it in its log, in the topic's class.
    kAll,     // When the topic's durability policy is satisfied.
};

// Key and value as Kafka names them ("flush.messages", "retention.ms"); validated by the broker.
struct ConfigEntry {
    std::string name;
    std::string value;
    bool is_default = false;  // The broker's own, not set for this topic.
};

struct TopicSpec {
    std::string name;  // 1 to 249 of [a-zA-Z0-9._-], not "." or "..".
    std::uint32_t partitions = 1;
    std::uint32_t replication_factor = 0;  // 0: what the broker thinks best.
    std::vector<ConfigEntry> configs = {};
};

// A stretch of a partition that had one leader.
struct SegmentInfo {
    std::uint64_t number = 0;  // From 1 on.
    std::uint64_t epoch = 0;   // Of its leader's reign.
    std::string state = {};    // "open", "sealing", "sealed".
    BrokerId leader = -1;
    std::vector<BrokerId> replicas = {};
    Offset base_offset = {};
    std::uint64_t records = 0;       // These two: of a sealed one.
    std::uint64_t lost_records = 0;  // Given up by an operator; their offsets stay unused.
};

struct PartitionInfo {
    std::int32_t index = 0;
    BrokerId leader = -1;  // -1: none at present.
    std::int32_t leader_epoch = 0;
    std::vector<BrokerId> replicas = {};
    std::vector<BrokerId> in_sync = {};
    Offset log_start_offset = {};
    Offset high_watermark = {};  // One past the last readable.
    Offset log_end_offset = {};  // One past the last appended.
    std::uint64_t size_bytes = 0;
    std::vector<SegmentInfo> segments = {};  // Of a cluster, and of describe() alone.
};

struct TopicDescription {
    TopicSpec spec;  // `configs` holds every known name, defaults included.
    std::vector<PartitionInfo> partitions;
};

struct BrokerAddress {
    BrokerId id = -1;
    std::string kafka_host = {};
    std::uint16_t kafka_port = 0;
};

// The log on which the nodes of a cluster agree about everything but records.
struct MetadataLogInfo {
    std::uint64_t term = 0;
    std::uint64_t commit_index = 0;
    std::uint64_t applied_index = 0;
    std::vector<BrokerId> voters = {};
    std::vector<BrokerId> learners = {};
    std::vector<std::pair<BrokerId, std::string>> addresses = {};  // Of all nodes, among peers.
};

struct ClusterDescription {
    std::string cluster_id = {};
    BrokerId controller = -1;
    BrokerId self = -1;
    std::vector<BrokerAddress> brokers = {};
    std::optional<MetadataLogInfo> metadata = {};  // Nothing: one machine.
};

// What became of an append.
enum class AppendOutcome : std::uint8_t {
    kAppended,
    kDuplicate,           // Of an idempotent producer, appended before; `base_offset` says where.
    kForgottenDuplicate,  // Older than what is remembered; it was appended once.
    kOutOfOrderSequence,  // An earlier batch of the producer is missing.
    kUnknownProducer,
    kProducerFenced,  // A newer incarnation of the producer has written.
    kFailed,          // See `status`.
};

// Stable lower-case name, e.g. "duplicate"; used in metrics and messages.
std::string_view append_outcome_name(AppendOutcome outcome);

struct AppendResult {
    AppendOutcome outcome = AppendOutcome::kFailed;
    // Of kFailed.  kCorruption: the CRC differs; kInvalidArgument: not a batch a client may send;
    // kTooLarge: max.message.bytes; kNotFound; kNotLeader; kNoSpace: refused, nothing was written;
    // kResourceExhausted; kPoisoned, kIo: the log is broken; kTimeout, kClosed: outcome unknown.
    Status status = {};
    Offset base_offset = {};
    Offset log_start_offset = {};
};

// Called exactly once, on the broker's loop, perhaps before append() returns.
struct AppendCallback {
    void (*function)(void* context, const AppendResult& result) = nullptr;
    void* context = nullptr;
};

// A run of whole batches, placed (base offset and leader epoch are right), ready to be sent.
struct FetchedBatches {
    Status status = {};  // kOutOfRange, kNotFound, kNotLeader, kCorruption, kIo.
    Offset log_start_offset;
    Offset high_watermark;
    std::vector<Bytes> pieces = {};          // In order; the first holds the asked offset.
    std::shared_ptr<const void> owner = {};  // Keeps the pieces alive.
    std::uint64_t size_bytes = 0;            // Of the pieces together.
};
using FetchCallback = std::function<void(FetchedBatches)>;
using StatusCallback = std::function<void(Status)>;
using OffsetCallback = std::function<void(Result<Offset>)>;

// Where a reader of a group goes on in one partition.
struct CommittedOffset {
    Offset offset;
    std::int32_t leader_epoch = -1;  // -1: not known.
    std::string metadata = {};       // The client's own.
    std::uint64_t commit_time_ms = 0;
};

struct OffsetCommit {
    std::string topic;
    std::int32_t partition = 0;
    CommittedOffset committed;
};

}  // namespace walrus::broker
