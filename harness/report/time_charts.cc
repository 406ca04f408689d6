// What happened over the window of a row: throughput and latency per interval; and over the steps
// of a search.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "harness/driver/settings.h"
#include "harness/report/chart_common.h"

namespace walrus::harness {
namespace {

using Values = std::vector<double>;

// One system: a list of values per repetition that counts, one value per interval.
struct Series {
    const Line* line = nullptr;
    double interval_s = 0;
    std::vector<Values> repetitions;
    Values medians;  // Per interval, over the repetitions that are that long.
};

// What is drawn, and how its values are called.
struct Subject {
    const char* title = "";
    const char* source = "";  // Below a repetition.
    Values (*values_of)(const WriteFigures&) = nullptr;
    std::string (*text_of)(double) = nullptr;
    bool duration = false;  // Nanoseconds on a logarithmic axis; otherwise counts from 0.
};

Values rates_of(const WriteFigures& write) {
    Values values;
    for (const std::uint64_t records : write.series) {
        values.push_back(static_cast<double>(records) * kNsPerSecond /
                         static_cast<double>(write.series_interval_ns));
    }
    return values;
}

Values p99s_of(const WriteFigures& write) {
    return {write.series_p99_ns.begin(), write.series_p99_ns.end()};
}

std::string rate_text(double rate) {
    return format_count(static_cast<std::uint64_t>(rate)) + " records/s";
}

std::string p99_text(double ns) {
    return "p99 " + with_signs(format_duration(static_cast<std::uint64_t>(ns)));
}

constexpr Subject kThroughput = {.title = "Records per second",
                                 .source = "/write/series/",
                                 .values_of = rates_of,
                                 .text_of = rate_text,
                                 .duration = false};
constexpr Subject kLatency = {.title = "p99 over time",
                              .source = "/write/series_p99_ns/",
                              .values_of = p99s_of,
                              .text_of = p99_text,
                              .duration = true};

Series series_of(const RunResult& result, const Line& line, const Subject& subject) {
    Series series;
    series.line = &line;
    for (const Repetition& repetition : system_result(result, line).repetitions) {
        const WriteFigures& write = repetition.write;
        if (!repetition.measured() || write.series_interval_ns == 0) continue;
        Values values = subject.values_of(write);
        if (values.empty()) continue;
        series.interval_s = static_cast<double>(write.series_interval_ns) / kNsPerSecond;
        series.repetitions.push_back(std::move(values));
    }
    for (std::size_t i = 0;; ++i) {
        Values at_once;
        for (const Values& values : series.repetitions) {
            if (i < values.size()) at_once.push_back(values[i]);
        }
        if (at_once.empty()) return series;
        series.medians.push_back(median(at_once));
    }
}

struct Axes {
    Scale x;
    Scale y;
};

void draw_series(const RunResult& result, const Series& series, const Subject& subject,
                 const Axes& axes, Svg& svg) {
    const Line& line = *series.line;
    const std::size_t style = style_of(result, line.system);
    const auto points_of = [&](const Values& values) {
        std::vector<Point> points;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double middle = (static_cast<double>(i) + 0.5) * series.interval_s;
            points.push_back({axes.x.at(middle), axes.y.at(values[i])});
        }
        return points;
    };
    for (const Values& values : series.repetitions) {
        svg.path(points_of(values), "thin " + system_class(style));
    }
    const std::vector<Point> medians = points_of(series.medians);
    svg.path(medians, "curve " + system_class(style));
    for (std::size_t i = 0; i < medians.size(); ++i) {
        const double begin = static_cast<double>(i) * series.interval_s;
        svg.target(
            medians[i], 6,
            {.title = fmt::format("{}, {:g} s to {:g} s: {}, median of {}", line.system, begin,
                                  begin + series.interval_s, subject.text_of(series.medians[i]),
                                  series.repetitions.size()),
             .figure = "",
             .source = repetition_source(line, fmt::format("{}{}", subject.source, i))});
    }
    svg.symbol(medians.back(), style, {.title = line.system, .figure = "", .source = ""});
}

std::string time_chart(const RunResult& result, const std::vector<const Line*>& row,
                       const Subject& subject) {
    std::vector<Series> systems;
    double seconds = 0;
    double highest = 0;
    double lowest = std::numeric_limits<double>::max();
    for (const Line* line : row) {
        Series series = series_of(result, *line, subject);
        if (series.medians.empty()) continue;
        seconds = std::max(seconds, static_cast<double>(series.medians.size()) * series.interval_s);
        for (const Values& values : series.repetitions) {
            highest = std::max(highest, *std::ranges::max_element(values));
            lowest = std::min(lowest, *std::ranges::min_element(values));
        }
        systems.push_back(std::move(series));
    }
    if (systems.empty() || seconds == 0 || highest == 0) return "";
    const Line& first = *systems.front().line;
    const Axes axes = {.x = {.low = 0, .high = seconds, .from = kPanelLeft, .to = kPanelRight},
                       .y = {.low = subject.duration ? std::max(1.0, lowest * 0.8) : 0,
                             .high = highest * (subject.duration ? 1.2 : 1.08),
                             .from = kPanelBottom,
                             .to = kPanelTop,
                             .logarithmic = subject.duration}};
    Svg svg(kPanelWidth, kPanelHeight, fmt::format("{}: {}", subject.title, first.row));
    (subject.duration ? draw_duration_axis : draw_count_axis)(axes.y, svg);
    for (const double tick : linear_ticks(0, seconds, 6)) {
        svg.text({axes.x.at(tick), kPanelBottom + 15}, "middle", "tick", fmt::format("{:g}", tick));
    }
    draw_panel_frame(svg, "seconds into the window");
    for (const Series& series : systems) draw_series(result, series, subject, axes, svg);
    return chart_figure(class_title(subject.title, first.durability), first.row, svg.finish());
}

// --- the steps of a search ---

// Where a step stands in result.json.
struct Step {
    const Line* line = nullptr;
    std::size_t repetition = 0;
    std::size_t index = 0;
    const SearchStep* step = nullptr;
};

std::vector<Step> steps_of(const RunResult& result, const std::vector<const Line*>& row) {
    std::vector<Step> steps;
    for (const Line* line : row) {
        const auto& repetitions = system_result(result, *line).repetitions;
        for (std::size_t r = 0; r < repetitions.size(); ++r) {
            if (!repetitions[r].measured()) continue;
            const auto& search = repetitions[r].write.search;
            for (std::size_t i = 0; i < search.size(); ++i) {
                if (search[i].rate_per_s == 0 || search[i].p99_ns == 0) continue;
                steps.push_back({line, r, i, &search[i]});
            }
        }
    }
    return steps;
}

void draw_step(const RunResult& result, const Step& at, const Axes& axes, Svg& svg) {
    const SearchStep& step = *at.step;
    const Point point = {axes.x.at(static_cast<double>(step.rate_per_s)),
                         axes.y.at(static_cast<double>(step.p99_ns))};
    const Mark mark = {
        .title =
            fmt::format("{} at {} records/s: p99 {}, {}", at.line->system,
                        format_count(step.rate_per_s), with_signs(format_duration(step.p99_ns)),
                        step.sustained ? "sustained" : "not sustained"),
        .figure = "",
        .source = fmt::format("/rows/{}/systems/{}/repetitions/{}/write/search/{}",
                              at.line->row_index, at.line->system_index, at.repetition, at.index)};
    if (step.sustained) {
        svg.symbol(point, style_of(result, at.line->system), mark);
    } else {
        svg.text({point.x, point.y + 4}, "middle", "miss", "\u00d7", mark);
    }
}

}  // namespace

