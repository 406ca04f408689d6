// What a result says: computed from raw repetitions, nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/report/result.h"
#include "harness/stats/stats.h"

namespace walrus::harness {

inline constexpr double kNsPerSecond = 1e9;

// One line of a table: a system in a row.
struct Line {
    std::string row;
    // Where the raw figures are: result.rows[row_index].systems[system_index].
    std::size_t row_index = 0;
    std::size_t system_index = 0;
    Measure measure = Measure::kAppend;
    Durability durability = Durability::kDisk;
    std::string workload;  // describe(): "10 writers, batches of 256".
    std::string system;
    Level level = Level::kEngine;
    std::string skipped;  // Why there are no figures.

    std::uint32_t repetitions = 0;  // Those the figures come from.
    std::uint32_t failed = 0;
    std::uint32_t rejected = 0;   // Measured, but the machine was not fit; left out everywhere.
    std::uint32_t disturbed = 0;  // Of `repetitions`.
    std::vector<std::string> warnings;  // Of `repetitions`.
    // Records per second; kScan: payload bytes per second; kRestart: seconds.
    double figure = 0;  // Median of the repetitions.
    double lowest = 0;
    double highest = 0;
    // All repetitions merged; nanoseconds.
    std::uint64_t p50_ns = 0;
    std::uint64_t p99_ns = 0;
    std::uint64_t p999_ns = 0;
    double flushes_per_append = 0;
    double flushes_per_record = 0;
    std::uint64_t floor_p50_ns = 0;  // The device's own durable write; 0: not measured.
    bool own_floor = false;          // Measured beside this line's repetitions.
    double p50_over_floor = 0;       // 0: no floor, or not a synced class.

    // Open loop only.
    std::uint64_t offered_per_s = 0;
    std::uint64_t delay_p99_ns = 0;  // From the intended time to the call.
    std::uint64_t late_sends = 0;
    double late_share = 0;
    // Rows with readers only.
    std::uint64_t read_p50_ns = 0;  // From send to read.
    std::uint64_t read_p99_ns = 0;
    std::uint32_t caught_up = 0;  // Repetitions whose readers caught up.

    // Times better than the baseline (faster, or shorter); not valid for the baseline itself.
    Ratio ratio;
    bool is_baseline = false;
    std::string baseline;  // What the ratio is to: "rocksdb-wal", or "rocksdb-wal in <row>".
    // A row that measures cold scans is judged against plain reads of the same bytes.
    Judgement judgement = Judgement::kNone;
    std::string no_verdict;  // Why `judgement` says nothing; "" when it does, or for a baseline.

    // The class the observed flushes allow; weaker than `durability`: the row is not to be trusted.
    std::string derived_class;
    bool class_mismatch = false;

    std::uint64_t records_checked = 0;
    std::uint64_t anomalies = 0;
    std::string anomaly_summary;
    std::string first_error;
};

std::vector<Line> summarise(const RunResult& result);

// The measure's own figures come with the latency of its appends.
bool has_append_latency(Measure measure);
// Readers work off what was written before they began.
bool reads_backlog(Measure measure);
// The figure of one repetition, as in Line::figure.
double figure_of(const Row& row, const Repetition& repetition);
// The append latencies of all repetitions that count.
Histogram merged_latency(const SystemResult& system);
// The figures of all repetitions that count, larger is better: a time is turned into 1/time.
std::vector<double> goodnesses(const Row& row, const SystemResult& system);

}  // namespace walrus::harness
