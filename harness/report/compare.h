// Two runs of the same scenario against each other: is the newer one slower?
//
// The two were measured at different times, so their repetitions cannot be paired; the baselines
// of the rows, which did not change, show how far the machine itself has moved between them.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/report/summary.h"

namespace walrus::harness {

struct CompareRules {
    double threshold = 0.05;  // A loss above this share is a regression.
    // Each lets through, with a label, what is refused otherwise.
    bool allow_unlike_classes = false;
    bool allow_unlike_workloads = false;
    bool allow_unlike_machines = false;
};

// What the gate says about a line, or about all of them.
enum class Gate {
    kOk,            // A regression beyond the bar is ruled out.
    kReference,     // A baseline: shows how the machine moved, is not judged.
    kInconclusive,  // The interval spans the bar, or the machine moved further than the bar.
    kRegression,    // The whole interval lies beyond the bar and beyond what the machine moved.
};
// "ok", "reference", "inconclusive", "REGRESSION".
std::string_view gate_name(Gate gate);

// One system in one row, in both runs.
struct ComparedLine {
    std::string row;
    std::string system;
    Measure measure = Measure::kAppend;
    Durability durability = Durability::kDisk;
    double before = 0;  // Line::figure of the old run, and of the new one.
    double after = 0;
    Ratio ratio;            // How many times better the new one is.
    double rank_p = 1;      // Mann-Whitney: a second opinion.
    double p99_before = 0;  // Nanoseconds.
    double p99_after = 0;
    Judgement judgement = Judgement::kNone;
    Gate gate = Gate::kOk;
    std::string why;    // Why the gate says so; "" for kOk and kReference.
    std::string label;  // What is unlike and was let through.
};

struct Comparison {
    std::string before;  // "engine-quick of 2026-11-23T14:49:17Z, revision 434f3ad9abb9".
    std::string after;
    CompareRules rules;
    std::vector<ComparedLine> lines;
    std::vector<std::string> remarks;  // Machines unlike, rows in one run only, runs incomplete.
    // Class -> the largest change of a baseline whose interval excludes 1: what the machine did on
    // its own.
    std::map<Durability, double> machine_moved;
    double geometric_mean = 0;  // Of the ratios of judged lines; 0 when there are none.
    std::size_t judged = 0;
    std::uint64_t anomalies = 0;  // Of the new run.
    Gate gate = Gate::kOk;        // The worst of all lines.
};

// kInvalidArgument: unlike classes, workloads or machines that `rules` do not allow, or no row in
// common; the message says which, and the option that lets them through.
Result<Comparison> compare_results(const RunResult& before, const RunResult& after,
                                   const CompareRules& rules);

std::string render_comparison(const Comparison& comparison);
std::string render_comparison_markdown(const Comparison& comparison);
nlohmann::json comparison_json(const Comparison& comparison);

}  // namespace walrus::harness
