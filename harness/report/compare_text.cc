// How a comparison is shown: terminal, Markdown, JSON.
#include <fmt/format.h>

#include "harness/driver/settings.h"
#include "harness/report/compare.h"
#include "harness/report/table_model.h"
#include "harness/report/tables.h"

namespace walrus::harness {
namespace {

std::vector<std::string> header() {
    return {"workload", "system",  "old",      "new",    "new/old [95 %]",
            "p99 old",  "p99 new", "p (rank)", "verdict"};
}

std::string latency_text(const ComparedLine& line, double ns) {
    return has_append_latency(line.measure) ? format_duration(static_cast<std::uint64_t>(ns)) : "";
}

std::string verdict_of(const ComparedLine& line) {
    if (line.gate == Gate::kReference) return "reference";
    if (line.gate == Gate::kRegression || line.gate == Gate::kInconclusive) {
        return std::string(gate_name(line.gate));
    }
    return fmt::format("ok, {}", judgement_name(line.judgement));
}

std::vector<std::string> cells_of(const ComparedLine& line) {
    return {line.row,
            line.system,
            figure_text(line.measure, line.before),
            figure_text(line.measure, line.after),
            ratio_text(line.ratio),
            latency_text(line, line.p99_before),
            latency_text(line, line.p99_after),
            fmt::format("{:.3f}", line.rank_p),
            verdict_of(line)};
}

// The lines of one class and measure; classes are never mixed.
using Group = std::vector<const ComparedLine*>;

std::vector<Group> groups_of(const Comparison& comparison) {
    std::vector<Group> groups;
    for (const ComparedLine& line : comparison.lines) {
        Group* group = nullptr;
        for (Group& known : groups) {
            if (known.front()->durability == line.durability &&
                known.front()->measure == line.measure) {
                group = &known;
            }
        }
        if (group == nullptr) group = &groups.emplace_back();
        group->push_back(&line);
    }
    return groups;
}

std::string banner_of(const Group& group) {
    const Durability durability = group.front()->durability;
    return fmt::format("class {}: {}", durability_name(durability), durability_meaning(durability));
}

std::vector<std::string> remarks_of(const Group& group) {
    std::vector<std::string> remarks;
    for (const ComparedLine* line : group) {
        const std::string name = line->row + " / " + line->system;
        if (!line->label.empty()) remarks.push_back(name + ": UNLIKE: " + line->label);
        if (!line->why.empty()) remarks.push_back(name + ": " + line->why);
    }
    return remarks;
}

std::string verdict_sentence(const Comparison& comparison) {
    const double bar = comparison.rules.threshold * 100;
    switch (comparison.gate) {
        case Gate::kRegression: return fmt::format("REGRESSION beyond {:g} %.", bar);
        case Gate::kInconclusive:
            return fmt::format(
                "Inconclusive: a regression beyond {:g} % was neither shown nor "
                "ruled out.",
                bar);
        case Gate::kOk:
        case Gate::kReference: break;
    }
    return fmt::format("No regression beyond {:g} %.", bar);
}

std::vector<std::string> closing(const Comparison& comparison) {
    std::vector<std::string> sentences = comparison.remarks;
    for (const auto& [durability, moved] : comparison.machine_moved) {
        const std::string_view name = durability_name(durability);
        sentences.push_back(
            moved == 0
                ? fmt::format("no baseline of class {} moved measurably between the runs", name)
                : fmt::format("baselines of class {} moved by up to {:.1f} % between the "
                              "runs: that is the machine",
                              name, moved * 100));
    }
    if (comparison.geometric_mean > 0) {
        sentences.push_back(fmt::format("geometric mean of {} judged lines: {:.3f}x",
                                        comparison.judged, comparison.geometric_mean));
    }
    return sentences;
}

}  // namespace

std::string render_comparison(const Comparison& comparison) {
    std::string text = fmt::format("\nold: {}\nnew: {}\n", comparison.before, comparison.after);
    for (const Group& group : groups_of(comparison)) {
        const std::string banner = banner_of(group);
        text += fmt::format("\n{}\n{}\n", banner, std::string(banner.size(), '='));
        std::vector<std::vector<std::string>> rows = {header()};
        for (std::size_t i = 0; i < group.size(); ++i) {
            rows.push_back(cells_of(*group[i]));
            if (i > 0 && group[i]->row == group[i - 1]->row) rows.back().front().clear();
        }
        text += align_columns(rows, 2);
        for (const std::string& remark : remarks_of(group)) text += "  ! " + remark + "\n";
    }
    text += "\n";
    for (const std::string& sentence : closing(comparison)) text += sentence + "\n";
    return text + verdict_sentence(comparison) + "\n";
}

std::string render_comparison_markdown(const Comparison& comparison) {
    std::string text =
        fmt::format("## {}\n\nold: {}  \nnew: {}\n", verdict_sentence(comparison),
                    markdown_cell(comparison.before), markdown_cell(comparison.after));
    const auto row_text = [](const std::vector<std::string>& cells) {
        std::string row = "|";
        for (const std::string& cell : cells) row += " " + markdown_cell(cell) + " |";
        return row + "\n";
    };
    for (const Group& group : groups_of(comparison)) {
        text += fmt::format("\n### {}\n\n{}|:--|:--|--:|--:|--:|--:|--:|--:|:--|\n",
                            banner_of(group), row_text(header()));
        for (const ComparedLine* line : group) text += row_text(cells_of(*line));
        text += "\n";
        for (const std::string& remark : remarks_of(group)) {
            text += "- :warning: " + markdown_cell(remark) + "\n";
        }
    }
    text += "\n";
    for (const std::string& sentence : closing(comparison)) {
        text += "- " + markdown_cell(sentence) + "\n";
    }
    return text;
}

nlohmann::json comparison_json(const Comparison& comparison) {
    nlohmann::json lines = nlohmann::json::array();
    for (const ComparedLine& line : comparison.lines) {
        lines.push_back({{"row", line.row},
                         {"system", line.system},
                         {"measure", measure_name(line.measure)},
                         {"class", durability_name(line.durability)},
                         {"before", line.before},
                         {"after", line.after},
                         {"ratio", line.ratio.value},
                         {"ratio_low", line.ratio.low},
                         {"ratio_high", line.ratio.high},
                         {"repetitions", line.ratio.pairs},
                         {"rank_p", line.rank_p},
                         {"p99_before_ns", line.p99_before},
                         {"p99_after_ns", line.p99_after},
                         {"judgement", judgement_name(line.judgement)},
                         {"gate", gate_name(line.gate)},
                         {"why", line.why},
                         {"unlike", line.label}});
    }
    nlohmann::json moved = nlohmann::json::object();
    for (const auto& [durability, share] : comparison.machine_moved) {
        moved[std::string(durability_name(durability))] = share;
    }
    return {{"schema", "walrus.comparison/v1"},   {"before", comparison.before},
            {"after", comparison.after},          {"threshold", comparison.rules.threshold},
            {"gate", gate_name(comparison.gate)}, {"geometric_mean", comparison.geometric_mean},
            {"judged", comparison.judged},        {"machine_moved", moved},
            {"remarks", comparison.remarks},      {"lines", lines}};
}

}  // namespace walrus::harness
