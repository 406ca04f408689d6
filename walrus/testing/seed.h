// What the environment says to a test program.
#pragma once

#include <cstdint>

namespace walrus::testing {

// WALRUS_SEED from the environment, else a random one; the same for the whole run.  Printed once to
// stderr as "WALRUS_SEED=...": running the same commit with it repeats a failure.
std::uint64_t test_seed();

// True when the variable is set: WALRUS_REWRITE (write what was seen as what is expected) or
// WALRUS_CRASH_FULL (leave nothing out).
bool test_switch(const char* variable);

}  // namespace walrus::testing