std::string throughput_chart(const RunResult& result, const std::vector<const Line*>& row) {
    return time_chart(result, row, kThroughput);
}

std::string latency_over_time_chart(const RunResult& result, const std::vector<const Line*>& row) {
    return time_chart(result, row, kLatency);
}

std::string search_chart(const RunResult& result, const std::vector<const Line*>& row) {
    const std::vector<Step> steps = steps_of(result, row);
    if (steps.empty()) return "";
    const auto bound = static_cast<double>(result.rows[row.front()->row_index].row.p99_ns);
    const auto rate = [](const Step& step) { return static_cast<double>(step.step->rate_per_s); };
    const auto p99 = [](const Step& step) { return static_cast<double>(step.step->p99_ns); };
    const auto [slow, fast] = std::ranges::minmax(steps, {}, rate);
    const auto [low, high] = std::ranges::minmax(steps, {}, p99);
    const Axes axes = {.x = {.low = 0.9 * rate(slow),
                             .high = 1.1 * rate(fast),
                             .from = kPanelLeft,
                             .to = kPanelRight,
                             .logarithmic = true},
                       .y = {.low = 0.8 * std::min(p99(low), bound > 0 ? bound : p99(low)),
                             .high = 1.2 * std::max(p99(high), bound),
                             .from = kPanelBottom,
                             .to = kPanelTop,
                             .logarithmic = true}};
    const Line& first = *row.front();
    Svg svg(kPanelWidth, kPanelHeight, "Search for the highest rate: " + first.row);
    draw_duration_axis(axes.y, svg);
    for (const double tick : logarithmic_ticks(axes.x.low, axes.x.high)) {
        svg.text({axes.x.at(tick), kPanelBottom + 15}, "middle", "tick", short_count(tick));
    }
    if (bound > 0) {
        svg.line({kPanelLeft, axes.y.at(bound)}, {kPanelRight, axes.y.at(bound)}, "reference");
        svg.text({kPanelRight - 2, axes.y.at(bound) - 4}, "end", "tick", "bound of p99");
    }
    draw_panel_frame(svg, "offered records per second; \u00d7: not sustained");
    for (const Step& step : steps) draw_step(result, step, axes, svg);
    return chart_figure(class_title("p99 at the rates that were tried", first.durability),
                        first.row, svg.finish());
}

}  // namespace walrus::harness
