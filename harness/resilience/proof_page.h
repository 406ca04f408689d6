// The report of a resilience scenario as one self-contained page.
#pragma once

#include <string>
#include <vector>

#include "harness/resilience/judgement.h"

namespace walrus::harness {

// One system's part; copies of small things and references to the history.
struct ProofPagePart {
    std::string system;
    std::string error;
    const History& history;
    const ProofJudgement& judgement;
};

// Per system: the outcome, latency over time with the faults as bands, acknowledged records that no
// consumer has read yet, and every figure of the text report.  The same histories give the same
// bytes.
std::string render_proof_page(const std::string& scenario, const std::vector<ProofPagePart>& parts);

}  // namespace walrus::harness
