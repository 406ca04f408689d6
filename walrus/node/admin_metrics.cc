// Prometheus' text exposition.  Names: app prefix, base units, _total for what only grows.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "walrus/base/version.h"
#include "walrus/node/admin_documents.h"
#include "walrus/node/cluster_facts.h"

namespace walrus::node {
namespace {

using Labels = std::vector<std::pair<std::string_view, std::string>>;

class Exposition {
public:
    void family(std::string_view name, std::string_view type, std::string_view help) {
        name_ = name;
        fmt::format_to(std::back_inserter(text_), "# HELP {0} {2}\n# TYPE {0} {1}\n", name, type,
                       help);
    }
    template <class Value>
    void sample(const Labels& labels, Value value, std::string_view suffix = "") {
        text_ += name_;
        text_ += suffix;
        for (std::size_t i = 0; i < labels.size(); ++i)
            fmt::format_to(std::back_inserter(text_), "{}{}=\"{}\"", i == 0 ? '{' : ',',
                           labels[i].first, escaped(labels[i].second));
        fmt::format_to(std::back_inserter(text_), "{} {}\n", labels.empty() ? "" : "}", value);
    }
    // A family with one sample.
    template <class Value>
    void one(std::string_view name, std::string_view type, std::string_view help, Value value) {
        family(name, type, help);
        sample({}, value);
    }
    void histogram(std::string_view name, std::string_view help,
                   const broker::LatencyHistogram& histogram) {
        family(name, "histogram", help);
        std::uint64_t below = 0;
        for (std::size_t i = 0; i + 1 < broker::LatencyHistogram::kBuckets; ++i) {
            below += histogram.in_bucket(i);
            const double bound = static_cast<double>(histogram.bound_us(i)) / 1e6;
            sample({{"le", fmt::format("{}", bound)}}, below, "_bucket");
        }
        sample({{"le", "+Inf"}}, histogram.count(), "_bucket");
        sample({}, static_cast<double>(histogram.sum_ns()) / 1e9, "_sum");
        sample({}, histogram.count(), "_count");
    }
    std::string take() { return std::move(text_); }

private:
    static std::string escaped(std::string_view value) {
        std::string out;
        for (const char c : value) {
            if (c == '\n') {
                out += "\\n";
                continue;
            }
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
        return out;
    }

    std::string text_;
    std::string name_;
};

constexpr std::string_view kCounter = "counter";
constexpr std::string_view kGauge = "gauge";

void add_node(const AdminSource& source, Exposition& out) {
    out.family("walrus_build_info", kGauge, "Always 1; the labels say what runs.");
    out.sample({{"version", std::string(kVersion)}, {"commit", std::string(build_commit())}}, 1);
    out.one("walrus_up_seconds", kGauge, "Time since the start.",
            static_cast<double>(source.loop->now_ms() - source.started_ms) / 1000);
    out.one("walrus_draining", kGauge, "1 while the server is being stopped.",
            source.is_draining ? 1 : 0);
    out.one("walrus_disk_free_bytes", kGauge, "Free space of the data directory's file system.",
            free_disk_bytes(source.config.config.node_dir()));
}

void add_produce(const broker::BrokerCounters& counters, Exposition& out) {
    out.family("walrus_produce_requests_total", kCounter, "Batches by what became of them.");
    out.sample({{"result", "appended"}}, counters.appends);
    out.sample({{"result", "duplicate"}}, counters.duplicates);
    out.sample({{"result", "refused"}}, counters.refused);
    out.histogram("walrus_produce_duration_seconds", "From a batch to its acknowledgement.",
                  counters.append_latency);
    out.one("walrus_append_bytes_total", kCounter, "Bytes of appended batches.",
            counters.append_bytes);
    out.one("walrus_append_records_total", kCounter, "Records of appended batches.",
            counters.append_records);
    out.one("walrus_append_waits_total", kCounter, "Batches that waited for room in the log.",
            counters.appends_waited);
    out.one("walrus_fetches_total", kCounter, "Reads of batches.", counters.fetches);
    out.one("walrus_fetch_bytes_total", kCounter, "Bytes of batches read.", counters.fetched_bytes);
    out.one("walrus_cold_fetches_total", kCounter, "Reads that went to the disk.",
            counters.cold_fetches);
    out.one("walrus_topics", kGauge, "Topics.", counters.topics);
    out.one("walrus_partitions", kGauge, "Partitions of all topics.", counters.partitions);
}

void add_logs(const std::vector<broker::LogStats>& logs, Exposition& out) {
    const auto each = [&](std::string_view name, std::string_view help, auto member) {
        out.family(name, kCounter, help);
        for (const broker::LogStats& log : logs) out.sample({{"log", log.name}}, log.stats.*member);
    };
    using S = wal::Stats;
    each("walrus_log_written_bytes_total", "Bytes handed to log files.", &S::written_bytes);
    each("walrus_log_writes_total", "Transfers to log files.", &S::writes);
    each("walrus_fsyncs_total", "Durable transfers and syncs of log files.", &S::syncs);
    each("walrus_ring_waits_total", "Appends that waited for ring space.", &S::ring_waits);
    out.family("walrus_group_commit_batch_records", "summary", "Records of one commit group.");
    for (const broker::LogStats& log : logs) {
        out.sample({{"log", log.name}}, log.stats.records, "_sum");
        out.sample({{"log", log.name}}, log.stats.groups, "_count");
    }
}

void add_syncs(const SyncTimes::Totals& syncs, Exposition& out) {
    out.histogram("walrus_fsync_duration_seconds", "Durable writes and syncs of files.",
                  syncs.durations);
    out.one("walrus_fsync_errors_total", kCounter, "Of them, those that failed.", syncs.errors);
}

void add_topics(const AdminSource& source, Exposition& out) {
    std::vector<std::pair<Labels, broker::PartitionInfo>> partitions;
    for (const std::string& name : source.broker->topic_names())
        if (const auto topic = source.broker->describe(name); topic)
            for (const broker::PartitionInfo& info : topic->partitions)
                partitions.emplace_back(
                    Labels{{"topic", name}, {"partition", std::to_string(info.index)}}, info);
    out.family("walrus_topic_start_offset", kGauge, "First kept offset.");
    for (const auto& [labels, info] : partitions) out.sample(labels, info.log_start_offset.value);
    out.family("walrus_topic_end_offset", kGauge, "One past the last readable offset.");
    for (const auto& [labels, info] : partitions) out.sample(labels, info.high_watermark.value);
    out.family("walrus_topic_size_bytes", kGauge, "Bytes kept.");
    for (const auto& [labels, info] : partitions) out.sample(labels, info.size_bytes);
}

struct GroupLag {
    std::string group;
    std::uint64_t most = 0;
    std::uint64_t sum = 0;
    double idle_seconds = 0;
};

void add_groups(const AdminSource& source, Exposition& out) {
    out.family("walrus_consumer_lag_records", kGauge, "Records that a group has not read.");
    std::vector<GroupLag> groups;
    const std::uint64_t now_ms = source.loop->wall_ms();
    for (const std::string& name : source.offsets->groups()) {
        GroupLag& group = groups.emplace_back(GroupLag{.group = name});
        std::uint64_t last_commit_ms = 0;
        for (const broker::OffsetCommit& commit : source.offsets->of_group(name)) {
            last_commit_ms = std::max(last_commit_ms, commit.committed.commit_time_ms);
            const broker::Partition* partition =
                source.broker->find(commit.topic, commit.partition);
            if (partition == nullptr) continue;
            const Offset end = partition->info().high_watermark;
            const std::uint64_t lag =
                end > commit.committed.offset ? end - commit.committed.offset : 0;
            out.sample({{"group", name},
                        {"topic", commit.topic},
                        {"partition", std::to_string(commit.partition)}},
                       lag);
            group.most = std::max(group.most, lag);
            group.sum += lag;
        }
        if (now_ms > last_commit_ms)
            group.idle_seconds = static_cast<double>(now_ms - last_commit_ms) / 1000;
    }
    out.family("walrus_consumer_lag_max", kGauge, "The largest lag of a group's partitions.");
    for (const GroupLag& group : groups) out.sample({{"group", group.group}}, group.most);
    out.family("walrus_consumer_lag_sum", kGauge, "Lag of all partitions of a group.");
    for (const GroupLag& group : groups) out.sample({{"group", group.group}}, group.sum);
    out.family("walrus_consumer_idle_seconds", kGauge, "Time since a group's last commit.");
    for (const GroupLag& group : groups) out.sample({{"group", group.group}}, group.idle_seconds);
}

void add_doors(const AdminSource& source, Exposition& out) {
    const auto each = [&](std::string_view name, std::string_view type, std::string_view help,
                          auto member) {
        out.family(name, type, help);
        for (const Door& door : source.doors)
            out.sample({{"door", door.name}}, door.server->stats().*member);
    };
    using S = net::ServerStats;
    each("walrus_connections", kGauge, "Open connections.", &S::connections);
    each("walrus_connections_accepted_total", kCounter, "Accepted connections.", &S::accepted);
    each("walrus_connections_refused_total", kCounter, "Connections beyond the limit.",
         &S::refused);
    each("walrus_connections_idle_closed_total", kCounter, "Closed for their silence.",
         &S::closed_idle);
    each("walrus_requests_total", kCounter, "Requests.", &S::requests);
    each("walrus_received_bytes_total", kCounter, "Bytes received.", &S::received_bytes);
    each("walrus_sent_bytes_total", kCounter, "Bytes sent.", &S::sent_bytes);
    if (source.text == nullptr) return;
    const TextCounters& text = source.text->counters();
    out.family("walrus_text_commands_total", kCounter, "Commands of the text protocol.");
    const std::pair<const char*, std::uint64_t> commands[] = {
        {"REGISTER", text.registers}, {"PUT", text.puts},        {"GET", text.gets},
        {"STATE", text.states},       {"METRICS", text.metrics}, {"refused", text.refused}};
    for (const auto& [command, count] : commands) out.sample({{"command", command}}, count);
}

void add_cluster(const AdminSource& source, Exposition& out) {
    const member::ClusterMember& member = *source.member;
    const auto log = member.metadata_facts();
    const ClusterFacts facts = cluster_facts(member);
    const bool is_controller = member.controller() == member.identity().node;
    out.one("walrus_raft_term", kGauge, "Term of the metadata log.", log.term);
    out.one("walrus_raft_commit_index", kGauge, "Last committed entry.", log.commit_index);
    out.one("walrus_raft_applied_index", kGauge, "Last applied entry.", log.applied_index);
    out.one("walrus_is_controller", kGauge, "1 on the node that leads the metadata log.",
            is_controller ? 1 : 0);
    out.one("walrus_raft_leader", kGauge, "Node that leads the metadata log; 0: none is known.",
            member.controller());
    out.one("walrus_nodes", kGauge, "Nodes of the cluster.", facts.nodes);
    out.one("walrus_live_nodes", kGauge, "Of them, those that serve.", facts.live_nodes);
    out.one("walrus_topics", kGauge, "Topics.", facts.topics);
    out.one("walrus_segments", kGauge, "Segments of all topics.", facts.segments);
    out.one("walrus_segments_led", kGauge, "Open segments that this node leads.",
            facts.segments_led);
    out.one("walrus_under_replicated_segments", kGauge, "Segments with too few live copies.",
            facts.under_replicated);
    out.one("walrus_topics_without_leader", kGauge, "Topics that nobody can append to now.",
            facts.without_leader);
    const net::PeerStats& peers = source.transport->stats();
    out.one("walrus_peer_sent_frames_total", kCounter, "Frames to other nodes.", peers.sent_frames);
    out.one("walrus_peer_received_frames_total", kCounter, "Frames of other nodes.",
            peers.received_frames);
    out.one("walrus_peer_sent_bytes_total", kCounter, "Bytes to other nodes.", peers.sent_bytes);
    out.one("walrus_peer_received_bytes_total", kCounter, "Bytes of other nodes.",
            peers.received_bytes);
    out.family("walrus_peer_dropped_frames_total", kCounter, "Frames that were not sent.");
    out.sample({{"reason", "unconnected"}}, peers.dropped_unconnected);
    out.sample({{"reason", "full"}}, peers.dropped_full);
    out.one("walrus_peer_disconnects_total", kCounter, "Lost connections to other nodes.",
            peers.disconnects);
    out.family("walrus_peer_connected", kGauge, "1 for each node that frames can be sent to.");
    for (const net::PeerStatus& peer : source.transport->peers())
        out.sample({{"node", std::to_string(peer.peer)}}, peer.is_connected ? 1 : 0);
}

void add_process(Exposition& out) {
    const ProcessFacts process = process_facts();
    out.one("process_cpu_seconds_total", kCounter, "CPU time.", process.cpu_seconds);
    out.one("process_start_time_seconds", kGauge, "Start, since 1970.", process.start_time_seconds);
    out.one("process_resident_memory_bytes", kGauge, "Resident memory.", process.resident_bytes);
    out.one("process_virtual_memory_bytes", kGauge, "Virtual memory.", process.virtual_bytes);
    out.one("process_threads", kGauge, "Threads.", process.threads);
    out.one("process_open_fds", kGauge, "Open file descriptors.", process.open_fds);
    out.one("process_max_fds", kGauge, "Most file descriptors.", process.max_fds);
}

}  // namespace

std::string metrics_text(const AdminSource& source) {
    Exposition out;
    add_node(source, out);
    if (source.local != nullptr) {
        add_produce(source.local->counters(), out);
        add_logs(source.local->logs(), out);
    }
    if (source.member != nullptr) add_cluster(source, out);
    if (source.syncs != nullptr) add_syncs(source.syncs->totals(), out);
    add_topics(source, out);
    add_groups(source, out);
    add_doors(source, out);
    add_process(out);
    return out.take();
}

}  // namespace walrus::node
