#include "compare/kafka/kafka_admin.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "harness/metrics/paced_clock.h"

namespace walrus::compare {
namespace {

using harness::Settings;

constexpr int kAdminTimeoutMs = 30'000;
constexpr int kMetadataTimeoutMs = 5'000;
constexpr std::uint64_t kRetryNs = 2'000'000;
constexpr std::uint64_t kLeadersNs = 30'000'000'000;
// Told even where they are Kafka's defaults.
constexpr std::array<std::string_view, 10> kNotable = {
    "num.io.threads",    "num.network.threads",   "log.flush.interval.messages",
    "log.segment.bytes", "log.flush.interval.ms", "log.flush.scheduler.interval.ms",
    "message.max.bytes", "compression.type",      "socket.send.buffer.bytes",
    "log.preallocate"};

struct MetadataCloser {
    void operator()(const rd_kafka_metadata_t* metadata) const {
        rd_kafka_metadata_destroy(metadata);
    }
};
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, MetadataCloser>;

Result<Metadata> fetch_metadata(rd_kafka_t& handle, int timeout_ms) {
    const rd_kafka_metadata_t* metadata = nullptr;
    const rd_kafka_resp_err_t code = rd_kafka_metadata(&handle, 1, nullptr, &metadata, timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return rd_error("ask for metadata", code);
    return Metadata(metadata);
}

// The first failure among the results of one operation on several topics.
Status first_failure(const char* what, const rd_kafka_topic_result_t** results, std::size_t count,
                     rd_kafka_resp_err_t tolerated) {
    for (std::size_t i = 0; i < count; ++i) {
        const rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == tolerated) continue;
        return rd_error(fmt::format("{} {}", what, rd_kafka_topic_result_name(results[i])), code);
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<KafkaAdmin>> KafkaAdmin::make(const std::string& address) {
    auto handle = make_rd_handle(RD_KAFKA_PRODUCER, {{"bootstrap.servers", address},
                                                     {"reconnect.backoff.ms", "10"},
                                                     {"socket.nagle.disable", "true"},
                                                     {"log_level", "3"}});
    if (!handle) return std::move(handle).error();
    return std::unique_ptr<KafkaAdmin>(new KafkaAdmin(std::move(*handle)));
}

KafkaAdmin::KafkaAdmin(RdHandle handle)
    : handle_(std::move(handle)), queue_(rd_kafka_queue_new(handle_.get())) {}

Status KafkaAdmin::ping(std::uint64_t timeout_ms) {
    const auto metadata = fetch_metadata(*handle_, static_cast<int>(timeout_ms));
    if (!metadata) return metadata.error();
    return {};
}

Result<std::vector<std::string>> KafkaAdmin::topics() {
    const auto metadata = fetch_metadata(*handle_, kMetadataTimeoutMs);
    if (!metadata) return metadata.error();
    std::vector<std::string> names;
    for (int i = 0; i < (*metadata)->topic_cnt; ++i) {
        names.emplace_back((*metadata)->topics[i].topic);
    }
    return names;
}

Status KafkaAdmin::create_topics(const std::vector<std::string>& names, const Settings& config) {
    std::array<char, 256> why{};
    std::vector<rd_kafka_NewTopic_t*> topics;
    for (const std::string& name : names) {
        rd_kafka_NewTopic_t* topic =
            rd_kafka_NewTopic_new(name.c_str(), 1, 1, why.data(), why.size());
        if (topic == nullptr) {
            rd_kafka_NewTopic_destroy_array(topics.data(), topics.size());
            return Error{Errc::kInvalidArgument, fmt::format("topic {}: {}", name, why.data())};
        }
        topics.push_back(topic);
        for (const auto& [key, value] : config) {
            rd_kafka_NewTopic_set_config(topic, key.c_str(), value.c_str());
        }
    }
    rd_kafka_CreateTopics(handle_.get(), topics.data(), topics.size(), nullptr, queue_.get());
    rd_kafka_NewTopic_destroy_array(topics.data(), topics.size());
    const auto event = wait_for_result("create topics");
    if (!event) return event.error();
    std::size_t count = 0;
    const rd_kafka_topic_result_t** results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event->get()), &count);
    WALRUS_RETURN_IF_ERROR(
        first_failure("create topic", results, count, RD_KAFKA_RESP_ERR_NO_ERROR));
    return wait_for_leaders(names);
}

Status KafkaAdmin::wait_for_leaders(const std::vector<std::string>& names) {
    harness::PacedClock& clock = harness::machine_clock();
    const std::uint64_t deadline_ns = clock.monotonic_ns() + kLeadersNs;
    for (;;) {
        std::set<std::string> waiting(names.begin(), names.end());
        const auto metadata = fetch_metadata(*handle_, kMetadataTimeoutMs);
        if (!metadata) return metadata.error();
        for (int i = 0; i < (*metadata)->topic_cnt; ++i) {
            const rd_kafka_metadata_topic& topic = (*metadata)->topics[i];
            if (topic.partition_cnt == 1 && topic.partitions[0].leader >= 0) {
                waiting.erase(topic.topic);
            }
        }
        if (waiting.empty()) return {};
        if (clock.monotonic_ns() >= deadline_ns) {
            return Error{Errc::kTimeout, fmt::format("topic {} got no leader", *waiting.begin())};
        }
        clock.wait_until(clock.monotonic_ns() + kRetryNs);
    }
}

Status KafkaAdmin::delete_topics(const std::vector<std::string>& names) {
    if (names.empty()) return {};
    std::vector<rd_kafka_DeleteTopic_t*> topics;
    topics.reserve(names.size());
    for (const std::string& name : names) topics.push_back(rd_kafka_DeleteTopic_new(name.c_str()));
    rd_kafka_DeleteTopics(handle_.get(), topics.data(), topics.size(), nullptr, queue_.get());
    rd_kafka_DeleteTopic_destroy_array(topics.data(), topics.size());
    const auto event = wait_for_result("delete topics");
    if (!event) return event.error();
    std::size_t count = 0;
    const rd_kafka_topic_result_t** results = rd_kafka_DeleteTopics_result_topics(
        rd_kafka_event_DeleteTopics_result(event->get()), &count);
    return first_failure("delete topic", results, count, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
}

Result<Settings> KafkaAdmin::topic_config(const std::string& topic) {
    return describe(RD_KAFKA_RESOURCE_TOPIC, topic, false);
}

Result<Settings> KafkaAdmin::broker_config() {
    const auto metadata = fetch_metadata(*handle_, kMetadataTimeoutMs);
    if (!metadata) return metadata.error();
    return describe(RD_KAFKA_RESOURCE_BROKER, fmt::format("{}", (*metadata)->orig_broker_id), true);
}

Result<Settings> KafkaAdmin::describe(rd_kafka_ResourceType_t type, const std::string& name,
                                      bool only_notable) {
    rd_kafka_ConfigResource_t* resource = rd_kafka_ConfigResource_new(type, name.c_str());
    rd_kafka_DescribeConfigs(handle_.get(), &resource, 1, nullptr, queue_.get());
    rd_kafka_ConfigResource_destroy(resource);
    const auto event = wait_for_result("describe the configuration");
    if (!event) return event.error();
    std::size_t count = 0;
    const rd_kafka_ConfigResource_t** resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event->get()), &count);
    if (count != 1) return Error{Errc::kCorruption, "describe the configuration: no answer in it"};
    const rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resources[0]);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return rd_error(fmt::format("describe the configuration of {}", name), code);
    }
    const rd_kafka_ConfigEntry_t** entries = rd_kafka_ConfigResource_configs(resources[0], &count);
    Settings config;
    for (std::size_t i = 0; i < count; ++i) {
        const char* value = rd_kafka_ConfigEntry_value(entries[i]);
        const std::string_view key = rd_kafka_ConfigEntry_name(entries[i]);
        const bool notable = rd_kafka_ConfigEntry_is_default(entries[i]) != 1 ||
                             std::ranges::find(kNotable, key) != kNotable.end();
        if (value != nullptr && (notable || !only_notable)) config[std::string(key)] = value;
    }
    return config;
}

Result<KafkaAdmin::Event> KafkaAdmin::wait_for_result(const char* what) {
    Event event(rd_kafka_queue_poll(queue_.get(), kAdminTimeoutMs));
    if (event == nullptr) return rd_error(what, RD_KAFKA_RESP_ERR__TIMED_OUT);
    if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return rd_error(fmt::format("{}: {}", what, rd_kafka_event_error_string(event.get())),
                        rd_kafka_event_error(event.get()));
    }
    return event;
}

}  // namespace walrus::compare
