// The report as one self-contained page: no script, no network, light and dark.
#pragma once

#include <string>
#include <vector>

#include "harness/report/summary.h"

namespace walrus::harness {

// Raised whenever the same result would give another page: `verify` compares pages of its own
// format only.
inline constexpr int kPageFormat = 1;

// The same result gives the same bytes.  Each number carries its place in figures.json
// (data-figure) and in result.json (data-source).
std::string render_html(const RunResult& result, const std::vector<Line>& lines);

}  // namespace walrus::harness
