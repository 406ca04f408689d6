// The child's side of a job; see job.h for the protocol.
#pragma once

#include "harness/driver/driver.h"

namespace walrus::harness {

// Reads a job from standard input, does it, answers, and for a write job waits to be ended.
// Returns the process's exit code: 0 when an answer was given, even one with an error.
int run_child(const Registry& registry);

}  // namespace walrus::harness
