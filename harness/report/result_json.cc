#include "harness/report/result_json.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "harness/scenario/scenario_json.h"

namespace walrus::harness {
namespace {

using nlohmann::json;

// Buckets as "index:count index:count ...": short, and one line in a file people read.
std::string buckets_text(const Histogram& histogram) {
    std::string text;
    for (const auto& [index, count] : histogram.buckets()) {
        if (!text.empty()) text += ' ';
        text += fmt::format("{}:{}", index, count);
    }
    return text;
}

[[noreturn]] void reject(const std::string& what) {
    throw json::other_error::create(600, what, nullptr);
}

std::vector<Histogram::Bucket> parse_buckets(std::string_view text) {
    std::vector<Histogram::Bucket> buckets;
    while (!text.empty()) {
        const std::string_view item = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(text.size(), item.size() + 1));
        Histogram::Bucket bucket;
        const char* end = item.data() + item.size();
        const auto index = std::from_chars(item.data(), end, bucket.first);
        if (index.ec != std::errc{} || index.ptr == end || *index.ptr != ':') {
            reject("histogram: a bucket is not index:count");
        }
        const auto count = std::from_chars(index.ptr + 1, end, bucket.second);
        if (count.ec != std::errc{} || count.ptr != end) {
            reject("histogram: a bucket is not index:count");
        }
        buckets.push_back(bucket);
    }
    return buckets;
}

json device_json(const DeviceCounters& device) {
    return {{"reads", device.reads},       {"read_bytes", device.read_bytes},
            {"writes", device.writes},     {"written_bytes", device.written_bytes},
            {"discards", device.discards}, {"flushes", device.flushes}};
}

DeviceCounters device_from(const json& document) {
    return {.reads = document.at("reads"),
            .read_bytes = document.at("read_bytes"),
            .writes = document.at("writes"),
            .written_bytes = document.at("written_bytes"),
            .discards = document.at("discards"),
            .flushes = document.at("flushes")};
}

json sync_calls_json(const SyncCalls& calls) {
    return {{"fsync", calls.fsync},
            {"fdatasync", calls.fdatasync},
            {"synced_writes", calls.synced_writes},
            {"other", calls.other}};
}

SyncCalls sync_calls_from(const json& document) {
    return {.fsync = document.at("fsync"),
            .fdatasync = document.at("fdatasync"),
            .synced_writes = document.at("synced_writes"),
            .other = document.at("other")};
}

// A key that was added after the first version of the schema.
template <class Value>
void get_optional(const json& document, const char* key, Value& value) {
    if (const auto found = document.find(key); found != document.end()) found->get_to(value);
}

json repetition_json(const Repetition& repetition) {
    json document = {{"round", repetition.round},       {"attempt", repetition.attempt},
                     {"position", repetition.position}, {"seed", repetition.seed},
                     {"error", repetition.error},       {"disturbance", repetition.disturbance},
                     {"rejected", repetition.rejected}, {"warnings", repetition.warnings},
                     {"checked", repetition.checked},   {"write", repetition.write}};
    if (repetition.floor.measured()) document["floor"] = repetition.floor;
    if (repetition.read.readers > 0) document["read"] = repetition.read;
    if (repetition.checked) document["read_back"] = repetition.read_back;
    return document;
}

Repetition repetition_from(const json& document) {
    Repetition repetition;
    document.at("round").get_to(repetition.round);
    document.at("position").get_to(repetition.position);
    document.at("seed").get_to(repetition.seed);
    document.at("error").get_to(repetition.error);
    document.at("disturbance").get_to(repetition.disturbance);
    document.at("checked").get_to(repetition.checked);
    get_optional(document, "attempt", repetition.attempt);
    get_optional(document, "rejected", repetition.rejected);
    get_optional(document, "warnings", repetition.warnings);
    get_optional(document, "floor", repetition.floor);
    get_optional(document, "read", repetition.read);
    document.at("write").get_to(repetition.write);
    if (repetition.checked) document.at("read_back").get_to(repetition.read_back);
    return repetition;
}

json system_json(const SystemResult& system) {
    json repetitions = json::array();
    for (const Repetition& repetition : system.repetitions) {
        repetitions.push_back(repetition_json(repetition));
    }
    return {{"system", system.system},
            {"level", level_name(system.level)},
            {"skipped", system.skipped},
            {"no_verdict", system.no_verdict},
            {"repetitions", repetitions}};
}

SystemResult system_from(const json& document) {
    SystemResult system;
    document.at("system").get_to(system.system);
    document.at("skipped").get_to(system.skipped);
    get_optional(document, "no_verdict", system.no_verdict);
    std::string level;
    get_optional(document, "level", level);
    if (level == level_name(Level::kServer)) system.level = Level::kServer;
    for (const json& repetition : document.at("repetitions")) {
        system.repetitions.push_back(repetition_from(repetition));
    }
    return system;
}

json step_json(const SearchStep& step) {
    return {{"rate_per_s", step.rate_per_s}, {"achieved_per_s", step.achieved_per_s},
            {"p99_ns", step.p99_ns},         {"lag_ns", step.lag_ns},
            {"backlog", step.backlog},       {"backlog_growth", step.backlog_growth},
            {"sustained", step.sustained},   {"confirms", step.confirms},
            {"latency_ns", step.latency_ns}};
}

SearchStep step_from(const json& document) {
    SearchStep step;
    document.at("rate_per_s").get_to(step.rate_per_s);
    document.at("achieved_per_s").get_to(step.achieved_per_s);
    document.at("p99_ns").get_to(step.p99_ns);
    document.at("lag_ns").get_to(step.lag_ns);
    document.at("backlog").get_to(step.backlog);
    document.at("backlog_growth").get_to(step.backlog_growth);
    document.at("sustained").get_to(step.sustained);
    document.at("confirms").get_to(step.confirms);
    document.at("latency_ns").get_to(step.latency_ns);
    return step;
}

// What only some loads have.
void add_open_loop(json& document, const WriteFigures& figures) {
    document["offered_rate_per_s"] = figures.offered_rate_per_s;
    document["delay_ns"] = figures.delay_ns;
    document["service_ns"] = figures.service_ns;
    document["late_after_ns"] = figures.late_after_ns;
    document["late_sends"] = figures.late_sends;
    document["unsent_at_end"] = figures.unsent_at_end;
}

void add_search(json& document, const WriteFigures& figures) {
    json steps = json::array();
    for (const SearchStep& step : figures.search) steps.push_back(step_json(step));
    document["search"] = steps;
    document["sustained_rate_per_s"] = figures.sustained_rate_per_s;
}

void get_added_write_figures(const json& document, WriteFigures& figures) {
    get_optional(document, "series_p50_ns", figures.series_p50_ns);
    get_optional(document, "series_p99_ns", figures.series_p99_ns);
    get_optional(document, "series_max_ns", figures.series_max_ns);
    get_optional(document, "offered_rate_per_s", figures.offered_rate_per_s);
    get_optional(document, "delay_ns", figures.delay_ns);
    get_optional(document, "service_ns", figures.service_ns);
    get_optional(document, "late_after_ns", figures.late_after_ns);
    get_optional(document, "late_sends", figures.late_sends);
    get_optional(document, "unsent_at_end", figures.unsent_at_end);
    get_optional(document, "sent", figures.sent);
    get_optional(document, "failed", figures.failed);
    get_optional(document, "unknown", figures.unknown);
    get_optional(document, "in_flight_at_end", figures.in_flight_at_end);
    get_optional(document, "sustained_rate_per_s", figures.sustained_rate_per_s);
    if (!document.contains("search")) return;
    for (const json& step : document.at("search")) figures.search.push_back(step_from(step));
}

}  // namespace

