// The larger foreign formats: OpenMessaging Benchmark, google/benchmark, HdrHistogram.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "harness/report/export_common.h"

namespace walrus::harness {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr double kNsPerUs = 1e3;
constexpr double kNsPerMs = 1e6;

double ms(double ns) {
    return ns / kNsPerMs;
}

// OpenMessaging's names of percentiles.
struct NamedQuantile {
    const char* name;
    double q;
};
constexpr NamedQuantile kQuantiles[] = {
    {"50pct", 0.5},    {"75pct", 0.75},     {"95pct", 0.95},      {"99pct", 0.99},
    {"999pct", 0.999}, {"9999pct", 0.9999}, {"99999pct", 0.99999}};

// Percentiles from 0 to the last one that the count can tell, in ever finer steps, then 100.
std::vector<double> percentile_steps(std::uint64_t count) {
    std::vector<double> percentiles;
    constexpr int kStepsPerHalving = 5;
    double rest = 100;
    while (rest * static_cast<double>(count) >= 100) {
        for (int step = 0; step < kStepsPerHalving; ++step) {
            percentiles.push_back(100 - rest + rest / 2 * step / kStepsPerHalving);
        }
        rest /= 2;
    }
    percentiles.push_back(100);
    return percentiles;
}

// Records per second of each interval: medians over the repetitions that count.
std::vector<double> median_rates(const SystemResult& system) {
    std::vector<std::vector<double>> intervals;
    for (const Repetition& repetition : system.repetitions) {
        const WriteFigures& write = repetition.write;
        if (!repetition.measured() || write.series_interval_ns == 0) continue;
        if (intervals.size() < write.series.size()) intervals.resize(write.series.size());
        for (std::size_t i = 0; i < write.series.size(); ++i) {
            intervals[i].push_back(static_cast<double>(write.series[i]) * kNsPerSecond /
                                   static_cast<double>(write.series_interval_ns));
        }
    }
    std::vector<double> medians;
    for (const auto& rates : intervals) medians.push_back(median(rates));
    return medians;
}

// One of the latency series, in milliseconds: medians over the repetitions that count.
std::vector<double> median_series(const SystemResult& system,
                                  std::vector<std::uint64_t> WriteFigures::*series) {
    std::vector<std::vector<double>> intervals;
    for (const Repetition& repetition : system.repetitions) {
        if (!repetition.measured()) continue;
        const auto& values = repetition.write.*series;
        if (intervals.size() < values.size()) intervals.resize(values.size());
        for (std::size_t i = 0; i < values.size(); ++i) {
            intervals[i].push_back(ms(static_cast<double>(values[i])));
        }
    }
    std::vector<double> medians;
    for (const auto& values : intervals) medians.push_back(median(values));
    return medians;
}

// "aggregatedPublishLatencyAvg" and its like.
void add_aggregate(ordered_json& document, const std::string& what, const Histogram& latency,
                   double unit_ns) {
    const std::string prefix = "aggregated" + what + "Latency";
    document[prefix + "Avg"] = latency.mean() / unit_ns;
    for (const auto& [name, q] : kQuantiles) {
        document[prefix + name] = static_cast<double>(latency.quantile(q)) / unit_ns;
    }
    document[prefix + "Max"] = static_cast<double>(latency.max()) / unit_ns;
    ordered_json& quantiles = document[prefix + "Quantiles"] = ordered_json::object();
    for (const double percentile : percentile_steps(latency.count())) {
        quantiles[fmt::format("{}", percentile)] =
            static_cast<double>(latency.quantile(percentile / 100)) / unit_ns;
    }
}

double standard_deviation(const Histogram& histogram) {
    double squares = 0;
    for (const auto& [index, count] : histogram.buckets()) {
        const auto [low, high] = Histogram::bucket_range(index);
        const double distance =
            (static_cast<double>(low) + static_cast<double>(high)) / 2 - histogram.mean();
        squares += distance * distance * static_cast<double>(count);
    }
    return histogram.count() == 0 ? 0 : std::sqrt(squares / static_cast<double>(histogram.count()));
}

json benchmark_entry(const Line& line, const Row& row, const Repetition& repetition,
                     std::uint32_t index) {
    const WriteFigures& write = repetition.write;
    const double figure = figure_of(row, repetition);
    const auto records = static_cast<double>(write.records);
    const double cpu_us = static_cast<double>(write.activity.total.user_us) +
                          static_cast<double>(write.activity.total.system_us);
    json entry = {{"name", export_line_name(line)},
                  {"run_name", export_line_name(line)},
                  {"run_type", "iteration"},
                  {"family_index", line.row_index},
                  {"per_family_instance_index", line.system_index},
                  {"repetitions", line.repetitions},
                  {"repetition_index", index},
                  {"threads", row.workload.writers},
                  {"iterations", write.records},
                  {"time_unit", "ns"},
                  {"label", fmt::format("class {}", durability_name(line.durability))}};
    const auto set_time = [&](double real_ns, double cpu_ns) {
        entry["real_time"] = real_ns;
        entry["cpu_time"] = cpu_ns;
    };
    if (line.measure == Measure::kRestart || line.measure == Measure::kScan) {
        const ReadBackFigures& read = repetition.read_back;
        const auto ns =
            static_cast<double>(line.measure == Measure::kScan ? read.scan_ns : read.open_ns);
        set_time(ns, ns);
        if (line.measure == Measure::kScan) entry["bytes_per_second"] = figure;
        return entry;
    }
    // Time per record, so that less is better as everywhere in that format.
    set_time(figure > 0 ? kNsPerSecond / figure : 0, records > 0 ? cpu_us * 1000 / records : 0);
    entry["items_per_second"] = figure;
    entry["bytes_per_second"] = figure * static_cast<double>(mean_payload_bytes(row.workload));
    if (has_append_latency(line.measure)) {
        entry["p50_ns"] = write.latency_ns.quantile(0.5);
        entry["p99_ns"] = write.latency_ns.quantile(0.99);
    }
    return entry;
}

std::uint64_t fact_number(const RunResult& result, const char* name) {
    const auto found = result.host.find(name);
    return found == result.host.end() ? 0 : std::strtoull(found->second.c_str(), nullptr, 10);
}

}  // namespace

