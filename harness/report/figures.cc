#include "harness/report/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace walrus::harness {
namespace {

using nlohmann::json;

constexpr double kSameShare = 1e-12;

const char* figure_unit(Measure measure) {
    if (measure == Measure::kScan) return "B/s";
    return measure == Measure::kRestart ? "s" : "records/s";
}

// What the figure of a measure is computed from, below a repetition.
const char* figure_source(Measure measure) {
    switch (measure) {
        case Measure::kAppend:
        case Measure::kTail: return "/write/records";
        case Measure::kMaxRate: return "/write/sustained_rate_per_s";
        case Measure::kScan: return "/read_back/scan_bytes";
        case Measure::kRestart: return "/read_back/open_ns";
        case Measure::kCatchUp:
        case Measure::kDrain: return "/read/records";
    }
    return "";
}

json to_json_object(const std::vector<Figure>& figures) {
    json document = json::object();
    for (const Figure& figure : figures) {
        document[figure.name] = {
            {"value", figure.value}, {"unit", figure.unit}, {"source", figure.source}};
    }
    return document;
}

json line_json(const RunResult& result, const Line& line) {
    const RowResult& row = result.rows[line.row_index];
    json each = json::array();
    for (const Repetition& repetition : row.systems[line.system_index].repetitions) {
        each.push_back(repetition.measured() ? json(figure_of(row.row, repetition)) : json());
    }
    return {{"row", line.row},
            {"system", line.system},
            {"measure", measure_name(line.measure)},
            {"workload", line.workload},
            {"declared_class", durability_name(line.durability)},
            {"derived_class", line.derived_class},
            {"withheld", line.class_mismatch},
            {"skipped", line.skipped},
            {"baseline", line.baseline},
            {"is_baseline", line.is_baseline},
            {"verdict", judgement_name(line.judgement)},
            {"no_verdict", line.no_verdict},
            {"anomalies", line.anomaly_summary},
            {"warnings", line.warnings},
            {"figures", to_json_object(figures_of(line))},
            {"each_repetition", each}};
}

bool same_number(const json& a, const json& b) {
    if (!a.is_number_float() && !b.is_number_float()) return a == b;
    const auto left = a.get<double>();
    const auto right = b.get<double>();
    return left == right ||
           std::abs(left - right) <= kSameShare * std::max(std::abs(left), std::abs(right));
}

std::string shorten(const json& value) {
    constexpr std::size_t kShown = 60;
    std::string text = value.dump();
    return text.size() <= kShown ? text : text.substr(0, kShown) + "...";
}

void collect(const json& expected, const json& found, const std::string& at, std::size_t limit,
             std::vector<std::string>& differences) {
    if (differences.size() >= limit) return;
    const auto differ = [&](const std::string& where, const std::string& what) {
        if (differences.size() < limit) differences.push_back(where + ": " + what);
    };
    const std::string here = at.empty() ? "/" : at;
    if (expected.is_number() && found.is_number()) {
        if (!same_number(expected, found)) {
            differ(here,
                   fmt::format("is {}, computed again {}", shorten(found), shorten(expected)));
        }
    } else if (expected.is_object() && found.is_object()) {
        for (const auto& [key, value] : expected.items()) {
            if (found.contains(key)) {
                collect(value, found.at(key), at + "/" + key, limit, differences);
            } else {
                differ(at + "/" + key, "is missing");
            }
        }
        for (const auto& [key, value] : found.items()) {
            if (!expected.contains(key)) differ(at + "/" + key, "does not belong there");
        }
    } else if (expected.is_array() && found.is_array() && expected.size() == found.size()) {
        for (std::size_t i = 0; i < expected.size(); ++i) {
            collect(expected[i], found[i], fmt::format("{}/{}", at, i), limit, differences);
        }
    } else if (expected != found) {
        differ(here, fmt::format("is {}, computed again {}", shorten(found), shorten(expected)));
    }
}

}  // namespace

