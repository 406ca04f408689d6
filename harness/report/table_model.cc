#include "harness/report/table_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/driver/settings.h"

namespace walrus::harness {
namespace {

std::string spread_text(const Line& line) {
    if (line.figure == 0) return "";
    return fmt::format("{:+.0f}/{:+.0f} %", (line.lowest / line.figure - 1) * 100,
                       (line.highest / line.figure - 1) * 100);
}

std::vector<Column> columns_of(const Table& table) {
    const Measure measure = table.measure;
    const char* figure = measure == Measure::kScan      ? "GB/s"
                         : measure == Measure::kRestart ? "restart"
                         : measure == Measure::kMaxRate ? "sustained/s"
                         : reads_backlog(measure)       ? "read records/s"
                                                        : "records/s";
    std::vector<Column> columns = {{"system", true}};
    const auto add = [&](const char* title) { columns.push_back({title, false}); };
    if (table.open_loop) add("offered/s");
    add(figure);
    add("min/max");
    if (has_append_latency(measure)) {
        for (const char* title : {"p50", "p99", "p99.9"}) add(title);
        if (table.open_loop) {
            add("delay p99");
            add("late");
        }
        if (table.synced()) add("x floor");
        add("flushes/append");
    }
    if (measure == Measure::kTail) {
        add("read p50");
        add("read p99");
    }
    if (reads_backlog(measure)) add("caught up");
    add(measure == Measure::kScan ? "of plain reads [95 %]" : "ratio [95 %]");
    columns.push_back({"verdict", true});
    return columns;
}

// The cells between the figure and the ratio.
void add_latency_cells(const Line& line, const Table& table, std::vector<Cell>& cells) {
    const auto duration = [&](std::uint64_t ns, const char* figure) {
        cells.push_back({format_duration(ns), figure});
    };
    if (has_append_latency(line.measure)) {
        duration(line.p50_ns, "p50_ns");
        duration(line.p99_ns, "p99_ns");
        duration(line.p999_ns, "p999_ns");
        if (table.open_loop) {
            duration(line.delay_p99_ns, "delay_p99_ns");
            cells.push_back({fmt::format("{:.2f} %", line.late_share * 100), "late_share"});
        }
        if (table.synced()) {
            const bool known = line.p50_over_floor > 0;
            cells.push_back({known ? fmt::format("{:.1f}x", line.p50_over_floor) : "",
                             known ? "p50_over_floor" : ""});
        }
        cells.push_back({flush_text(line.flushes_per_append), "flushes_per_append"});
    }
    if (line.measure == Measure::kTail) {
        duration(line.read_p50_ns, "read_p50_ns");
        duration(line.read_p99_ns, "read_p99_ns");
    }
    if (reads_backlog(line.measure)) {
        cells.push_back({fmt::format("{} of {}", line.caught_up, line.repetitions), "caught_up"});
    }
}

std::vector<Cell> cells_of(const Line& line, const Table& table) {
    const auto word = [](const std::string& text) { return Cell{text, ""}; };
    if (!line.skipped.empty()) return {word(line.system), word("skipped")};
    if (line.repetitions == 0) {
        return {word(line.system), word(line.rejected > 0 ? "rejected" : "failed")};
    }
    const bool withheld = line.class_mismatch;
    std::vector<Cell> cells = {word(line.system)};
    if (table.open_loop) {
        cells.push_back({format_count(line.offered_per_s), "offered_per_s"});
    }
    cells.push_back(withheld ? word("withheld")
                             : Cell{figure_text(line.measure, line.figure), "figure"});
    cells.push_back(withheld ? word("") : Cell{spread_text(line), "lowest"});
    add_latency_cells(line, table, cells);
    if (line.is_baseline) {
        cells.push_back(word("1 (base)"));
    } else {
        cells.push_back(withheld || !line.ratio.valid() ? word("")
                                                        : Cell{ratio_text(line.ratio), "ratio"});
    }
    cells.push_back(word(verdict_text(line)));
    return cells;
}

std::string floor_text(const FloorResult& floor) {
    std::string text;
    const auto one = [&](const char* name, const Histogram& latency) {
        if (latency.count() == 0) return;
        if (!text.empty()) text += ", ";
        text += fmt::format("{} p50 {} p99 {}", name, format_duration(latency.quantile(0.5)),
                            format_duration(latency.quantile(0.99)));
    };
    one("O_DIRECT+DSYNC into a written file", floor.overwrite_ns);
    one("append+fdatasync", floor.append_ns);
    return text.empty() ? "" : "device floor, one durable 4 KiB write: " + text;
}

// "19 of 45 repetitions ...": one sentence for the whole table; the result file has each.
std::vector<std::string> counted_remarks(const std::vector<TableLine>& lines) {
    std::uint32_t used = 0;
    std::uint32_t disturbed = 0;
    std::uint32_t rejected = 0;
    for (const TableLine& table_line : lines) {
        used += table_line.line->repetitions;
        disturbed += table_line.line->disturbed;
        rejected += table_line.line->rejected;
    }
    std::vector<std::string> remarks;
    if (rejected > 0) {
        remarks.push_back(fmt::format("{} of {} repetitions were rejected and count in no figure",
                                      rejected, used + rejected));
    }
    if (disturbed > 0) {
        remarks.push_back(fmt::format(
            "{} of {} repetitions were disturbed by other load on the machine", disturbed, used));
    }
    return remarks;
}

// Lines without a verdict, by reason.
std::vector<std::string> verdict_remarks(const std::vector<TableLine>& lines) {
    std::map<std::string, std::vector<std::string>> by_reason;
    for (const TableLine& table_line : lines) {
        const Line& line = *table_line.line;
        if (!line.no_verdict.empty() && line.repetitions > 0) {
            by_reason[line.no_verdict].push_back(line.row + " / " + line.system);
        }
    }
    std::vector<std::string> remarks;
    for (const auto& [reason, names] : by_reason) {
        remarks.push_back(names.size() == 1
                              ? fmt::format("{}: no verdict: {}", names.front(), reason)
                              : fmt::format("no verdict for {} lines: {}", names.size(), reason));
    }
    return remarks;
}

// One remark for a kind of warning (its text up to the first colon), however many lines have it:
// what is true of a whole table must not bury what is true of one line.
std::vector<std::string> warning_remarks(const std::vector<TableLine>& lines) {
    struct Kind {
        std::string example;
        std::set<std::string> names;
    };
    std::map<std::string, Kind> kinds;
    for (const TableLine& table_line : lines) {
        const Line& line = *table_line.line;
        const std::string name = line.row + " / " + line.system;
        for (const std::string& warning : line.warnings) {
            Kind& kind = kinds[warning.substr(0, warning.find(':'))];
            if (kind.names.empty()) kind.example = name + ": " + warning;
            kind.names.insert(name);
        }
    }
    std::vector<std::string> remarks;
    for (const auto& [text, kind] : kinds) {
        remarks.push_back(kind.names.size() == 1
                              ? "warning: " + kind.example
                              : fmt::format("warning for {} lines: {}; the first: {}",
                                            kind.names.size(), text, kind.example));
    }
    return remarks;
}

std::vector<std::string> remarks_of(const std::vector<TableLine>& lines) {
    std::vector<std::string> remarks;
    for (const TableLine& table_line : lines) {
        const Line& line = *table_line.line;
        const auto remark = [&](const std::string& what) {
            remarks.push_back(fmt::format("{} / {}: {}", line.row, line.system, what));
        };
        if (!line.skipped.empty()) remark("skipped: " + line.skipped);
        if (line.failed > 0) {
            remark(fmt::format("{} repetitions failed: {}", line.failed, line.first_error));
        }
        if (line.anomalies > 0) remark("SAFETY VIOLATION: " + line.anomaly_summary);
        if (line.class_mismatch) {
            remark(fmt::format("declares class {}, but its flushes allow only {}; withheld",
                               durability_name(line.durability), line.derived_class));
        }
    }
    for (std::string& remark : warning_remarks(lines)) remarks.push_back(std::move(remark));
    for (std::string& remark : verdict_remarks(lines)) remarks.push_back(std::move(remark));
    for (std::string& remark : counted_remarks(lines)) remarks.push_back(std::move(remark));
    return remarks;
}

}  // namespace

std::string figure_text(Measure measure, double figure) {
    if (measure == Measure::kScan) return fmt::format("{:.2f}", figure / 1e9);
    if (measure == Measure::kRestart) {
        return format_duration(static_cast<std::uint64_t>(figure * 1e9));
    }
    if (measure == Measure::kMaxRate && figure == 0) return "none";
    return format_count(static_cast<std::uint64_t>(figure));
}

std::string ratio_text(const Ratio& ratio) {
    // Two decimals, or two digits where two decimals would say nothing.
    const auto number = [](double value) {
        return value >= 0.1 ? fmt::format("{:.2f}", value) : fmt::format("{:.2g}", value);
    };
    return fmt::format("{}x [{}-{}]", number(ratio.value), number(ratio.low), number(ratio.high));
}

std::string flush_text(double flushes_per_append) {
    if (flushes_per_append == 0) return "0";
    if (flushes_per_append >= 0.01) return fmt::format("{:.2f}", flushes_per_append);
    return "1/" + format_count(static_cast<std::uint64_t>(1 / flushes_per_append + 0.5));
}

std::string verdict_text(const Line& line) {
    if (line.is_baseline || line.baseline.empty()) return "";
    return std::string(judgement_name(line.judgement));
}

std::string_view Table::title() const {
    switch (measure) {
        case Measure::kAppend: return open_loop ? "Appends at a fixed rate" : "Appends";
        case Measure::kScan: return "Cold sequential reads";
        case Measure::kRestart: return "Opening again";
        case Measure::kMaxRate: return "Highest sustained rate";
        case Measure::kTail: return "Readers behind writers";
        case Measure::kCatchUp: return "Catching up";
        case Measure::kDrain: return "Draining";
    }
    return "";
}

std::string Table::banner() const {
    // Engines are what a table is about unless it says otherwise.
    return fmt::format("{}{}, class {}: {}", level == Level::kServer ? "System level: " : "",
                       title(), durability_name(durability), durability_meaning(durability));
}

std::vector<Table> make_tables(const RunResult& result, const std::vector<Line>& lines) {
    std::vector<Table> tables;
    for (const Line& line : lines) {
        const bool open = result.rows[line.row_index].row.workload.load == Load::kOpen;
        auto table = std::ranges::find_if(tables, [&](const Table& t) {
            return t.level == line.level && t.durability == line.durability &&
                   t.measure == line.measure && t.open_loop == open;
        });
        if (table == tables.end()) {
            Table& added = tables.emplace_back();
            added.level = line.level;
            added.durability = line.durability;
            added.measure = line.measure;
            added.open_loop = open;
            added.columns = columns_of(added);
            if (added.synced() && has_append_latency(line.measure)) {
                added.floor = floor_text(result.floor);
            }
            table = std::prev(tables.end());
        }
        std::string heading;
        if (table->lines.empty() || table->lines.back().line->row != line.row) {
            heading = line.row;
            const bool elsewhere = !result.rows[line.row_index].row.baseline_row.empty();
            if (elsewhere && !line.baseline.empty()) heading += ", against " + line.baseline;
        }
        table->lines.push_back({&line, cells_of(line, *table), heading});
    }
    for (Table& table : tables) table.remarks = remarks_of(table.lines);
    return tables;
}

std::vector<std::string> closing_sentences(const RunResult& result,
                                           const std::vector<Line>& lines) {
    std::uint64_t checked = 0;
    for (const Line& line : lines) checked += line.records_checked;
    std::vector<std::string> sentences = {
        fmt::format("Medians of up to {} interleaved repetitions, fresh process and directory "
                    "each; seed {}.",
                    result.scenario.repetitions, result.scenario.seed),
        "Ratios are medians over paired rounds, with a 95 % interval; a verdict needs an interval "
        "wholly beyond 2 %.",
        fmt::format("{} acknowledged records were read back by another process after the writer "
                    "was ended.",
                    format_count(checked))};
    if (result.quick) sentences.push_back("--quick: short windows, indicative only.");
    if (!result.complete) {
        sentences.push_back("INCOMPLETE: the run did not finish; no verdict.");
    }
    for (const std::string& note : result.scenario.notes) sentences.push_back("note: " + note);
    for (const std::string& note : result.notes) sentences.push_back("note: " + note);
    return sentences;
}

}  // namespace walrus::harness
