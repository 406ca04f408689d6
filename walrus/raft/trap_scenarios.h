// Traps of the room's README as small scenarios, one per mutant that chance finds too rarely.
//
// trap_test.cc runs each against the real code, mutants_test.cc against the mutant it names.
#pragma once

#include <span>
#include <string>

#include "walrus/raft/mutants.h"

namespace walrus::raft {

struct TrapScenario {
    const char* name;  // The behaviour, as a sentence.
    Mutant mutant;
    // Returns what went wrong; empty when the promise was kept.
    std::string (*run)();
};

std::span<const TrapScenario> trap_scenarios();

}  // namespace walrus::raft