std::string export_open_messaging(const RunResult& result, const Line& line) {
    const SystemResult& system = system_of(result, line);
    const Workload& workload = result.rows[line.row_index].row.workload;
    ordered_json document = {
        {"workload", fmt::format("{} (class {})", line.row, durability_name(line.durability))},
        {"driver", line.system},
        {"messageSize", mean_payload_bytes(workload)},
        {"topics", workload.topics},
        {"partitions", 1},
        {"producersPerTopic", std::max(1U, workload.writers / std::max(1U, workload.topics))},
        {"consumersPerTopic", workload.readers},
        {"publishRate", median_rates(system)}};
    document["publishErrorRate"] = std::vector<double>(document["publishRate"].size(), 0);
    document["consumeRate"] = json::array();
    document["backlog"] = json::array();
    document["publishLatency50pct"] = median_series(system, &WriteFigures::series_p50_ns);
    document["publishLatency99pct"] = median_series(system, &WriteFigures::series_p99_ns);
    document["publishLatencyMax"] = median_series(system, &WriteFigures::series_max_ns);
    // What OpenMessaging's charts look for, also when there is nothing to show.
    document["endToEndLatency99pct"] = json::array();
    document["aggregatedPublishDelayLatencyQuantiles"] = ordered_json::object();
    document["aggregatedEndToEndLatencyQuantiles"] = ordered_json::object();
    Histogram delay;
    Histogram end_to_end;
    for (const Repetition& repetition : system.repetitions) {
        if (!repetition.measured()) continue;
        delay.merge(repetition.write.delay_ns);
        end_to_end.merge(repetition.read.latency_ns);
    }
    add_aggregate(document, "Publish", merged_latency(system), kNsPerMs);
    // The publish delay is in microseconds there.
    if (delay.count() > 0) add_aggregate(document, "PublishDelay", delay, kNsPerUs);
    if (end_to_end.count() > 0) add_aggregate(document, "EndToEnd", end_to_end, kNsPerMs);
    return document.dump(2) + "\n";
}

std::string export_google_benchmark(const RunResult& result, const std::vector<Line>& lines) {
    json entries = json::array();
    for (const Line& line : lines) {
        if (!quotable(line)) continue;
        std::uint32_t index = 0;
        for (const Repetition& repetition : system_of(result, line).repetitions) {
            if (!repetition.measured()) continue;
            entries.push_back(
                benchmark_entry(line, result.rows[line.row_index].row, repetition, index++));
        }
    }
    const json document = {
        {"context",
         {{"date", result.started_at},
          {"host_name", result.host.contains("cpu_model") ? result.host.at("cpu_model") : ""},
          {"executable", "walrus-harness"},
          {"num_cpus", fact_number(result, "cpu_count")},
          {"mhz_per_cpu", 0},
          {"cpu_scaling_enabled", false},
          {"caches", json::array()},
          {"load_avg", json::array()},
          {"library_build_type", "release"},
          {"scenario", result.scenario.name},
          {"revision", result.revision}}},
        {"benchmarks", entries}};
    return document.dump(2) + "\n";
}

std::string export_hdr(const Histogram& latency_ns) {
    std::string text = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n";
    for (const double percentile : percentile_steps(latency_ns.count())) {
        const double q = percentile / 100;
        const std::uint64_t value = latency_ns.quantile(q);
        std::uint64_t below = 0;
        for (const auto& [index, count] : latency_ns.buckets()) {
            if (Histogram::bucket_range(index).first <= value) below += count;
        }
        text += fmt::format("{:12.6f} {:14.12f} {:10}", ms(static_cast<double>(value)), q, below);
        text += percentile < 100 ? fmt::format(" {:14.2f}\n", 1 / (1 - q)) : "\n";
    }
    const auto max = static_cast<double>(latency_ns.max());
    text += fmt::format("#[Mean    = {:12.6f}, StdDeviation   = {:12.6f}]\n", ms(latency_ns.mean()),
                        ms(standard_deviation(latency_ns)));
    text +=
        fmt::format("#[Max     = {:12.6f}, Total count    = {:12}]\n", ms(max), latency_ns.count());
    return text + "#[Buckets =           57, SubBuckets     =          128]\n";
}

}  // namespace walrus::harness
