#include "harness/report/exports.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "harness/report/export_common.h"
#include "harness/report/figures.h"
#include "harness/report/table_model.h"

namespace walrus::harness {
namespace {

using nlohmann::json;

std::string range_text(const Line& line) {
    return fmt::format("\u00b1 {:g}", (line.highest - line.lowest) / 2);
}

std::string extra_text(const Line& line) {
    return fmt::format("class {}, {}, {} repetitions", durability_name(line.durability),
                       line.workload, line.repetitions);
}

json github_entry(const std::string& name, const char* unit, double value, const Line& line) {
    return {{"name", name}, {"unit", unit}, {"value", value}, {"extra", extra_text(line)}};
}

json github_bigger(const std::vector<Line>& lines) {
    json entries = json::array();
    for (const Line& line : lines) {
        if (!quotable(line) || line.measure == Measure::kRestart) continue;
        json entry =
            github_entry(export_line_name(line),
                         line.measure == Measure::kScan ? "B/s" : "records/s", line.figure, line);
        entry["range"] = range_text(line);
        entries.push_back(std::move(entry));
    }
    return entries;
}

json github_smaller(const std::vector<Line>& lines) {
    json entries = json::array();
    for (const Line& line : lines) {
        if (!quotable(line)) continue;
        const std::string name = export_line_name(line);
        if (line.measure == Measure::kRestart) {
            json entry = github_entry(name + " restart", "s", line.figure, line);
            entry["range"] = range_text(line);
            entries.push_back(std::move(entry));
        } else if (has_append_latency(line.measure)) {
            entries.push_back(github_entry(name + " p50", "ns", double(line.p50_ns), line));
            entries.push_back(github_entry(name + " p99", "ns", double(line.p99_ns), line));
            entries.push_back(github_entry(name + " p99.9", "ns", double(line.p999_ns), line));
        }
    }
    return entries;
}

// Built-in measures: latency in nanoseconds, throughput in operations per second.
json bencher(const std::vector<Line>& lines) {
    json document = json::object();
    for (const Line& line : lines) {
        if (!quotable(line)) continue;
        json& entry = document[export_line_name(line)];
        if (line.measure == Measure::kRestart) {
            entry["latency"] = {{"value", line.figure * kNsPerSecond},
                                {"lower_value", line.lowest * kNsPerSecond},
                                {"upper_value", line.highest * kNsPerSecond}};
            continue;
        }
        entry["throughput"] = {
            {"value", line.figure}, {"lower_value", line.lowest}, {"upper_value", line.highest}};
        if (has_append_latency(line.measure)) {
            entry["latency"] = {{"value", double(line.p50_ns)}};
            entry["latency-p99"] = {{"value", double(line.p99_ns)}};
        }
    }
    return document;
}

std::string csv_field(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + "\"";
}

// RFC 4180, with line feeds alone.
std::string csv(const std::vector<Line>& lines) {
    std::vector<std::string> names;  // In the order of their first appearance.
    std::set<std::string> known;
    for (const Line& line : lines) {
        for (const Figure& figure : figures_of(line)) {
            if (known.insert(figure.name).second) names.push_back(figure.name);
        }
    }
    std::string text = "class,row,system,measure,verdict";
    for (const std::string& name : names) text += "," + name;
    text += "\n";
    for (const Line& line : lines) {
        if (!quotable(line)) continue;
        text += fmt::format("{},{},{},{},{}", durability_name(line.durability), csv_field(line.row),
                            csv_field(line.system), measure_name(line.measure), verdict_text(line));
        const std::vector<Figure> figures = figures_of(line);
        for (const std::string& name : names) {
            const auto found = std::ranges::find(figures, name, &Figure::name);
            text += found == figures.end() ? "," : fmt::format(",{}", found->value);
        }
        text += "\n";
    }
    return text;
}

}  // namespace

bool quotable(const Line& line) {
    return line.repetitions > 0 && !line.class_mismatch;
}

std::string export_line_name(const Line& line) {
    return fmt::format("{}/{}/{}", durability_name(line.durability), line.row, line.system);
}

std::string export_file_name(const Line& line, std::string_view extension) {
    std::string name;
    for (const char c : export_line_name(line)) {
        const bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
        if (plain) {
            name += c;
        } else if (!name.empty() && name.back() != '-') {
            name += '-';
        }
    }
    // Different rows may come to the same letters.
    return fmt::format("{:02}-{:02}-{}.{}", line.row_index, line.system_index, name, extension);
}

const SystemResult& system_of(const RunResult& result, const Line& line) {
    return result.rows[line.row_index].systems[line.system_index];
}

std::string_view export_name(ExportFormat format) {
    switch (format) {
        case ExportFormat::kOpenMessaging: return "omb";
        case ExportFormat::kGoogleBenchmark: return "gbench";
        case ExportFormat::kGithubBigger: return "github-bigger";
        case ExportFormat::kGithubSmaller: return "github-smaller";
        case ExportFormat::kBencher: return "bmf";
        case ExportFormat::kCsv: return "csv";
        case ExportFormat::kHdr: return "hgrm";
    }
    return "";
}

std::string_view export_summary(ExportFormat format) {
    switch (format) {
        case ExportFormat::kOpenMessaging:
            return "OpenMessaging Benchmark results, one file per row and system";
        case ExportFormat::kGoogleBenchmark: return "google/benchmark JSON, for its compare.py";
        case ExportFormat::kGithubBigger:
            return "github-action-benchmark, customBiggerIsBetter: throughput";
        case ExportFormat::kGithubSmaller:
            return "github-action-benchmark, customSmallerIsBetter: latency, restart";
        case ExportFormat::kBencher: return "Bencher Metric Format";
        case ExportFormat::kCsv: return "every figure, one line per row and system";
        case ExportFormat::kHdr:
            return "HdrHistogram percentile tables, one file per row and system";
    }
    return "";
}

std::vector<ExportFile> export_result(ExportFormat format, const RunResult& result,
                                      const std::vector<Line>& lines) {
    const auto each_line = [&](std::string_view extension, auto text_of) {
        std::vector<ExportFile> files;
        for (const Line& line : lines) {
            if (!quotable(line) || !has_append_latency(line.measure)) continue;
            files.push_back({export_file_name(line, extension), text_of(line)});
        }
        return files;
    };
    switch (format) {
        case ExportFormat::kOpenMessaging:
            return each_line("json",
                             [&](const Line& line) { return export_open_messaging(result, line); });
        case ExportFormat::kHdr:
            return each_line("hgrm", [&](const Line& line) {
                return export_hdr(merged_latency(system_of(result, line)));
            });
        case ExportFormat::kGoogleBenchmark:
            return {{"gbench.json", export_google_benchmark(result, lines)}};
        case ExportFormat::kGithubBigger:
            return {{"github-bigger.json", github_bigger(lines).dump(2) + "\n"}};
        case ExportFormat::kGithubSmaller:
            return {{"github-smaller.json", github_smaller(lines).dump(2) + "\n"}};
        case ExportFormat::kBencher: return {{"bmf.json", bencher(lines).dump(2) + "\n"}};
        case ExportFormat::kCsv: return {{"figures.csv", csv(lines)}};
    }
    return {};
}

}  // namespace walrus::harness