void to_json(json& document, const Histogram& histogram) {
    document = {{"count", histogram.count()},
                {"min", histogram.min()},
                {"max", histogram.max()},
                {"sum", histogram.sum()},
                {"buckets", buckets_text(histogram)}};
}

void from_json(const json& document, Histogram& histogram) {
    const auto text = document.at("buckets").get<std::string>();
    const bool ok = histogram.restore(parse_buckets(text), document.at("min"), document.at("max"),
                                      document.at("sum"));
    if (!ok || histogram.count() != document.at("count").get<std::uint64_t>()) {
        reject("histogram: the buckets do not add up to the count");
    }
}

void to_json(json& document, const ActivityDelta& activity) {
    const Activity& total = activity.total;
    document = {{"elapsed_ns", activity.elapsed_ns},
                {"cpu_user_us", total.user_us},
                {"cpu_system_us", total.system_us},
                {"voluntary_switches", total.voluntary_switches},
                {"involuntary_switches", total.involuntary_switches},
                {"peak_rss_bytes", total.peak_rss_bytes},
                {"read_bytes", total.read_bytes},
                {"written_bytes", total.written_bytes},
                {"sync_calls", sync_calls_json(total.sync_calls)},
                {"machine_busy_us", total.busy_us},
                {"kernel_threads_us", total.kernel_threads_us},
                {"harness_us", total.ours_us},
                {"other_processes_us", total.others_us},
                {"other_io_bytes", total.others_io_bytes},
                {"steal_us", total.steal_us},
                {"cpu_pressure_us", total.cpu_pressure_us},
                {"io_pressure_us", total.io_pressure_us},
                {"memory_pressure_us", total.memory_pressure_us},
                {"other_cpu_share", activity.other_cpu_share},
                {"unexplained_cpu_share", activity.unexplained_cpu_share},
                {"steal_share", activity.steal_share},
                {"device", device_json(total.device)}};
}

