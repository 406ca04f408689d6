// One dot per line of a table: ratios with their intervals, and flushes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "harness/driver/settings.h"
#include "harness/report/chart_common.h"

namespace walrus::harness {
namespace {

struct Dot {
    const Line* line = nullptr;
    double value = 0;
    double low = 0;  // low == high: no interval.
    double high = 0;
    std::string text;
    Mark mark;
};

struct DotChart {
    std::string title;
    std::string detail;
    std::string axis;
    double reference = 0;  // A line through this value; 0: none.
    std::vector<Dot> dots;
};

constexpr double kDotWidth = 980;
constexpr double kDotLeft = 250;
constexpr double kDotRight = 790;
constexpr double kDotHeading = 22;
constexpr double kDotStep = 19;
constexpr double kDotTop = 8;
constexpr double kDotBottom = 40;

Scale dot_scale(const DotChart& chart) {
    double low = std::numeric_limits<double>::max();
    double high = 0;
    const auto include = [&](double value) {
        if (value <= 0) return;
        low = std::min(low, value);
        high = std::max(high, value);
    };
    include(chart.reference);
    for (const Dot& dot : chart.dots) {
        include(dot.value);
        include(dot.low);
        include(dot.high);
    }
    if (high == 0) low = high = 1;
    // Room at both ends, and enough in all for more than one label.
    constexpr double kLeastSpan = 8;
    const double room = std::max(1.25, std::sqrt(kLeastSpan / (high / low)));
    return {.low = low / room,
            .high = high * room,
            .from = kDotLeft + 44,
            .to = kDotRight - 10,
            .logarithmic = true};
}

std::string tick_text(double value) {
    if (value >= 1) return fmt::format("{:g}", value);
    const double inverse = 1 / value;
    return value >= 0.1 ? fmt::format("{:g}", value)
                        : "1/" + format_count(static_cast<std::uint64_t>(inverse + 0.5));
}

void draw_dot_axis(const DotChart& chart, const Scale& x, double bottom, Svg& svg) {
    for (const double tick : logarithmic_ticks(x.low, x.high)) {
        svg.line({x.at(tick), kDotTop}, {x.at(tick), bottom}, "grid");
        svg.text({x.at(tick), bottom + 15}, "middle", "tick", tick_text(tick));
    }
    if (chart.reference > 0) {
        svg.line({x.at(chart.reference), kDotTop}, {x.at(chart.reference), bottom}, "reference");
    }
    svg.text({(x.from + x.to) / 2, bottom + 32}, "middle", "axis", chart.axis);
}

std::string draw(const DotChart& chart, const RunResult& result) {
    if (chart.dots.empty()) return "";
    double height = kDotTop + kDotBottom;
    for (std::size_t i = 0; i < chart.dots.size(); ++i) {
        const bool heading = i == 0 || chart.dots[i].line->row != chart.dots[i - 1].line->row;
        height += kDotStep + (heading ? kDotHeading : 0);
    }
    Svg svg(kDotWidth, height, chart.title);
    const Scale x = dot_scale(chart);
    draw_dot_axis(chart, x, height - kDotBottom, svg);
    double y = kDotTop;
    for (std::size_t i = 0; i < chart.dots.size(); ++i) {
        const Dot& dot = chart.dots[i];
        if (i == 0 || dot.line->row != chart.dots[i - 1].line->row) {
            y += kDotHeading;
            svg.text({0, y - 4}, "start", "row-name", dot.line->row);
        }
        const double middle = y + kDotStep / 2;
        const std::size_t style = style_of(result, dot.line->system);
        svg.text({12, middle + 4}, "start", "label", dot.line->system);
        if (dot.high > dot.low) {
            svg.line({x.at(dot.low), middle}, {x.at(dot.high), middle},
                     "interval " + system_class(style));
        }
        if (dot.value > 0) {
            svg.symbol({x.at(dot.value), middle}, style, dot.mark);
        } else {
            svg.text({kDotLeft, middle + 4}, "start", "tick", "none", dot.mark);
        }
        svg.text({kDotRight + 10, middle + 4}, "start", "value", dot.text, dot.mark);
        y += kDotStep;
    }
    return chart_figure(chart.title, chart.detail, svg.finish());
}

}  // namespace

std::string ratio_chart(const RunResult& result, const Table& table) {
    DotChart chart;
    chart.title = class_title("Times better than the baseline", table.durability);
    chart.detail = "median over paired rounds, with its 95 % interval; right of the line is better";
    chart.axis = "ratio to the baseline (logarithmic)";
    chart.reference = 1;
    for (const TableLine& entry : table.lines) {
        const Line& line = *entry.line;
        if (!line.ratio.valid() || line.class_mismatch) continue;
        const std::string text = with_signs(ratio_text(line.ratio));
        chart.dots.push_back(
            {&line, line.ratio.value, line.ratio.low, line.ratio.high, text,
             mark_of(result, line, "ratio",
                     fmt::format("{} against {}: {}, {} pairs, {}", line.system, line.baseline,
                                 text, line.ratio.pairs, judgement_name(line.judgement)))});
    }
    return draw(chart, result);
}

std::string flush_chart(const RunResult& result, const Table& table) {
    if (!has_append_latency(table.measure)) return "";
    DotChart chart;
    chart.title = class_title("Device flushes per record", table.durability);
    chart.detail = "counted by the kernel during the window; what makes an acknowledgement durable";
    chart.axis = "flushes per acknowledged record (logarithmic)";
    for (const TableLine& entry : table.lines) {
        const Line& line = *entry.line;
        if (line.repetitions == 0) continue;
        const std::string text = flush_text(line.flushes_per_record) + " per record";
        chart.dots.push_back(
            {&line, line.flushes_per_record, 0, 0, text,
             mark_of(result, line, "flushes_per_record", line.system + ": " + text)});
    }
    return draw(chart, result);
}

}  // namespace walrus::harness
