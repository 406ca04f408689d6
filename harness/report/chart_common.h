// What the charts share: frames, titles, axes, marks.
#pragma once

#include <string>

#include "harness/report/charts.h"
#include "harness/report/summary.h"
#include "harness/report/svg.h"

namespace walrus::harness {

// A chart of one row: two or three stand side by side.
inline constexpr double kPanelWidth = 420;
inline constexpr double kPanelHeight = 250;
inline constexpr double kPanelLeft = 56;
inline constexpr double kPanelRight = 410;
inline constexpr double kPanelTop = 12;
inline constexpr double kPanelBottom = 212;

// A <figure> with its caption.
std::string chart_figure(const std::string& title, const std::string& detail,
                         const std::string& svg);
// "Latency by percentile \u00b7 class disk".
std::string class_title(const std::string& what, Durability durability);
// The mark of a figure of the line; without places when `name` is no figure of it.
Mark mark_of(const RunResult& result, const Line& line, const std::string& name,
             const std::string& title);
// "/rows/1/systems/0/repetitions/*/write/latency_ns".
std::string repetition_source(const Line& line, const std::string& below);
const SystemResult& system_result(const RunResult& result, const Line& line);

void draw_panel_frame(Svg& svg, const std::string& x_axis);
// Grid lines and labels of a vertical axis: counts, or durations of nanoseconds.
void draw_count_axis(const Scale& y, Svg& svg);
void draw_duration_axis(const Scale& y, Svg& svg);
// "2 M", "50 k".
std::string short_count(double value);

}  // namespace walrus::harness
