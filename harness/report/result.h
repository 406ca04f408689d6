// RunResult: everything a run measured; what result.json holds.  Format: results/schema.md.
//
// Raw figures only.  Medians, ratios, derived classes are computed from it (summary.h), so that
// anybody can compute them again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/check/checker.h"
#include "harness/driver/driver.h"
#include "harness/metrics/histogram.h"
#include "harness/metrics/machine.h"
#include "harness/scenario/scenario.h"
#include "harness/workload/figures.h"

namespace walrus::harness {

inline constexpr const char* kResultSchema = "walrus.bench/v1";

// What the reading process measured, after the writing one had ended.
struct ReadBackFigures {
    std::uint64_t open_ns = 0;  // Opening what the writer left behind.
    Verdict verdict;
    // Cold sequential read, only where the row measures it: payload through the system, and all
    // bytes of its files with plain O_DIRECT reads.
    std::uint64_t scan_bytes = 0;
    std::uint64_t scan_ns = 0;
    std::uint64_t plain_bytes = 0;
    std::uint64_t plain_ns = 0;
    std::string memory_state;  // How cold "cold" was.
    ActivityDelta activity;    // While opening, and scanning where the row measures it.
};

// The device's own floor.
struct FloorResult {
    Histogram overwrite_ns;
    Histogram append_ns;

    bool measured() const { return overwrite_ns.count() > 0 || append_ns.count() > 0; }
};

// One measurement of one system in one row: a fresh process and a fresh directory.
struct Repetition {
    std::uint32_t round = 0;     // From 0; repetitions of one round and row are paired.
    std::uint32_t attempt = 0;   // From 0; more when an earlier one of this round was rejected.
    std::uint32_t position = 0;  // Its place in the round's order.
    std::uint64_t seed = 0;
    std::string error;        // Why it has no figures; "" when it has.
    std::string disturbance;  // Why its figures should be distrusted; "" when it was quiet.
    // Why it was disturbed and taken again; "" when it was not.  A rejected repetition is kept as
    // evidence and counts in no figure; what its read-back found counts.
    std::string rejected;
    std::vector<std::string> warnings;  // What a reader of its figures should know.
    bool checked = false;               // Read back and compared.
    FloorResult floor;  // Just before it, where the row's class is synced; may be empty.
    WriteFigures write;
    ReadFigures read;  // Of rows with readers beside the writers.
    ReadBackFigures read_back;

    // Its figures count.
    bool measured() const { return error.empty() && rejected.empty(); }
};

struct SystemResult {
    std::string system;  // Name of a SystemSpec of the scenario.
    Level level = Level::kEngine;
    std::string skipped;  // Why it was not measured at all; "" when it was.
    // Why its figures say nothing (never a quiet moment); "" if they do.
    std::string no_verdict = {};
    std::vector<Repetition> repetitions;
};

struct RowResult {
    Row row;
    std::vector<SystemResult> systems;

    const SystemResult* find(std::string_view system) const;
};

struct RunResult {
    std::string uuid;
    std::string started_at;  // UTC, ISO 8601.
    std::string finished_at;
    std::string revision;  // Of the harness's source.
    std::string command_line;
    bool quick = false;
    bool complete = false;  // False: interrupted or failed; no verdicts.
    std::vector<std::string> notes;
    Settings host;
    Scenario scenario;
    FloorResult floor;  // All rounds merged.
    std::vector<RowResult> rows;

    const RowResult* find_row(std::string_view name) const;
};

}  // namespace walrus::harness
