// Every number that a report prints, with the place in result.json it was computed from.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/report/summary.h"

namespace walrus::harness {

inline constexpr const char* kFiguresSchema = "walrus.figures/v1";

struct Figure {
    std::string name;  // "p99_ns": unique within its line.
    double value = 0;
    std::string unit;
    // JSON pointer into result.json; '*' stands for every repetition that counts.
    std::string source;
};

// Of a line without figures (skipped, failed): none.
std::vector<Figure> figures_of(const Line& line);
std::vector<Figure> floor_figures(const FloorResult& floor);

// What figures.json holds.  `lines` are those of summarise().
nlohmann::json figures_json(const RunResult& result, const std::vector<Line>& lines);

// Where two documents differ, as JSON pointers with both values, at most `limit`.  Numbers are the
// same when they differ by less than 1 in 10^12: mathematical libraries may differ in the last bit.
std::vector<std::string> json_differences(const nlohmann::json& expected,
                                          const nlohmann::json& found, std::size_t limit);

}  // namespace walrus::harness