void from_json(const json& document, ActivityDelta& activity) {
    Activity& total = activity.total;
    document.at("elapsed_ns").get_to(activity.elapsed_ns);
    document.at("cpu_user_us").get_to(total.user_us);
    document.at("cpu_system_us").get_to(total.system_us);
    document.at("voluntary_switches").get_to(total.voluntary_switches);
    document.at("involuntary_switches").get_to(total.involuntary_switches);
    document.at("peak_rss_bytes").get_to(total.peak_rss_bytes);
    document.at("machine_busy_us").get_to(total.busy_us);
    document.at("kernel_threads_us").get_to(total.kernel_threads_us);
    document.at("harness_us").get_to(total.ours_us);
    document.at("steal_us").get_to(total.steal_us);
    document.at("cpu_pressure_us").get_to(total.cpu_pressure_us);
    document.at("io_pressure_us").get_to(total.io_pressure_us);
    document.at("memory_pressure_us").get_to(total.memory_pressure_us);
    document.at("other_cpu_share").get_to(activity.other_cpu_share);
    document.at("steal_share").get_to(activity.steal_share);
    total.device = device_from(document.at("device"));
    get_optional(document, "read_bytes", total.read_bytes);
    get_optional(document, "written_bytes", total.written_bytes);
    get_optional(document, "other_processes_us", total.others_us);
    get_optional(document, "other_io_bytes", total.others_io_bytes);
    get_optional(document, "unexplained_cpu_share", activity.unexplained_cpu_share);
    if (document.contains("sync_calls")) {
        total.sync_calls = sync_calls_from(document.at("sync_calls"));
    }
}

void to_json(json& document, const Verdict& verdict) {
    json anomalies = json::object();
    for (std::size_t i = 0; i < verdict.anomalies.size(); ++i) {
        const Anomaly& anomaly = verdict.anomalies[i];
        if (anomaly.count == 0) continue;
        anomalies[std::string(anomaly_name(static_cast<AnomalyKind>(i)))] = {
            {"count", anomaly.count}, {"examples", anomaly.examples}};
    }
    document = {{"acknowledged", verdict.acknowledged},
                {"read", verdict.read},
                {"unknown_found", verdict.unknown_found},
                {"anomalies", anomalies}};
}

void from_json(const json& document, Verdict& verdict) {
    document.at("acknowledged").get_to(verdict.acknowledged);
    document.at("read").get_to(verdict.read);
    document.at("unknown_found").get_to(verdict.unknown_found);
    for (std::size_t i = 0; i < verdict.anomalies.size(); ++i) {
        const std::string name(anomaly_name(static_cast<AnomalyKind>(i)));
        if (!document.at("anomalies").contains(name)) continue;
        const json& anomaly = document.at("anomalies").at(name);
        anomaly.at("count").get_to(verdict.anomalies[i].count);
        anomaly.at("examples").get_to(verdict.anomalies[i].examples);
    }
}

void to_json(json& document, const WriteFigures& figures) {
    document = {{"open_ns", figures.open_ns},
                {"window_ns", figures.window_ns},
                {"appends", figures.appends},
                {"records", figures.records},
                {"latency_ns", figures.latency_ns},
                {"series_interval_ns", figures.series_interval_ns},
                {"series", figures.series},
                {"series_p50_ns", figures.series_p50_ns},
                {"series_p99_ns", figures.series_p99_ns},
                {"series_max_ns", figures.series_max_ns},
                {"sent", figures.sent},
                {"failed", figures.failed},
                {"unknown", figures.unknown},
                {"in_flight_at_end", figures.in_flight_at_end},
                {"activity", figures.activity},
                {"effective_config", figures.effective_config},
                {"counters", figures.counters},
                {"version", figures.version}};
    if (figures.offered_rate_per_s > 0) add_open_loop(document, figures);
    if (!figures.search.empty()) add_search(document, figures);
}

void from_json(const json& document, WriteFigures& figures) {
    document.at("open_ns").get_to(figures.open_ns);
    document.at("window_ns").get_to(figures.window_ns);
    document.at("appends").get_to(figures.appends);
    document.at("records").get_to(figures.records);
    document.at("latency_ns").get_to(figures.latency_ns);
    document.at("series_interval_ns").get_to(figures.series_interval_ns);
    document.at("series").get_to(figures.series);
    document.at("activity").get_to(figures.activity);
    document.at("effective_config").get_to(figures.effective_config);
    document.at("counters").get_to(figures.counters);
    document.at("version").get_to(figures.version);
    get_added_write_figures(document, figures);
}

