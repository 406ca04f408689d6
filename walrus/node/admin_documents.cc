#include "walrus/node/admin_documents.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "walrus/base/version.h"
#include "walrus/broker/batch_cursor.h"
#include "walrus/node/admin_json.h"
#include "walrus/protocol/record_reader.h"
#include "walrus/protocol/utf8.h"

namespace walrus::node {
namespace {

using Json = nlohmann::ordered_json;

Json partition_json(const broker::PartitionInfo& partition) {
    return {
        {"partition", partition.index},
        {"leader", partition.leader},
        {"leader_epoch", partition.leader_epoch},
        {"replicas", partition.replicas},
        {"in_sync", partition.in_sync},
        {"log_start_offset", partition.log_start_offset.value},
        {"high_watermark", partition.high_watermark.value},
        {"log_end_offset", partition.log_end_offset.value},
        {"size_bytes", partition.size_bytes},
    };
}

Json topic_summary(const broker::TopicDescription& topic) {
    std::uint64_t records = 0;
    std::uint64_t size_bytes = 0;
    Json partitions = Json::array();
    for (const broker::PartitionInfo& partition : topic.partitions) {
        records += partition.high_watermark - partition.log_start_offset;
        size_bytes += partition.size_bytes;
        partitions.push_back(partition_json(partition));
    }
    return {{"name", topic.spec.name},
            {"records", records},
            {"size_bytes", size_bytes},
            {"partitions", std::move(partitions)}};
}

Json lag_json(const AdminSource& source, const broker::OffsetCommit& commit) {
    Json json = {{"topic", commit.topic},
                 {"partition", commit.partition},
                 {"offset", commit.committed.offset.value},
                 {"commit_time_ms", commit.committed.commit_time_ms}};
    const broker::Partition* partition = source.broker->find(commit.topic, commit.partition);
    if (partition == nullptr) return json;
    const Offset end = partition->info().high_watermark;
    json["high_watermark"] = end.value;
    json["lag"] = end > commit.committed.offset ? end - commit.committed.offset : 0;
    return json;
}

// What only a node that runs alone counts.
Json local_json(const broker::LocalBroker& local) {
    const broker::BrokerCounters counters = local.counters();
    Json logs = Json::array();
    for (const broker::LogStats& log : local.logs())
        logs.push_back({{"name", log.name},
                        {"backend", log.stats.backend},
                        {"written_bytes", log.stats.written_bytes},
                        {"syncs", log.stats.syncs}});
    return {{"topics", counters.topics},
            {"partitions", counters.partitions},
            {"produced",
             {{"batches", counters.appends},
              {"records", counters.append_records},
              {"bytes", counters.append_bytes},
              {"refused", counters.refused}}},
            {"fetched", {{"requests", counters.fetches}, {"bytes", counters.fetched_bytes}}},
            {"logs", std::move(logs)}};
}

// --- records ---

// Text as it is; anything else in hex.
Json bytes_json(const std::optional<Bytes>& bytes) {
    constexpr std::size_t kShown = 4096;
    if (!bytes) return nullptr;
    const bool is_cut = bytes->size() > kShown;
    const std::string_view text = as_text(*bytes);
    if (!is_cut && protocol::is_utf8(text)) return text;
    constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    for (const std::byte byte : bytes->first(std::min(bytes->size(), kShown))) {
        hex += kDigits[std::to_integer<unsigned>(byte) >> 4];
        hex += kDigits[std::to_integer<unsigned>(byte) & 15];
    }
    return {{"size_bytes", bytes->size()}, {"hex", hex}, {"cut", is_cut}};
}

Json record_json(const protocol::Record& record) {
    Json headers = Json::array();
    for (const protocol::RecordHeader& header : record.headers)
        headers.push_back({{"key", header.key}, {"value", bytes_json(header.value)}});
    return {{"offset", record.offset},
            {"timestamp_ms", record.timestamp_ms},
            {"key", bytes_json(record.key)},
            {"value", bytes_json(record.value)},
            {"headers", std::move(headers)}};
}

// Adds the records of a batch at or behind `offset` until there are `limit`.
Status add_records(const protocol::RecordBatchView& batch, const MessagesQuery& query,
                   Json& records) {
    auto reader = protocol::RecordReader::open(batch);
    if (!reader) return reader.error();
    protocol::Record record;
    while (records.size() < query.limit) {
        const auto found = reader->next(record);
        if (!found) return found.error();
        if (!*found) break;
        if (record.offset >= static_cast<std::int64_t>(query.offset))
            records.push_back(record_json(record));
    }
    return {};
}

Result<std::string> fetched_json(const MessagesQuery& query,
                                 const broker::FetchedBatches& fetched) {
    if (!fetched.status) return fetched.status.error();
    Json records = Json::array();
    broker::BatchCursor batches(fetched);
    while (records.size() < query.limit) {
        const auto batch = batches.next();
        if (!batch) return batch.error();
        if (!*batch) break;
        WALRUS_RETURN_IF_ERROR(add_records(**batch, query, records));
    }
    return json_document({{"topic", query.topic},
                          {"partition", query.partition},
                          {"log_start_offset", fetched.log_start_offset.value},
                          {"high_watermark", fetched.high_watermark.value},
                          {"records", std::move(records)}});
}

}  // namespace

std::string node_json(const AdminSource& source) {
    const broker::ClusterDescription cluster = source.broker->cluster();
    const ProcessFacts process = process_facts();
    Json doors = Json::array();
    for (const Door& door : source.doors)
        doors.push_back({{"name", door.name},
                         {"address", door.address},
                         {"connections", door.server->stats().connections},
                         {"requests", door.server->stats().requests}});
    const Config& config = source.config.config;
    Json json = {{"node_id", cluster.self},
                 {"cluster_id", cluster.cluster_id},
                 {"version", kVersion},
                 {"commit", build_commit()},
                 {"up_ms", source.loop->now_ms() - source.started_ms},
                 {"data_dir", config.node_dir()},
                 {"durability", wal::durability_class_name(config.durability)},
                 {"is_draining", source.is_draining},
                 {"doors", std::move(doors)},
                 {"process",
                  {{"resident_bytes", process.resident_bytes},
                   {"cpu_seconds", process.cpu_seconds},
                   {"threads", process.threads},
                   {"open_fds", process.open_fds},
                   {"max_fds", process.max_fds}}},
                 {"disk_free_bytes", free_disk_bytes(config.node_dir())}};
    if (source.local != nullptr) json.update(local_json(*source.local));
    return json_document(json);
}

std::string topics_json(const AdminSource& source) {
    Json topics = Json::array();
    for (const std::string& name : source.broker->topic_names())
        if (const auto topic = source.broker->describe(name); topic)
            topics.push_back(topic_summary(*topic));
    return json_document({{"topics", std::move(topics)}});
}

Result<std::string> topic_json(const AdminSource& source, std::string_view topic) {
    const auto description = source.broker->describe(topic);
    if (!description) return description.error();
    Json json = topic_summary(*description);
    Json configs = Json::object();
    for (const broker::ConfigEntry& entry : description->spec.configs)
        configs[entry.name] = {{"value", entry.value}, {"is_default", entry.is_default}};
    json["configs"] = std::move(configs);
    return json_document(json);
}

std::string groups_json(const AdminSource& source) {
    Json groups = Json::array();
    for (const std::string& group : source.offsets->groups()) {
        Json offsets = Json::array();
        std::uint64_t lag = 0;
        for (const broker::OffsetCommit& commit : source.offsets->of_group(group)) {
            offsets.push_back(lag_json(source, commit));
            lag += offsets.back().value("lag", std::uint64_t{0});
        }
        groups.push_back({{"group", group},
                          {"is_shared_cursor", group.empty()},
                          {"lag", lag},
                          {"offsets", std::move(offsets)}});
    }
    return json_document({{"groups", std::move(groups)}});
}

std::string config_json(const AdminSource& source) {
    Json json = Json::object();
    for (const Setting& setting : settings()) {
        const auto origin = source.config.origins.find(setting.name);
        json[std::string(setting.name)] = {
            {"value", setting.show(source.config.config)},
            {"origin", origin == source.config.origins.end() ? "default" : origin->second}};
    }
    return json_document(json);
}

std::string version_json() {
    return json_document({{"name", "walrusd"},
                          {"version", kVersion},
                          {"commit", build_commit()},
                          {"compiler", "gcc " __VERSION__}});
}

std::string error_json(std::string_view message) {
    return json_document({{"error", message}});
}

Readiness readiness(const AdminSource& source) {
    // The disk is no reason to send clients away: reads go on when it is full.
    const std::string accepting = source.is_draining ? "draining: no new requests" : "ok";
    const std::string missing = source.not_ready();
    const Json checks = {{"loop", "ok"},
                         {"storage", "ok: recovered"},
                         {"cluster", source.member == nullptr ? "ok: none, this node runs alone"
                                     : missing.empty()        ? "ok: registered"
                                                              : missing},
                         {"accepting", accepting}};
    const bool is_ready = !source.is_draining && missing.empty();
    const Json document = {{"status", is_ready ? "ready" : "not ready"}, {"checks", checks}};
    return {is_ready, json_document(document)};
}

void messages_json(const AdminSource& source, const MessagesQuery& query, JsonCallback done) {
    broker::Partition* partition = source.broker->find(query.topic, query.partition);
    if (partition == nullptr)
        return done(Error{Errc::kNotFound, "topic '" + query.topic + "' or partition not found"});
    constexpr std::uint64_t kFetchBytes = 1 << 20;
    partition->fetch(Offset{query.offset}, kFetchBytes,
                     [query, done = std::move(done)](const broker::FetchedBatches& fetched) {
                         done(fetched_json(query, fetched));
                     });
}

}  // namespace walrus::node
