// prove: one system under load, broken as a scenario says, and everything written down.
#pragma once

#include <cstdint>
#include <string>

#include "harness/driver/driver.h"
#include "harness/metrics/paced_clock.h"
#include "harness/scenario/resilience.h"

namespace walrus::harness {

struct ProveRequest {
    const ResilienceScenario& scenario;
    std::string system = {};   // Its name in the scenario.
    std::string version = {};  // As its driver says.
    std::uint64_t run_id = 0;
    std::string history = {};  // Path of the file to write.
    std::string logs = {};     // Directory for the nodes' logs.
};

// Phases: warm-up, steady, fault (until every fault is healed), healed, final.  In the last one
// nothing is sent any more, every topic is read from its start to its end, and the consumers have
// time to get what is left.  An error means that there is no history worth judging; whatever else
// happens is in it.
Status prove(System& system, const ProveRequest& request, PacedClock& clock);

}  // namespace walrus::harness
