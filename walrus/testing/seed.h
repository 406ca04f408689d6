// What the environment says to a test program.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace walrus::testing {

// WALRUS_SEED from the environment, else a random one; the same for the whole run.  Printed once to
// stderr as "WALRUS_SEED=...": running the same commit with it repeats a failure.
std::uint64_t test_seed();

// True when the variable is set: WALRUS_REWRITE (write what was seen as what is expected) or
// WALRUS_CRASH_FULL (leave nothing out).
bool test_switch(const char* variable);

// The variable as a number, `otherwise` when it is not set.
std::uint64_t test_number(const char* variable, std::uint64_t otherwise);
// The variable as numbers with commas between them; nothing when it is not set.
std::optional<std::vector<std::uint32_t>> test_numbers(const char* variable);

}  // namespace walrus::testing
