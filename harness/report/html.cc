#include "harness/report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/driver/settings.h"
#include "harness/report/charts.h"
#include "harness/report/figures.h"
#include "harness/report/page_style.h"
#include "harness/report/svg.h"
#include "harness/report/table_model.h"

namespace walrus::harness {
namespace {

std::string fact(const std::string& value, const std::string& what) {
    return fmt::format("<li><b>{}</b><span>{}</span></li>\n", escape_xml(value), escape_xml(what));
}

std::string notice(const std::string& text, bool alarm) {
    return fmt::format("<p class=\"notice{}\">{}</p>\n", alarm ? " alarm" : "", escape_xml(text));
}

std::string host_value(const RunResult& result, const std::string& name) {
    const auto found = result.host.find(name);
    return found == result.host.end() ? "unknown" : found->second;
}

std::string legend(const RunResult& result) {
    std::string text = "<ul class=\"legend\">\n";
    for (const SystemSpec& system : result.scenario.systems) {
        const std::size_t style = style_of(result, system.name);
        Svg svg(34, 12, system.name);
        svg.line({1, 6}, {33, 6}, "curve " + system_class(style));
        svg.symbol({17, 6}, style, {});
        text += "<li>" + svg.finish() + escape_xml(system.name) + "</li>\n";
    }
    return text + "</ul>\n";
}

std::string head(const RunResult& result, const std::vector<Line>& lines) {
    std::uint64_t checked = 0;
    std::uint64_t anomalies = 0;
    std::uint32_t repetitions = 0;
    std::uint32_t unusable = 0;
    for (const Line& line : lines) {
        checked += line.records_checked;
        anomalies += line.anomalies;
        repetitions += line.repetitions;
        unusable += line.failed + line.rejected;
    }
    std::string text = fmt::format(
        "<header>\n<div class=\"eyebrow\">walrus-harness report</div>\n<h1>{}</h1>\n"
        "<p class=\"muted\">{} \u00b7 {} \u00b7 {} \u00b7 {} on {} \u00b7 seed {} \u00b7 revision "
        "<code>{}</code></p>\n",
        escape_xml(result.scenario.title), escape_xml(result.started_at),
        escape_xml(host_value(result, "cpu_model") + ", " + host_value(result, "cpu_count") +
                   " processors"),
        escape_xml(host_value(result, "kernel")), escape_xml(host_value(result, "file_system")),
        escape_xml(host_value(result, "device")), result.scenario.seed,
        escape_xml(result.revision));
    if (anomalies > 0) {
        text += notice(
            "SAFETY VIOLATION: acknowledged records were lost or damaged; see the "
            "remarks below the tables.",
            true);
    }
    if (!result.complete) {
        text += notice("INCOMPLETE: the run did not finish; there are no verdicts.", true);
    }
    if (result.quick) text += notice("--quick: short windows; the figures are indicative.", false);
    text += "<ul class=\"facts\">\n";
    text += fact(format_count(result.rows.size()), "workloads");
    text += fact(format_count(repetitions), "repetitions that count");
    text += fact(format_count(unusable), "failed or rejected");
    text += fact(format_count(checked), "acknowledged records read back");
    text += fact(format_count(anomalies), "lost, damaged or doubled");
    return text + "</ul>\n" + legend(result) + "</header>\n";
}

// One <td> to a line of text, so that a changed number is found by its line.
std::string cell_html(const RunResult& result, const Line& line, const Cell& cell,
                      const Column& column) {
    std::string classes = column.left ? "left" : "";
    if (cell.figure == "figure") classes += " figure";
    if (column.title == "verdict") {
        classes += line.judgement == Judgement::kFaster   ? " faster"
                   : line.judgement == Judgement::kSlower ? " slower"
                                                          : " quiet";
    }
    std::string attributes;
    for (const Figure& figure : figures_of(line)) {
        if (figure.name != cell.figure) continue;
        const Mark mark = {.title = "",
                           .figure = figure_pointer(line, figure.name, result),
                           .source = figure.source};
        attributes = fmt::format("{} data-value=\"{}\" title=\"{} {}&#10;result.json {}\"",
                                 mark_attributes(mark), figure.value, figure.value, figure.unit,
                                 escape_xml(figure.source));
    }
    if (column.title == "verdict" && !line.no_verdict.empty()) {
        attributes = fmt::format(" title=\"{}\"", escape_xml(line.no_verdict));
    }
    const std::string swatch =
        column.title == "system"
            ? fmt::format("<span class=\"swatch\" style=\"background:var(--{})\"></span>",
                          system_class(style_of(result, line.system)))
            : "";
    return fmt::format("<td class=\"{}\"{}>{}{}</td>\n", classes, attributes, swatch,
                       escape_xml(with_signs(cell.text)));
}

std::string table_html(const RunResult& result, const Table& table) {
    std::string text = "<div class=\"card\"><table>\n<thead><tr>\n";
    for (const Column& column : table.columns) {
        text += fmt::format("<th class=\"{}\">{}</th>\n", column.left ? "left" : "",
                            escape_xml(column.title));
    }
    text += "</tr></thead>\n<tbody>\n";
    for (const TableLine& line : table.lines) {
        if (!line.heading.empty()) {
            text += fmt::format("<tr class=\"row-head\"><td colspan=\"{}\">{}</td></tr>\n",
                                table.columns.size(), escape_xml(line.heading));
        }
        text += "<tr>\n";
        for (std::size_t i = 0; i < table.columns.size(); ++i) {
            const Cell cell = i < line.cells.size() ? line.cells[i] : Cell{};
            text += cell_html(result, *line.line, cell, table.columns[i]);
        }
        text += "</tr>\n";
    }
    return text + "</tbody></table></div>\n";
}

std::string remarks_html(const Table& table) {
    if (table.remarks.empty()) return "";
    std::string text = "<ul class=\"remarks\">\n";
    for (const std::string& remark : table.remarks) {
        const bool alarm = remark.find("SAFETY") != std::string::npos;
        text += fmt::format("<li{}>{}</li>\n", alarm ? " class=\"alarm\"" : "", escape_xml(remark));
    }
    return text + "</ul>\n";
}

// The charts of each row of the table, in its order.
std::string panels(const RunResult& result, const Table& table) {
    std::string text;
    std::vector<const Line*> row;
    const auto flush_row = [&] {
        if (row.empty()) return;
        text += search_chart(result, row) + latency_chart(result, row);
        text += throughput_chart(result, row) + latency_over_time_chart(result, row);
        row.clear();
    };
    for (const TableLine& line : table.lines) {
        if (!line.heading.empty()) flush_row();
        if (line.line->repetitions > 0) row.push_back(line.line);
    }
    flush_row();
    return text.empty() ? "" : "<div class=\"panels\">\n" + text + "</div>\n";
}

std::string section(const RunResult& result, const Table& table) {
    std::string text = fmt::format(
        "<section class=\"class\" data-class=\"{0}\">\n<div class=\"banner\"><h2>{1}</h2>"
        "<span class=\"pill\">class {0}</span><span>{2}</span></div>\n",
        durability_name(table.durability), table.title(),
        escape_xml(durability_meaning(table.durability)));
    if (!table.floor.empty()) {
        text += fmt::format(
            "<p class=\"muted\" data-figure=\"/floor\" data-source=\"/floor\">{}"
            "</p>\n",
            escape_xml(with_signs(table.floor)));
    }
    text += table_html(result, table) + remarks_html(table);
    for (const std::string& chart : {ratio_chart(result, table), flush_chart(result, table)}) {
        if (!chart.empty()) text += "<div class=\"wide\">\n" + chart + "</div>\n";
    }
    return text + panels(result, table) + "</section>\n";
}

std::string settings_html(const std::string& title, const Settings& settings,
                          const std::string& source) {
    std::string text = fmt::format("<details data-source=\"{}\"><summary>{}</summary><table>\n",
                                   escape_xml(source), escape_xml(title));
    for (const auto& [name, value] : settings) {
        text += fmt::format("<tr><td class=\"left muted\">{}</td><td class=\"left\">{}</td></tr>\n",
                            escape_xml(name), escape_xml(value));
    }
    return text + "</table></details>\n";
}

// The live settings of each system, once per different set.
std::string configurations(const RunResult& result) {
    std::string text;
    std::map<std::string, std::vector<Settings>> shown;
    for (std::size_t row = 0; row < result.rows.size(); ++row) {
        const RowResult& measured = result.rows[row];
        for (std::size_t i = 0; i < measured.systems.size(); ++i) {
            const SystemResult& system = measured.systems[i];
            const auto first = std::ranges::find_if(system.repetitions, &Repetition::measured);
            if (first == system.repetitions.end()) continue;
            std::vector<Settings>& known = shown[system.system];
            if (std::ranges::find(known, first->write.effective_config) != known.end()) continue;
            known.push_back(first->write.effective_config);
            text += settings_html(
                fmt::format("{}, class {}: {}", system.system,
                            durability_name(measured.row.durability), first->write.version),
                first->write.effective_config,
                fmt::format("/rows/{}/systems/{}/repetitions/{}/write/effective_config", row, i,
                            first - system.repetitions.begin()));
        }
    }
    return text;
}

std::string foot(const RunResult& result, const std::vector<Line>& lines) {
    std::string text =
        "<section class=\"class\">\n<div class=\"banner\"><h2>What it was measured "
        "on, and how</h2></div>\n";
    text += settings_html("Machine", result.host, "/host") + configurations(result);
    text += "</section>\n<footer>\n";
    for (const std::string& sentence : closing_sentences(result, lines)) {
        text += "<p>" + escape_xml(sentence) + "</p>\n";
    }
    return text +
           fmt::format(
               "<p>Rest the pointer on a number to see its place in <code>result.json</code>."
               " <code>walrus-harness verify</code> computes every number of this page "
               "again.</p>\n<p>Run <code>{}</code>: <code>{}</code></p>\n</footer>\n",
               escape_xml(result.uuid), escape_xml(result.command_line));
}

}  // namespace

std::string render_html(const RunResult& result, const std::vector<Line>& lines) {
    std::string text = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"walrus-page-format\" content=\"{}\">\n"
        "<link rel=\"icon\" href=\"data:,\">\n<title>{}</title>\n<style>{}</style>\n</head>\n"
        "<body>\n<main>\n",
        kPageFormat, escape_xml(result.scenario.title), page_style());
    text += head(result, lines);
    for (const Table& table : make_tables(result, lines)) text += section(result, table);
    return text + foot(result, lines) + "</main>\n</body>\n</html>\n";
}

}  // namespace walrus::harness
