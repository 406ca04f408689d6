#include "walrus/client/kafka_admin.h"

#include <algorithm>
#include <array>

#include "walrus/client/kafka_admin_parts.h"

namespace walrus::client {
namespace {

using RdMetadata = std::unique_ptr<const rd_kafka_metadata_t, RdFree<rd_kafka_metadata_destroy>>;
using RdNewTopic = std::unique_ptr<rd_kafka_NewTopic_t, RdFree<rd_kafka_NewTopic_destroy>>;
using RdDeleteTopic = std::unique_ptr<rd_kafka_DeleteTopic_t, RdFree<rd_kafka_DeleteTopic_destroy>>;
using RdResource =
    std::unique_ptr<rd_kafka_ConfigResource_t, RdFree<rd_kafka_ConfigResource_destroy>>;
using RdString =
    std::unique_ptr<char, decltype([](char* text) { rd_kafka_mem_free(nullptr, text); })>;

// An answer may come this much later than the server was asked to answer.
constexpr int kAnswerGraceMs = 1000;

std::vector<std::int32_t> ids(const std::int32_t* first, int count) {
    return {first, first + count};
}

TopicInfo topic_info(const rd_kafka_metadata_topic_t& topic) {
    TopicInfo info{.name = topic.topic, .partitions = {}};
    for (int i = 0; i < topic.partition_cnt; ++i) {
        const rd_kafka_metadata_partition_t& partition = topic.partitions[i];
        info.partitions.push_back({.id = partition.id,
                                   .leader = partition.leader,
                                   .replicas = ids(partition.replicas, partition.replica_cnt),
                                   .in_sync = ids(partition.isrs, partition.isr_cnt)});
    }
    std::ranges::sort(info.partitions, {}, &PartitionInfo::id);
    return info;
}

// The result of the only topic of a request.
Status topic_result(const rd_kafka_topic_result_t** results, std::size_t count,
                    const std::string& what) {
    if (count != 1) return Error{Errc::kIo, what + ": the server's answer names no topic"};
    const rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[0]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    return rd_error(code, what, rd_kafka_topic_result_error_string(results[0]));
}

RdPartitions partition_list(const TopicInfo& topic, std::int64_t offset) {
    RdPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(topic.partitions.size())));
    for (const PartitionInfo& partition : topic.partitions)
        rd_kafka_topic_partition_list_add(list.get(), topic.name.c_str(), partition.id)->offset =
            offset;
    return list;
}

}  // namespace

// --- the connection ---

