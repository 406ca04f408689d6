// What a result says: computed from raw repetitions, nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/report/result.h"
#include "harness/stats/stats.h"

namespace walrus::harness {

// One line of a table: a system in a row.
struct Line {
    std::string row;
    Measure measure = Measure::kAppend;
    Durability durability = Durability::kDisk;
    std::string workload;  // describe(): "10 writers, batches of 256".
    std::string system;
    std::string skipped;  // Why there are no figures.

    std::uint32_t repetitions = 0;  // Measured ones.
    std::uint32_t failed = 0;
    std::uint32_t disturbed = 0;
    // Records per second; kScan: payload bytes per second; kRestart: seconds.
    double figure = 0;  // Median of the repetitions.
    double lowest = 0;
    double highest = 0;
    // All repetitions merged; nanoseconds.
    std::uint64_t p50_ns = 0;
    std::uint64_t p99_ns = 0;
    std::uint64_t p999_ns = 0;
    double flushes_per_append = 0;
    double p50_over_floor = 0;  // p50 as a multiple of the device's own durable write; 0: no floor.

    // Times better than the baseline (faster, or shorter); not valid for the baseline itself.
    Ratio ratio;
    bool is_baseline = false;

    // The class the observed flushes allow; weaker than `durability`: the row is not to be trusted.
    std::string derived_class;
    bool class_mismatch = false;

    std::uint64_t records_checked = 0;
    std::uint64_t anomalies = 0;
    std::string anomaly_summary;
    std::string first_error;
};

std::vector<Line> summarise(const RunResult& result);

// The figure of one repetition, as in Line::figure.
double figure_of(const Row& row, const Repetition& repetition);

}  // namespace walrus::harness
