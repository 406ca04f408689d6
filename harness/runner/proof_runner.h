// Runs a resilience scenario: each of its systems once, in a child process that owns the servers,
// the clients and the faults.  The parent judges what the child wrote, also when it died.
#pragma once

#include <string>
#include <vector>

#include "harness/driver/driver.h"
#include "harness/runner/proof_bundle.h"
#include "harness/runner/runner.h"
#include "harness/scenario/resilience.h"
#include "walrus/base/random.h"

namespace walrus::harness {

// A scenario with the text it was read from: the child reads it again.
struct ProofTask {
    ResilienceScenario scenario;
    std::string text;
    std::vector<Override> overrides;
};

// kNotFound, kInvalidArgument: as parse_resilience.
Result<ProofTask> load_resilience(const std::string& path, const std::vector<Override>& overrides);

// Called before each system, with its name.
using ProofProgress = std::function<void(const std::string&)>;

// Runs everything and writes the bundle.  An error means that nothing could be run.
Result<ProofResult> run_resilience(const ProofTask& task, const Registry& registry,
                                   const RunOptions& options, Random& random,
                                   const ProofProgress& on_progress);

}  // namespace walrus::harness
