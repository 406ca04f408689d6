// The command line of walrus-harness.
#pragma once

#include <string>
#include <vector>

#include "harness/driver/driver.h"

namespace walrus::harness {

// What the program's exit code says.
enum class ExitCode {
    kOk = 0,
    kFailure = 1,
    kUsage = 2,
    kRegression = 10,
    kInconclusive = 11,
    kComparatorMissing = 12,  // Only with --require.
    kSafetyViolation = 20,
    kLivenessViolation = 21,
    kSetupFailed = 22,
    kInterrupted = 130,
    kTerminated = 143,
};

// What the environment says about terminals; only main.cc reads it.
struct Environment {
    bool no_colour = false;      // NO_COLOR is set.
    bool dumb_terminal = false;  // TERM=dumb: nothing can be overwritten.
};

// Parses the arguments and does what they ask; returns the process's exit code.
int run_command_line(int argc, char** argv, const Registry& registry,
                     const Environment& environment = {});

}  // namespace walrus::harness
