#include "harness/report/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/driver/settings.h"

namespace walrus::harness {
namespace {

std::string ratio_text(const Line& line) {
    if (line.is_baseline) return "1 (base)";
    if (!line.ratio.valid()) return "";
    return fmt::format("{:.2f}x [{:.2f}-{:.2f}]", line.ratio.value, line.ratio.low,
                       line.ratio.high);
}

std::string figure_text(Measure measure, double figure) {
    switch (measure) {
        case Measure::kAppend:
        case Measure::kMaxRate:
        case Measure::kTail:
        case Measure::kCatchUp:
        case Measure::kDrain: return format_count(static_cast<std::uint64_t>(figure));
        case Measure::kScan: return fmt::format("{:.2f}", figure / 1e9);
        case Measure::kRestart: return format_duration(static_cast<std::uint64_t>(figure * 1e9));
    }
    return "";
}

std::string spread_text(const Line& line) {
    if (line.figure == 0) return "";
    return fmt::format("{:+.0f}/{:+.0f} %", (line.lowest / line.figure - 1) * 100,
                       (line.highest / line.figure - 1) * 100);
}

std::string flush_text(const Line& line) {
    if (line.flushes_per_append == 0) return "0";
    if (line.flushes_per_append >= 0.01) return fmt::format("{:.2f}", line.flushes_per_append);
    return fmt::format("1/{:.0f}", 1 / line.flushes_per_append);
}

std::vector<std::string> header(Measure measure, bool synced) {
    const char* figure = measure == Measure::kScan      ? "GB/s"
                         : measure == Measure::kRestart ? "restart"
                                                        : "records/s";
    std::vector<std::string> cells = {"workload", "system", figure, "min/max"};
    if (measure == Measure::kAppend) {
        cells.insert(cells.end(), {"p50", "p99"});
        if (synced) cells.push_back("p50/floor");
        cells.push_back("flushes/append");
    }
    cells.push_back(measure == Measure::kScan ? "of plain reads [95 %]" : "ratio [95 %]");
    return cells;
}

std::vector<std::string> cells_of(const Line& line, bool synced) {
    if (!line.skipped.empty()) return {line.row, line.system, "skipped"};
    if (line.repetitions == 0) return {line.row, line.system, "failed"};
    const bool withheld = line.class_mismatch;
    std::vector<std::string> cells = {
        line.row, line.system, withheld ? "withheld" : figure_text(line.measure, line.figure),
        withheld ? "" : spread_text(line)};
    if (line.measure == Measure::kAppend) {
        cells.push_back(format_duration(line.p50_ns));
        cells.push_back(format_duration(line.p99_ns));
        if (synced) {
            cells.push_back(line.p50_over_floor == 0 ? ""
                                                     : fmt::format("{:.1f}x", line.p50_over_floor));
        }
        cells.push_back(flush_text(line));
    }
    cells.push_back(withheld ? "" : ratio_text(line));
    return cells;
}

std::string floor_text(const FloorResult& floor) {
    std::string text = "device floor, 4 KiB per durable write:";
    const auto one = [&](const char* name, const Histogram& latency) {
        if (latency.count() == 0) return;
        text += fmt::format("  {} p50 {} p99 {}", name, format_duration(latency.quantile(0.5)),
                            format_duration(latency.quantile(0.99)));
    };
    one("O_DIRECT+DSYNC into a written file", floor.overwrite_ns);
    one("append+fdatasync", floor.append_ns);
    return text + "\n";
}

// One sentence for the whole table: which lines are how much disturbed is in the result file.
std::string disturbance_remark(const std::vector<Line>& lines) {
    std::uint32_t disturbed = 0;
    std::uint32_t repetitions = 0;
    for (const Line& line : lines) {
        disturbed += line.disturbed;
        repetitions += line.repetitions;
    }
    if (disturbed == 0) return "";
    return fmt::format("  ! {} of {} repetitions were disturbed by other load on the machine\n",
                       disturbed, repetitions);
}

// What must be said about single lines below their table.
std::string remarks(const std::vector<Line>& lines) {
    std::string text;
    const auto remark = [&](const Line& line, const std::string& what) {
        text += fmt::format("  ! {} / {}: {}\n", line.row, line.system, what);
    };
    for (const Line& line : lines) {
        if (!line.skipped.empty()) remark(line, "skipped: " + line.skipped);
        if (line.failed > 0) {
            remark(line, fmt::format("{} repetitions failed: {}", line.failed, line.first_error));
        }
        if (line.anomalies > 0) remark(line, "SAFETY VIOLATION: " + line.anomaly_summary);
        if (line.class_mismatch) {
            remark(line, fmt::format("declares class {}, but its flushes allow only {}; withheld",
                                     durability_name(line.durability), line.derived_class));
        }
    }
    return text + disturbance_remark(lines);
}

std::string table_of(const RunResult& result, const std::vector<Line>& lines) {
    const Line& first = lines.front();
    const bool synced = first.durability >= Durability::kDisk;
    std::string text = fmt::format("class {}: {}\n", durability_name(first.durability),
                                   durability_meaning(first.durability));
    if (synced && first.measure == Measure::kAppend) text += floor_text(result.floor);
    std::vector<std::vector<std::string>> rows = {header(first.measure, synced)};
    for (const Line& line : lines) {
        rows.push_back(cells_of(line, synced));
        const bool repeated = rows.size() > 2 && line.row == lines[rows.size() - 3].row;
        if (repeated) rows.back().front().clear();
    }
    text += align_columns(rows, 2);
    text += remarks(lines);
    return text;
}

std::string closing(const RunResult& result, const std::vector<Line>& lines) {
    std::uint64_t checked = 0;
    for (const Line& line : lines) checked += line.records_checked;
    std::string text = fmt::format(
        "Medians of up to {} interleaved repetitions, fresh process and directory each; seed {}.\n"
        "{} acknowledged records were read back by another process after the writer was ended.\n",
        result.scenario.repetitions, result.scenario.seed, format_count(checked));
    if (result.quick) text += "--quick: short windows, indicative only.\n";
    if (!result.complete) text += "INCOMPLETE: the run did not finish; no verdict.\n";
    for (const std::string& note : result.notes) text += "note: " + note + "\n";
    return text;
}

}  // namespace

std::string align_columns(const std::vector<std::vector<std::string>>& rows,
                          std::size_t left_columns) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (const auto& row : rows) {
        std::string line = " ";
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += i < left_columns ? fmt::format(" {:<{}}", row[i], widths[i])
                                     : fmt::format("  {:>{}}", row[i], widths[i]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

std::string render_tables(const RunResult& result, const std::vector<Line>& lines) {
    std::string text = fmt::format("\n{}\n", result.scenario.title);
    std::vector<Line> left = lines;
    while (!left.empty()) {
        const Line first = left.front();
        const auto same = [&](const Line& line) {
            return line.durability == first.durability && line.measure == first.measure;
        };
        std::vector<Line> table;
        std::ranges::copy_if(left, std::back_inserter(table), same);
        std::erase_if(left, same);
        text += "\n" + table_of(result, table);
    }
    return text + "\n" + closing(result, lines);
}

}  // namespace walrus::harness
