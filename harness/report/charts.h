// The charts of a report, drawn as SVG.  Each names its durability class in the title, and every
// mark tells its number and where in result.json it comes from.
#pragma once

#include <string>
#include <vector>

#include "harness/report/table_model.h"

namespace walrus::harness {

// A <figure> each; "" when there is nothing to draw.

// Ratios to the baseline with their intervals, one line per system (a forest plot).
std::string ratio_chart(const RunResult& result, const Table& table);
// Device flushes per record, on a logarithmic axis.
std::string flush_chart(const RunResult& result, const Table& table);
// Latency by percentile of one row, both axes logarithmic; all repetitions merged.
std::string latency_chart(const RunResult& result, const std::vector<const Line*>& row);
// Acknowledged records per second over the window of one row: the median of the repetitions, and
// each repetition as a thin line.
std::string throughput_chart(const RunResult& result, const std::vector<const Line*>& row);
// p99 of each interval of the window, in the same way.
std::string latency_over_time_chart(const RunResult& result, const std::vector<const Line*>& row);
// p99 at every rate that a search for the highest one has tried.
std::string search_chart(const RunResult& result, const std::vector<const Line*>& row);

// The place of a line in figures.json, e.g. "/lines/3/figures/p99_ns".
std::string figure_pointer(const Line& line, const std::string& figure, const RunResult& result);
// Which colour and symbol a system has: its place in the scenario.
std::size_t style_of(const RunResult& result, const std::string& system);
// "131 us" as "131 µs", "1.2x [1.1-1.3]" as "1.2× [1.1–1.3]": for pages, where more characters
// than ASCII are safe.
std::string with_signs(std::string text);

}  // namespace walrus::harness
