#include "harness/report/chart_common.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/report/figures.h"

namespace walrus::harness {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
        text.replace(at, from.size(), to);
    }
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

}  // namespace

std::string chart_figure(const std::string& title, const std::string& detail,
                         const std::string& svg) {
    return fmt::format(
        "<figure class=\"chart\">\n<figcaption><b>{}</b> <span>{}</span>"
        "</figcaption>\n{}</figure>\n",
        escape_xml(title), escape_xml(detail), svg);
}

std::string class_title(const std::string& what, Durability durability) {
    return fmt::format("{} \u00b7 class {}", what, durability_name(durability));
}

Mark mark_of(const RunResult& result, const Line& line, const std::string& name,
             const std::string& title) {
    for (const Figure& figure : figures_of(line)) {
        if (figure.name == name) {
            return {.title = title + "\nresult.json " + figure.source,
                    .figure = figure_pointer(line, name, result),
                    .source = figure.source};
        }
    }
    return {.title = title, .figure = "", .source = ""};
}

std::string repetition_source(const Line& line, const std::string& below) {
    return fmt::format("/rows/{}/systems/{}/repetitions/*{}", line.row_index, line.system_index,
                       below);
}

const SystemResult& system_result(const RunResult& result, const Line& line) {
    return result.rows[line.row_index].systems[line.system_index];
}

void draw_panel_frame(Svg& svg, const std::string& x_axis) {
    svg.line({kPanelLeft, kPanelBottom}, {kPanelRight, kPanelBottom}, "frame");
    svg.text({(kPanelLeft + kPanelRight) / 2, kPanelHeight - 4}, "middle", "axis", x_axis);
}

void draw_count_axis(const Scale& y, Svg& svg) {
    for (const double tick : linear_ticks(y.low, y.high, 5)) {
        svg.line({kPanelLeft, y.at(tick)}, {kPanelRight, y.at(tick)}, "grid");
        svg.text({kPanelLeft - 6, y.at(tick) + 4}, "end", "tick", short_count(tick));
    }
}

void draw_duration_axis(const Scale& y, Svg& svg) {
    for (const double tick : logarithmic_ticks(y.low, y.high)) {
        const double unit = tick >= 1e9 ? 1e9 : tick >= 1e6 ? 1e6 : tick >= 1e3 ? 1e3 : 1;
        const char* name = tick >= 1e9 ? "s" : tick >= 1e6 ? "ms" : tick >= 1e3 ? "\u00b5s" : "ns";
        svg.line({kPanelLeft, y.at(tick)}, {kPanelRight, y.at(tick)}, "grid");
        svg.text({kPanelLeft - 6, y.at(tick) + 4}, "end", "tick",
                 fmt::format("{:g} {}", tick / unit, name));
    }
}

std::string short_count(double value) {
    if (value >= 1e6) return fmt::format("{:g} M", value / 1e6);
    if (value >= 1e3) return fmt::format("{:g} k", value / 1e3);
    return fmt::format("{:g}", value);
}

std::string with_signs(std::string text) {
    replace_all(text, " us", " \u00b5s");
    for (std::size_t i = 1; i + 1 < text.size(); ++i) {
        const bool between = is_digit(text[i - 1]) && is_digit(text[i + 1]);
        if (text[i] == '-' && between) text.replace(i, 1, "\u2013");
    }
    replace_all(text, "x [", "\u00d7 [");
    if (text.size() > 1 && text.back() == 'x' && is_digit(text[text.size() - 2])) {
        text.replace(text.size() - 1, 1, "\u00d7");
    }
    return text;
}

std::string figure_pointer(const Line& line, const std::string& figure, const RunResult& result) {
    std::size_t index = line.system_index;
    for (std::size_t row = 0; row < line.row_index; ++row) index += result.rows[row].systems.size();
    return fmt::format("/lines/{}/figures/{}", index, figure);
}

std::size_t style_of(const RunResult& result, const std::string& system) {
    const auto& systems = result.scenario.systems;
    const auto found = std::ranges::find(systems, system, &SystemSpec::name);
    return static_cast<std::size_t>(found - systems.begin());
}

}  // namespace walrus::harness
