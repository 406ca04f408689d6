// The seed of this run of a test program.
#pragma once

#include <cstdint>

namespace walrus::testing {

// WALRUS_SEED from the environment, else a random one; the same for the whole run.  Printed once to
// stderr as "WALRUS_SEED=...": running the same commit with it repeats a failure.
std::uint64_t test_seed();

}  // namespace walrus::testing
