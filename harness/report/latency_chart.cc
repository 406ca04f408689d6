// Latency by percentile, both axes logarithmic.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "harness/driver/settings.h"
#include "harness/report/chart_common.h"

namespace walrus::harness {
namespace {

// How far right a percentile stands: 0 for the smallest value, 1 for p90, 2 for p99, ...
double nines(double q) {
    return -std::log10(1 - q);
}

struct Percentile {
    double q = 0;
    const char* name = "";
    const char* figure = "";
};
constexpr Percentile kPercentiles[] = {{0.5, "p50", "p50_ns"},    {0.9, "p90", ""},
                                       {0.99, "p99", "p99_ns"},   {0.999, "p99.9", "p999_ns"},
                                       {0.9999, "p99.99", ""},    {0.99999, "p99.999", ""},
                                       {0.999999, "p99.9999", ""}};

struct LatencyPlot {
    Scale x;
    Scale y;
};

void draw_latency_of(const RunResult& result, const Line& line, const Histogram& latency,
                     const LatencyPlot& plot, Svg& svg) {
    constexpr double kStep = 0.04;  // Nines between two points of the curve.
    const std::size_t style = style_of(result, line.system);
    const double last = nines(1 - 1 / static_cast<double>(latency.count()));
    const auto at = [&](double x) {
        const double value = static_cast<double>(latency.quantile(1 - std::pow(10, -x)));
        return Point{plot.x.at(x), plot.y.at(value)};
    };
    std::vector<Point> points;
    for (double x = 0; x < last; x += kStep) points.push_back(at(x));
    points.push_back({plot.x.at(last), plot.y.at(static_cast<double>(latency.max()))});
    svg.path(points, "curve " + system_class(style));
    for (const auto& [q, name, figure] : kPercentiles) {
        if (nines(q) > last) continue;
        const std::string text = fmt::format("{} {}: {}", line.system, name,
                                             with_signs(format_duration(latency.quantile(q))));
        Mark mark = mark_of(result, line, figure, text);
        if (mark.source.empty()) mark.source = repetition_source(line, "/write/latency_ns");
        svg.symbol(at(nines(q)), style, mark);
    }
}

void draw_latency_axes(const LatencyPlot& plot, const RunResult& result, bool synced, Svg& svg) {
    draw_duration_axis(plot.y, svg);
    for (const auto& [q, name, figure] : kPercentiles) {
        if (nines(q) > plot.x.high) break;
        svg.line({plot.x.at(nines(q)), kPanelTop}, {plot.x.at(nines(q)), kPanelBottom}, "grid");
        // The last label would hang over the edge.
        const bool at_the_end = plot.x.at(nines(q)) > kPanelRight - 16;
        svg.text({at_the_end ? kPanelRight : plot.x.at(nines(q)), kPanelBottom + 15},
                 at_the_end ? "end" : "middle", "tick", name + 1);
    }
    const Histogram& floor =
        result.floor.overwrite_ns.count() > 0 ? result.floor.overwrite_ns : result.floor.append_ns;
    if (synced && floor.count() > 0) {
        const double y = plot.y.at(static_cast<double>(floor.quantile(0.5)));
        svg.line({kPanelLeft, y}, {kPanelRight, y}, "reference");
        svg.text({kPanelRight - 2, y - 4}, "end", "tick", "device floor, p50",
                 {.title = "device floor p50: " + with_signs(format_duration(floor.quantile(0.5))),
                  .figure = "/floor",
                  .source = "/floor"});
    }
    draw_panel_frame(svg, "percentile of all appends");
}

}  // namespace

std::string latency_chart(const RunResult& result, const std::vector<const Line*>& row) {
    std::vector<std::pair<const Line*, Histogram>> systems;
    LatencyPlot plot;
    plot.x = {.low = 0, .high = 1, .from = kPanelLeft, .to = kPanelRight};
    plot.y = {.low = std::numeric_limits<double>::max(),
              .high = 1,
              .from = kPanelBottom,
              .to = kPanelTop,
              .logarithmic = true};
    for (const Line* line : row) {
        Histogram latency = merged_latency(system_result(result, *line));
        if (latency.count() < 2) continue;
        plot.x.high = std::max(plot.x.high, nines(1 - 1 / static_cast<double>(latency.count())));
        plot.y.low = std::min(plot.y.low, std::max(1.0, 0.8 * static_cast<double>(latency.min())));
        plot.y.high = std::max(plot.y.high, 1.2 * static_cast<double>(latency.max()));
        systems.emplace_back(line, std::move(latency));
    }
    if (systems.empty() || !has_append_latency(row.front()->measure)) return "";
    const Line& first = *systems.front().first;
    const bool synced = first.durability >= Durability::kDisk;
    Svg svg(kPanelWidth, kPanelHeight, "Latency by percentile: " + first.row);
    draw_latency_axes(plot, result, synced, svg);
    for (const auto& [line, latency] : systems) draw_latency_of(result, *line, latency, plot, svg);
    return chart_figure(class_title("Latency by percentile", first.durability), first.row,
                        svg.finish());
}

}  // namespace walrus::harness