KafkaAdmin::KafkaAdmin(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
KafkaAdmin::~KafkaAdmin() = default;

KafkaAdmin::Parts::RdAdminOptions KafkaAdmin::Parts::request(rd_kafka_admin_op_t operation) const {
    RdAdminOptions made(rd_kafka_AdminOptions_new(handle.get(), operation));
    std::array<char, 256> message{};
    rd_kafka_AdminOptions_set_request_timeout(made.get(), timeout_ms(), message.data(),
                                              message.size());
    return made;
}

Result<RdEvent> KafkaAdmin::Parts::answer(std::string_view what) const {
    const std::string subject(what);
    RdEvent event(rd_kafka_queue_poll(queue.get(), timeout_ms() + kAnswerGraceMs));
    if (!event) return Error{Errc::kTimeout, subject + ": no answer in time"};
    if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return rd_error(code, what, rd_kafka_event_error_string(event.get()));
    return event;
}

Result<std::unique_ptr<KafkaAdmin>> KafkaAdmin::open(KafkaOptions options) {
    auto parts = std::unique_ptr<Parts>(new Parts{.options = std::move(options)});
    auto conf = make_conf(parts->options);
    if (!conf) return std::move(conf).error();
    // A consumer's handle: a producer's asks the server to create what it looks for.
    auto handle = open_handle(RD_KAFKA_CONSUMER, std::move(*conf), parts->options);
    if (!handle) return std::move(handle).error();
    parts->handle = std::move(*handle);
    parts->queue.reset(rd_kafka_queue_new(parts->handle.get()));
    return std::unique_ptr<KafkaAdmin>(new KafkaAdmin(std::move(parts)));
}

// --- topics ---

Result<ClusterInfo> KafkaAdmin::cluster() {
    rd_kafka_t* const handle = parts_->handle.get();
    const rd_kafka_metadata_t* got = nullptr;
    const auto code = rd_kafka_metadata(handle, 1, nullptr, &got, parts_->timeout_ms());
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return rd_error(code, "cannot list the topics");
    const RdMetadata metadata(got);
    ClusterInfo info;
    // Known since the metadata came: nothing waits.
    const RdString cluster_id(rd_kafka_clusterid(handle, 0));
    if (cluster_id) info.cluster_id = cluster_id.get();
    info.controller = rd_kafka_controllerid(handle, 0);
    info.answered_by = std::string(metadata->orig_broker_name);
    for (int i = 0; i < metadata->broker_cnt; ++i) {
        const rd_kafka_metadata_broker_t& broker = metadata->brokers[i];
        info.brokers.push_back({.id = broker.id, .host = broker.host, .port = broker.port});
    }
    for (int i = 0; i < metadata->topic_cnt; ++i)
        info.topics.push_back(topic_info(metadata->topics[i]));
    std::ranges::sort(info.brokers, {}, &BrokerInfo::id);
    std::ranges::sort(info.topics, {}, &TopicInfo::name);
    return info;
}

Result<TopicInfo> KafkaAdmin::topic(const std::string& name) {
    // All of them: asking for one lets some servers create it.
    auto all = cluster();
    if (!all) return std::move(all).error();
    const auto found = std::ranges::find(all->topics, name, &TopicInfo::name);
    if (found == all->topics.end())
        return Error{Errc::kNotFound, "topic " + name + ": there is none of that name"};
    return std::move(*found);
}

Status KafkaAdmin::create_topic(const NewTopic& topic) {
    const std::string what = "cannot create topic " + topic.name;
    std::array<char, 512> message{};
    RdNewTopic made(rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions,
                                          topic.replication_factor, message.data(),
                                          message.size()));
    if (!made) return Error{Errc::kInvalidArgument, what + ": " + message.data()};
    for (const auto& [name, value] : topic.config) {
        const auto code = rd_kafka_NewTopic_set_config(made.get(), name.c_str(), value.c_str());
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return rd_error(code, what);
    }
    const auto request = parts_->request(RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_NewTopic_t* topics[] = {made.get()};
    rd_kafka_CreateTopics(parts_->handle.get(), topics, 1, request.get(), parts_->queue.get());
    const auto event = parts_->answer(what);
    if (!event) return event.error();
    std::size_t count = 0;
    const auto* result = rd_kafka_event_CreateTopics_result(event->get());
    const auto** results = rd_kafka_CreateTopics_result_topics(result, &count);
    return topic_result(results, count, what);
}

Status KafkaAdmin::delete_topic(const std::string& name) {
    const std::string what = "cannot delete topic " + name;
    const RdDeleteTopic asked(rd_kafka_DeleteTopic_new(name.c_str()));
    const auto request = parts_->request(RD_KAFKA_ADMIN_OP_DELETETOPICS);
    rd_kafka_DeleteTopic_t* topics[] = {asked.get()};
    rd_kafka_DeleteTopics(parts_->handle.get(), topics, 1, request.get(), parts_->queue.get());
    const auto event = parts_->answer(what);
    if (!event) return event.error();
    std::size_t count = 0;
    const auto* result = rd_kafka_event_DeleteTopics_result(event->get());
    const auto** results = rd_kafka_DeleteTopics_result_topics(result, &count);
    return topic_result(results, count, what);
}

Result<std::vector<ConfigEntry>> KafkaAdmin::topic_config(const std::string& name) {
    const std::string what = "cannot read the configuration of topic " + name;
    const RdResource asked(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
    if (!asked) return Error{Errc::kInvalidArgument, what + ": the name is empty"};
    const auto request = parts_->request(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_ConfigResource_t* resources[] = {asked.get()};
    rd_kafka_DescribeConfigs(parts_->handle.get(), resources, 1, request.get(),
                             parts_->queue.get());
    const auto event = parts_->answer(what);
    if (!event) return event.error();

    std::size_t count = 0;
    const auto* result = rd_kafka_event_DescribeConfigs_result(event->get());
    const auto** results = rd_kafka_DescribeConfigs_result_resources(result, &count);
    if (count != 1) return Error{Errc::kIo, what + ": the server's answer names no topic"};
    if (const auto code = rd_kafka_ConfigResource_error(results[0]))
        return rd_error(code, what, rd_kafka_ConfigResource_error_string(results[0]));
    const auto** entries = rd_kafka_ConfigResource_configs(results[0], &count);
    std::vector<ConfigEntry> config;
    for (std::size_t i = 0; i < count; ++i) {
        const rd_kafka_ConfigEntry_t* entry = entries[i];
        ConfigEntry& made = config.emplace_back();
        made.name = rd_kafka_ConfigEntry_name(entry);
        const char* value = rd_kafka_ConfigEntry_value(entry);
        if (value != nullptr && rd_kafka_ConfigEntry_is_sensitive(entry) != 1) made.value = value;
        made.source = rd_kafka_ConfigSource_name(rd_kafka_ConfigEntry_source(entry));
        made.read_only = rd_kafka_ConfigEntry_is_read_only(entry) == 1;
        made.is_default = rd_kafka_ConfigEntry_is_default(entry) == 1;
    }
    std::ranges::sort(config, {}, &ConfigEntry::name);
    return config;
}

// --- offsets ---

Result<std::vector<PartitionOffsets>> KafkaAdmin::offsets(const TopicInfo& topic) {
    std::vector<PartitionOffsets> offsets;
    for (const PartitionInfo& partition : topic.partitions) {
        PartitionOffsets& of = offsets.emplace_back();
        of.partition = partition.id;
        const auto code =
            rd_kafka_query_watermark_offsets(parts_->handle.get(), topic.name.c_str(), partition.id,
                                             &of.start, &of.end, parts_->timeout_ms());
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
            return rd_error(code, "cannot read the offsets of topic " + topic.name + " partition " +
                                      std::to_string(partition.id));
    }
    return offsets;
}

Result<std::vector<std::pair<std::int32_t, std::int64_t>>> KafkaAdmin::offsets_at(
    const TopicInfo& topic, std::int64_t timestamp_ms) {
    const std::string what = "cannot look up a time in topic " + topic.name;
    const RdPartitions list = partition_list(topic, timestamp_ms);
    const auto code =
        rd_kafka_offsets_for_times(parts_->handle.get(), list.get(), parts_->timeout_ms());
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return rd_error(code, what);
    const auto ends = offsets(topic);
    if (!ends) return ends.error();
    std::vector<std::pair<std::int32_t, std::int64_t>> found;
    for (int i = 0; i < list->cnt; ++i) {
        const rd_kafka_topic_partition_t& partition = list->elems[i];
        if (partition.err != RD_KAFKA_RESP_ERR_NO_ERROR) return rd_error(partition.err, what);
        std::int64_t offset = partition.offset;
        if (offset < 0)
            offset =
                std::ranges::find(*ends, partition.partition, &PartitionOffsets::partition)->end;
        found.emplace_back(partition.partition, offset);
    }
    std::ranges::sort(found);
    return found;
}

}  // namespace walrus::client