std::vector<Figure> figures_of(const Line& line) {
    if (line.repetitions == 0) return {};
    const std::string system =
        fmt::format("/rows/{}/systems/{}", line.row_index, line.system_index);
    const std::string each = system + "/repetitions/*";
    const std::string figure = each + figure_source(line.measure);
    const char* unit = figure_unit(line.measure);
    std::vector<Figure> figures = {
        {"figure", line.figure, unit, figure},
        {"lowest", line.lowest, unit, figure},
        {"highest", line.highest, unit, figure},
        {"repetitions", double(line.repetitions), "", system + "/repetitions"},
        {"failed", double(line.failed), "", each + "/error"},
        {"rejected", double(line.rejected), "", each + "/rejected"},
        {"disturbed", double(line.disturbed), "", each + "/disturbance"},
        {"records_checked", double(line.records_checked), "records",
         each + "/read_back/verdict/acknowledged"},
        {"anomalies", double(line.anomalies), "", each + "/read_back/verdict/anomalies"},
    };
    const auto add = [&](const char* name, double value, const char* of, const char* from) {
        figures.push_back({name, value, of, each + from});
    };
    if (has_append_latency(line.measure)) {
        add("p50_ns", double(line.p50_ns), "ns", "/write/latency_ns");
        add("p99_ns", double(line.p99_ns), "ns", "/write/latency_ns");
        add("p999_ns", double(line.p999_ns), "ns", "/write/latency_ns");
        add("flushes_per_append", line.flushes_per_append, "", "/write/activity/device/flushes");
        add("flushes_per_record", line.flushes_per_record, "", "/write/activity/device/flushes");
        if (line.p50_over_floor > 0) {
            add("p50_over_floor", line.p50_over_floor, "x", "/write/latency_ns");
            figures.push_back({"floor_p50_ns", double(line.floor_p50_ns), "ns",
                               line.own_floor ? each + "/floor" : "/floor"});
        }
    }
    if (line.offered_per_s > 0) {
        add("offered_per_s", double(line.offered_per_s), "records/s", "/write/offered_rate_per_s");
        add("delay_p99_ns", double(line.delay_p99_ns), "ns", "/write/delay_ns");
        add("late_share", line.late_share, "", "/write/late_sends");
    }
    if (line.measure == Measure::kTail) {
        add("read_p50_ns", double(line.read_p50_ns), "ns", "/read/latency_ns");
        add("read_p99_ns", double(line.read_p99_ns), "ns", "/read/latency_ns");
    } else if (reads_backlog(line.measure)) {
        add("caught_up", double(line.caught_up), "", "/read/caught_up");
    }
    if (line.ratio.valid()) {
        figures.push_back({"ratio", line.ratio.value, "x", figure});
        figures.push_back({"ratio_low", line.ratio.low, "x", figure});
        figures.push_back({"ratio_high", line.ratio.high, "x", figure});
        figures.push_back({"pairs", double(line.ratio.pairs), "", each + "/round"});
    }
    return figures;
}

std::vector<Figure> floor_figures(const FloorResult& floor) {
    std::vector<Figure> figures;
    const auto add = [&](const std::string& name, const Histogram& latency) {
        if (latency.count() == 0) return;
        const std::string source = "/floor/" + name + "_ns";
        figures.push_back({name + "_p50_ns", double(latency.quantile(0.5)), "ns", source});
        figures.push_back({name + "_p99_ns", double(latency.quantile(0.99)), "ns", source});
    };
    add("overwrite", floor.overwrite_ns);
    add("append", floor.append_ns);
    return figures;
}

json figures_json(const RunResult& result, const std::vector<Line>& lines) {
    json described = json::array();
    for (const Line& line : lines) described.push_back(line_json(result, line));
    return {{"schema", kFiguresSchema},
            {"computed_from", "result.json"},
            {"run", result.uuid},
            {"complete", result.complete},
            {"floor", to_json_object(floor_figures(result.floor))},
            {"lines", described}};
}

std::vector<std::string> json_differences(const json& expected, const json& found,
                                          std::size_t limit) {
    std::vector<std::string> differences;
    collect(expected, found, "", limit, differences);
    return differences;
}

}  // namespace walrus::harness
