// KafkaAdmin: topics, their configuration and their offsets.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "walrus/base/result.h"
#include "walrus/client/kafka_options.h"

namespace walrus::client {

struct BrokerInfo {
    std::int32_t id = 0;
    std::string host;
    std::int32_t port = 0;
};

struct PartitionInfo {
    std::int32_t id = 0;
    std::int32_t leader = -1;  // -1: none at the moment.
    std::vector<std::int32_t> replicas;
    std::vector<std::int32_t> in_sync;
};

struct TopicInfo {
    std::string name;
    std::vector<PartitionInfo> partitions;  // By id.
};

struct ClusterInfo {
    std::string cluster_id;        // "" when the server names none.
    std::int32_t controller = -1;  // -1: not known.
    std::string answered_by;       // "host:port/id"
    std::vector<BrokerInfo> brokers;
    std::vector<TopicInfo> topics;  // By name.
};

struct NewTopic {
    std::string name;
    std::int32_t partitions = -1;          // -1: what the server has as its default.
    std::int32_t replication_factor = -1;  // The same.
    std::vector<std::pair<std::string, std::string>> config = {};
};

struct ConfigEntry {
    std::string name;
    std::optional<std::string> value;  // Nothing: it has none, or is a secret.
    std::string source;                // "DYNAMIC_TOPIC_CONFIG", "DEFAULT_CONFIG" and so on.
    bool read_only = false;
    bool is_default = false;
};

struct PartitionOffsets {
    std::int32_t partition = 0;
    std::int64_t start = 0;  // First kept.
    std::int64_t end = 0;    // One past the last readable.
};

// One thread at a time.  Nothing here creates a topic behind the caller's back.
// kClosed, kTimeout: the server cannot be reached.  kNotFound names the topic.
class KafkaAdmin {
public:
    static Result<std::unique_ptr<KafkaAdmin>> open(KafkaOptions options);
    ~KafkaAdmin();
    KafkaAdmin(const KafkaAdmin&) = delete;
    KafkaAdmin& operator=(const KafkaAdmin&) = delete;

    Result<ClusterInfo> cluster();
    Result<TopicInfo> topic(const std::string& name);

    // kAlreadyExists: there is one of that name; nothing was changed.
    Status create_topic(const NewTopic& topic);
    Status delete_topic(const std::string& name);
    // By name.
    Result<std::vector<ConfigEntry>> topic_config(const std::string& name);

    // Of every partition, by id.
    Result<std::vector<PartitionOffsets>> offsets(const TopicInfo& topic);
    // Of each partition the first offset whose record is not older; the end when there is none.
    Result<std::vector<std::pair<std::int32_t, std::int64_t>>> offsets_at(
        const TopicInfo& topic, std::int64_t timestamp_ms);

private:
    struct Parts;
    friend class KafkaGroups;

    explicit KafkaAdmin(std::unique_ptr<Parts> parts);

    std::unique_ptr<Parts> parts_;
};

}  // namespace walrus::client
