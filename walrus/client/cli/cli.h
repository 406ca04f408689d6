// The command line of walrus-cli.
#pragma once

#include "walrus/client/cli/context.h"

namespace walrus::client {

// Parses the arguments and does what they ask; returns the process's exit code.
int run_command_line(int argc, char** argv, const Environment& environment);

}  // namespace walrus::client