void to_json(json& document, const ReadFigures& figures) {
    document = {{"readers", figures.readers},
                {"backlog_records", figures.backlog_records},
                {"backlog_bytes", figures.backlog_bytes},
                {"ns", figures.ns},
                {"caught_up", figures.caught_up},
                {"records", figures.records},
                {"bytes", figures.bytes},
                {"latency_ns", figures.latency_ns},
                {"series_interval_ns", figures.series_interval_ns},
                {"series", figures.series},
                {"backlog", figures.backlog}};
}

void from_json(const json& document, ReadFigures& figures) {
    document.at("readers").get_to(figures.readers);
    document.at("backlog_records").get_to(figures.backlog_records);
    document.at("backlog_bytes").get_to(figures.backlog_bytes);
    document.at("ns").get_to(figures.ns);
    document.at("caught_up").get_to(figures.caught_up);
    document.at("records").get_to(figures.records);
    document.at("bytes").get_to(figures.bytes);
    document.at("latency_ns").get_to(figures.latency_ns);
    document.at("series_interval_ns").get_to(figures.series_interval_ns);
    document.at("series").get_to(figures.series);
    document.at("backlog").get_to(figures.backlog);
}

void to_json(json& document, const FloorResult& floor) {
    document = {{"overwrite_ns", floor.overwrite_ns}, {"append_ns", floor.append_ns}};
}

void from_json(const json& document, FloorResult& floor) {
    document.at("overwrite_ns").get_to(floor.overwrite_ns);
    document.at("append_ns").get_to(floor.append_ns);
}

void to_json(json& document, const ReadBackFigures& figures) {
    document = {{"open_ns", figures.open_ns},           {"verdict", figures.verdict},
                {"scan_bytes", figures.scan_bytes},     {"scan_ns", figures.scan_ns},
                {"plain_bytes", figures.plain_bytes},   {"plain_ns", figures.plain_ns},
                {"memory_state", figures.memory_state}, {"activity", figures.activity}};
}

void from_json(const json& document, ReadBackFigures& figures) {
    document.at("open_ns").get_to(figures.open_ns);
    document.at("verdict").get_to(figures.verdict);
    document.at("scan_bytes").get_to(figures.scan_bytes);
    document.at("scan_ns").get_to(figures.scan_ns);
    document.at("plain_bytes").get_to(figures.plain_bytes);
    document.at("plain_ns").get_to(figures.plain_ns);
    document.at("memory_state").get_to(figures.memory_state);
    get_optional(document, "activity", figures.activity);
}

void to_json(json& document, const RunResult& result) {
    json rows = json::array();
    for (const RowResult& row : result.rows) {
        json systems = json::array();
        for (const SystemResult& system : row.systems) systems.push_back(system_json(system));
        rows.push_back({{"row", row.row}, {"systems", systems}});
    }
    document = {{"schema", kResultSchema},
                {"run",
                 {{"uuid", result.uuid},
                  {"started_at", result.started_at},
                  {"finished_at", result.finished_at},
                  {"revision", result.revision},
                  {"command_line", result.command_line},
                  {"quick", result.quick},
                  {"complete", result.complete},
                  {"notes", result.notes}}},
                {"host", result.host},
                {"scenario", result.scenario},
                {"floor", result.floor},
                {"rows", rows}};
}

void from_json(const json& document, RunResult& result) {
    if (document.at("schema").get<std::string>() != kResultSchema) {
        reject(fmt::format("schema is not {}", kResultSchema));
    }
    const json& run = document.at("run");
    run.at("uuid").get_to(result.uuid);
    run.at("started_at").get_to(result.started_at);
    run.at("finished_at").get_to(result.finished_at);
    run.at("revision").get_to(result.revision);
    run.at("command_line").get_to(result.command_line);
    run.at("quick").get_to(result.quick);
    run.at("complete").get_to(result.complete);
    run.at("notes").get_to(result.notes);
    document.at("host").get_to(result.host);
    document.at("scenario").get_to(result.scenario);
    document.at("floor").get_to(result.floor);
    for (const json& row : document.at("rows")) {
        RowResult& added = result.rows.emplace_back();
        row.at("row").get_to(added.row);
        for (const json& system : row.at("systems")) {
            added.systems.push_back(system_from(system));
        }
    }
}

Result<RunResult> parse_result(const std::string& text) {
    try {
        return json::parse(text).get<RunResult>();
    } catch (const json::exception& error) {
        return Error{Errc::kCorruption, fmt::format("result.json: {}", error.what())};
    }
}

}  // namespace walrus::harness
