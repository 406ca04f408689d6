// Scenario: what to run, parsed once from TOML into typed structs.
//
// The file format by example: scenarios/README.md.  Unknown keys and impossible combinations are
// errors that name file, line and the nearest known word; nothing is guessed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/driver/driver.h"
#include "walrus/base/result.h"

namespace walrus::harness {

// How writers offer work.
enum class Load {
    kClosed,  // Each writer has one append outstanding: the next begins when the last is acked.
    kWindow,  // Each writer keeps `outstanding` asynchronous appends in flight.
    kOpen,    // Appends are due at fixed moments, whether or not earlier ones were acknowledged.
    kBurst,   // As kClosed, in bursts with pauses between.
};
std::string_view load_name(Load load);

// When the appends of an open loop are due.
enum class Arrivals {
    kUniform,  // At equal distances.
    kPoisson,  // Independently of each other, from the seed.
};
std::string_view arrivals_name(Arrivals arrivals);

// What a row measures.
enum class Measure {
    kAppend,   // Acknowledged records per second and append latency.
    kScan,     // Cold sequential read of everything written, against plain reads of the same files.
    kRestart,  // Time to open again after the writer ended.
    kMaxRate,  // The highest open-loop rate that is sustained with p99 within a bound.
    kTail,     // Readers follow the writers: how long from send to read.
    kCatchUp,  // Readers begin at the start of a written log while writing goes on.
    kDrain,    // Readers empty a written log, with writing going on or not.
};
std::string_view measure_name(Measure measure);
inline constexpr std::uint32_t kMostSearchSteps = 32;  // Of kMaxRate.

// How the writing process ends before its records are read back by another process.
enum class Ending {
    kKill,  // SIGKILL, with everything still open.
    kStop,  // An orderly stop.
    // Only the client ends: a server is started once in a run, warmed up, and kept through all
    // repetitions of its rows, which have topics of their own.
    kKeep,
};
std::string_view ending_name(Ending ending);

// The measure has readers beside its writers.
bool reads_live(Measure measure);

// One writer's bursts: `records` of them, then a pause; each burst is larger than the last by
// `growth_records`, up to `most_records`, and then they begin again.
struct Bursts {
    std::uint64_t records = 0;
    std::uint64_t growth_records = 0;
    std::uint64_t most_records = 0;  // 0: as large as `records`.
    std::uint64_t pause_ns = 0;

    bool operator==(const Bursts&) const = default;
};

struct Workload {
    Load load = Load::kClosed;
    std::uint32_t writers = 1;
    std::uint32_t batch = 1;  // Records per append.
    // Appends in flight per writer.  More than 1: asynchronous ones, with kWindow and kOpen only.
    std::uint32_t outstanding = 1;
    std::uint32_t topics = 1;
    std::uint64_t payload_bytes = 800;
    std::uint64_t payload_bytes_max = 0;  // Sizes are drawn up to this; 0: all of payload_bytes.
    std::uint64_t rate_per_s = 0;         // kOpen: records, of all writers together.
    Arrivals arrivals = Arrivals::kUniform;
    Bursts bursts;                          // kBurst.
    std::uint32_t readers = 0;              // Beside the writers; each reads every topic in full.
    bool under_load = false;                // kDrain: writing goes on.
    std::uint64_t warmup_ns = 300'000'000;  // Excluded from every figure.
    std::uint64_t duration_ns = 1'000'000'000;
    // Stop writing after so much payload; 0: time alone decides.  kCatchUp and kDrain: what is
    // written before the readers begin.
    std::uint64_t max_bytes = 0;

    bool operator==(const Workload&) const = default;
};

// "1 writer", "1 writer, batches of 256", "64 writers, 10,000 topics", ...
std::string describe(const Workload& workload);
// Bytes of payload in a record, on average.
std::uint64_t mean_payload_bytes(const Workload& workload);

struct SystemSpec {
    std::string name;    // Unique in the scenario; what tables call it.
    std::string driver;  // In the registry.
    Settings settings;
    std::uint64_t line = 0;

    bool operator==(const SystemSpec&) const = default;
};

// One line of a table: a workload in a class, measured on several systems.
struct Row {
    std::string name;  // Unique; swept values are appended ("appends, 10 writers").
    Measure measure = Measure::kAppend;
    Durability durability = Durability::kDisk;
    Ending ending = Ending::kKill;
    Workload workload;
    std::vector<std::string> systems;
    Settings settings;  // Of all its systems, on top of their own.
    // kMaxRate: the bound of p99.  Open loop: a send that is later than this is late; 0: a default.
    std::uint64_t p99_ns = 0;
    std::string baseline;      // Ratios are to this system; "" for none.
    std::string baseline_row;  // ... in this row; "" for the same row.
    std::uint64_t line = 0;

    bool operator==(const Row&) const = default;
};

// How long the load of a row may take, where time decides; what it takes to move max_bytes comes
// on top.
std::uint64_t longest_load_ns(const Row& row);
// `over` on top of `settings`.
Settings merged_settings(const Settings& settings, const Settings& over);
// The row's systems run on servers that are kept through many repetitions, where they can.
bool keeps_servers(const Row& row);
// Readers beside the writers must see what is appended after they began.
bool needs_live_read(const Row& row);

struct Scenario {
    std::string name;
    std::string title;
    std::uint64_t seed = 1;
    std::uint32_t repetitions = 5;
    std::vector<SystemSpec> systems;
    std::vector<Row> rows;
    std::vector<std::string> notes;  // What a reader of its results must know.
    std::string path;                // Where it came from.

    const SystemSpec* find_system(std::string_view system) const;
    const Row* find_row(std::string_view row) const;
};

// A change to a scenario before it is checked: "row.*.workload.duration=2s", "repetitions=3".
// Path segments are keys, array positions from 0, or '*' for every element.
using Override = std::string;

// kInvalidArgument with one line per problem: "path:line: what is wrong (did you mean ...)".
Result<Scenario> parse_scenario(std::string_view text, const std::string& path,
                                const std::vector<Override>& overrides = {});
// As parse_scenario on a file; .yaml and .yml are workloads of the OpenMessaging Benchmark
// (omb_yaml.h).  kNotFound when there is no such file.
Result<Scenario> load_scenario(const std::string& path,
                               const std::vector<Override>& overrides = {});

// kUnsupported: the system is not in this build or not on this machine, with the reason; its rows
// go on without it.
Status check_present(const SystemSpec& system, const Registry& registry);
// Checks drivers, their settings and what they can do.  Absent drivers (not in this build) are not
// problems here: their rows are skipped, loudly, by the runner.
Status check_against(const Scenario& scenario, const Registry& registry);

// Fewer repetitions and shorter windows: to try a scenario out, not to quote its figures.
void make_quick(Scenario& scenario);

}  // namespace walrus::harness
