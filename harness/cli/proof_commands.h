// Resilience scenarios on the command line: running them, and judging what they left again.
#pragma once

#include <string>

#include "harness/cli/commands.h"
#include "harness/runner/proof_bundle.h"
#include "harness/runner/proof_runner.h"

namespace walrus::harness {

// The worst of its runs: 20, 21, 11 (proves nothing), 22 (could not be set up), 12 (nothing was run
// for want of what --require names), 0; 130 and 143 when a signal ended it.
ExitCode exit_code_of(const ProofResult& result);

// Runs one, prints what came out and where the page is.
ExitCode run_proof(const ProofTask& task, const Registry& registry, const RunOptions& options,
                   const Terminal& terminal);

// `path`: a bundle, or a history alone (then nothing is expected, allowed or timed, unless
// `scenario` names the file that says so).
ExitCode judge_command(const std::string& path, const std::string& scenario, Output output);

}  // namespace walrus::harness
