// Resilience scenarios: load at a rate, faults on the way, and what must hold afterwards.
//
// A scenario file with kind = "resilience"; by example: scenarios/README.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/driver/driver.h"
#include "harness/driver/nodes.h"
#include "harness/scenario/scenario.h"

namespace walrus::harness {

// What is done to a node; and how it is undone.  Fault names are the same in the simulator.
enum class FaultKind {
    kKill,          // SIGKILL.  Started again.
    kTerm,          // SIGTERM.  Started again.
    kPause,         // SIGSTOP.  SIGCONT.
    kRestartStorm,  // Killed and started again many times, often before it is ready.
    kWipe,          // Killed, and all its data removed.  Started again on nothing.
    kBitFlip,       // Killed, and one bit of an acknowledged record on its disk flipped.  Started.
    kDiskFull,      // Its file system filled up.  Space given back.
};
// "kill", "term", "pause", "restart-storm", "wipe", "bit-flip", "disk-full".
std::string_view fault_name(FaultKind kind);

struct FaultPlan {
    FaultKind kind = FaultKind::kKill;
    Role target = Role::kLeader;
    std::uint64_t at_ns = 0;  // After the fault phase began; then every_ns apart.
    std::uint64_t every_ns = 0;
    std::uint32_t times = 1;
    std::uint64_t duration_ns = 500'000'000;  // From the fault to its heal.
    // Not before so many appends were acknowledged since it was due: in the middle of work.
    std::uint64_t after_acks = 0;
    std::uint32_t restarts = 5;  // kRestartStorm.
    std::uint64_t line = 0;
};

struct ResilienceLoad {
    Durability durability = Durability::kDisk;
    std::uint32_t topics = 1;
    std::uint32_t writers = 1;
    std::uint32_t consumers = 1;
    std::uint64_t rate_per_s = 500;  // Of all writers together, an append being one record.
    std::uint64_t payload_bytes = 200;
    std::uint32_t outstanding = 10'000;        // Per writer; more are late, not lost.
    std::uint64_t settle_ns = 20'000'000'000;  // For consumers to get everything, at the end.
};

struct ResiliencePhases {
    std::uint64_t warm_up_ns = 1'000'000'000;
    std::uint64_t steady_ns = 2'000'000'000;
    std::uint64_t fault_ns = 5'000'000'000;  // At least; until all faults are healed.
    std::uint64_t healed_ns = 3'000'000'000;
};

struct ResilienceCheck {
    // Anomalies (their names) that no system can avoid here: must be found, and no others.
    std::vector<std::string> expect = {};
    // May be found.
    std::vector<std::string> allow = {};
    // A node may refuse to start after a fault, in so many words: then nothing of it can be read.
    bool may_refuse = false;
    // Of every fault; 0: not checked.  From its begin, and from the beginning of its heal.
    std::uint64_t first_ack_within_ns = 0;
    std::uint64_t recovered_within_ns = 0;
};

struct ResilienceScenario {
    std::string name = {};
    std::string title = {};
    std::uint64_t seed = 1;
    std::vector<SystemSpec> systems = {};  // Each runs once, on its own.
    ResilienceLoad load;
    ResiliencePhases phases;
    std::vector<FaultPlan> faults = {};
    ResilienceCheck check;
    // Data on a file system in memory of this size, of the run's own; 0: where --data says.
    std::uint64_t disk_bytes = 0;
    std::string path = {};
};

// When which fault begins, in order; times of one plan are at + i * every.
struct DueFault {
    const FaultPlan* plan = nullptr;
    std::uint64_t at_ns = 0;
};
std::vector<DueFault> due_faults(const ResilienceScenario& scenario);

// kInvalidArgument with one line per problem, as parse_scenario.
Result<ResilienceScenario> parse_resilience(std::string_view text, const std::string& path,
                                            const std::vector<Override>& overrides = {});
// Problems with drivers, settings and what they can do.
Status check_against(const ResilienceScenario& scenario, const Registry& registry);

// What a file is, by its key `kind`: "measure" (the default; YAML is one too), "resilience" or
// "suite".
enum class DocumentKind { kMeasure, kResilience, kSuite };
Result<DocumentKind> document_kind(const std::string& path);

// A suite: a list of scenario files, by paths from its own place.
struct Suite {
    std::string name = {};
    std::string title = {};
    std::vector<std::string> scenarios = {};  // Paths as seen from the working directory.
};
Result<Suite> load_suite(const std::string& path);

}  // namespace walrus::harness
