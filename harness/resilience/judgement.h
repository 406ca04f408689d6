// ProofJudgement: what a history proves about a system, given what its scenario asks for.  Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/check/history_checker.h"
#include "harness/check/recovery.h"
#include "harness/history/history.h"
#include "harness/scenario/resilience.h"

namespace walrus::harness {

// Worst last, but for kInvalid: an anomaly that was found was found, whatever else went wrong.
enum class ProofOutcome {
    kPassed,
    kInvalid,   // It proves nothing: a fault nobody saw, no work, an expected anomaly missing.
    kLiveness,  // The system did not come back, or not in time.
    kSafety,    // An anomaly that the scenario does not allow, or a crash.
};
// "passed", "invalid", "liveness violation", "safety violation".
std::string_view outcome_text(ProofOutcome outcome);

struct ProofJudgement {
    ProofOutcome outcome = ProofOutcome::kPassed;
    std::vector<std::string> reasons;  // Of an outcome other than kPassed, worst first.
    HistoryVerdict verdict;
    RecoveryFigures recovery;
    std::vector<std::string> expected;  // Names of anomalies found that the scenario allows.
};

ProofJudgement judge(const History& history, const ResilienceCheck& check);

// The same as JSON; the same judgement gives the same document.
nlohmann::json judgement_json(const History& history, const ProofJudgement& judgement);
// For a terminal; several lines.
std::string judgement_text(const History& history, const ProofJudgement& judgement);

}  // namespace walrus::harness
