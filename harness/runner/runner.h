// Runs a scenario: rounds of interleaved repetitions, each in fresh processes and a fresh
// directory.
//
//   for each round, for each row its systems in rotating order:
//     where the class is synced: the device's floor, just before;
//     child 1 opens an empty directory, runs the load, hands over figures and journal;
//     it is killed (or stopped); child 2 opens what is left, reads everything, checks it;
//     the directory is deleted, and the device is waited for until it is idle;
//     a repetition that other work disturbed is rejected and taken again (gate.h).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "harness/driver/driver.h"
#include "harness/report/result.h"
#include "harness/runner/gate.h"
#include "harness/scenario/scenario.h"
#include "walrus/base/random.h"
#include "walrus/base/result.h"

namespace walrus::harness {

struct RunOptions {
    std::string executable;        // This program.
    std::string bundle_directory;  // Created; must not hold a bundle already.
    std::string data_directory;    // Where systems keep their data; "" = inside the bundle.
    std::string command_line;
    bool quick = false;
    bool keep_data = false;  // Of repetitions that failed.
    GateLimits gate;
    std::uint64_t child_slack_ms = 120'000;  // What a child may take beyond its planned time.
};

// How far a run is, before and after each repetition.
struct Progress {
    std::uint32_t done = 0;
    std::uint32_t total = 0;
    std::uint32_t round = 0;
    std::uint32_t attempt = 0;
    std::string what;    // "single appends, 10 writers / rocksdb-wal"
    std::string figure;  // "52,123 records/s"; "" before the repetition.
    std::uint64_t elapsed_ns = 0;
};
using ProgressSink = std::function<void(const Progress&)>;

// Runs everything and writes the bundle, after every round and at the end, also when interrupted
// (then result.complete is false).  An error means that nothing could be run: no directory, no
// space.
Result<RunResult> run_scenario(const Scenario& scenario, const Registry& registry,
                               const RunOptions& options, Random& random,
                               const ProgressSink& on_progress);

// "52,123 records/s", "1.25 GB/s", "4.10 ms": the figure of a repetition that has one.
std::string describe_figure(const Row& row, const Repetition& repetition);

}  // namespace walrus::harness
