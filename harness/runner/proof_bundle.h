// The bundle of a resilience scenario, and judging it again.
//
//   result.json               who, where, when, and the judgement of every run
//   scenario.toml             as its file was; overrides are in result.json
//   histories/<system>.jsonl  what happened: everything else follows from it
//   logs/                     of the servers and of the child processes
//   report.md, report.html    for people
//   manifest.json             SHA-256 of every file
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/report/bundle.h"
#include "harness/resilience/judgement.h"
#include "harness/scenario/resilience.h"

namespace walrus::harness {

inline constexpr const char* kResilienceSchema = "walrus.resilience/v1";

// One system, run once.
struct ProofRun {
    std::string system;
    // Of setting up or of the harness; "" when there is a whole history.
    std::string error;
    History history;  // Empty when there is none at all.
    ProofJudgement judgement;
};

struct ProofResult {
    std::string scenario;
    std::vector<ProofRun> runs;
    std::vector<std::string> skipped;  // "kafka: java was not found".
    bool interrupted = false;
};

// Judges a history as a scenario asks; for runs and for saved histories alike.
ProofRun judge_run(const std::string& system, History history, const ResilienceCheck& check);

nlohmann::json runs_json(const ProofResult& result);
std::string result_text(const ProofResult& result);

// Writes result.json with `about` (run, host, overrides) and the reports, then the manifest.
Status write_proof(const std::string& bundle, const ProofResult& result,
                   const nlohmann::json& about);

// True: the directory holds the bundle of a resilience scenario.
bool is_proof_bundle(const std::string& bundle);
// Judges its histories again, from nothing but them and the scenario.
Result<ProofResult> judge_bundle(const std::string& bundle);
// Hashes every file, judges every history again and compares with result.json and the reports.
Result<Verification> verify_proof(const std::string& bundle);

}  // namespace walrus::harness
