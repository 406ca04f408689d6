// The verbs of walrus-harness, after parsing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/cli/cli.h"
#include "harness/driver/driver.h"
#include "harness/scenario/scenario.h"

namespace walrus::harness {

// Results on stdout as text for people or as JSON for programs; everything else on stderr.
enum class Output { kText, kJson };

// How to show things, once what the terminals can is known.
struct Terminal {
    Output output = Output::kText;
    bool colours = false;   // On standard output.
    bool progress = false;  // A line on standard error that is overwritten.
};

struct RunArguments {
    std::vector<std::string> scenarios;
    std::vector<Override> overrides;
    std::optional<std::uint64_t> seed;
    std::optional<std::uint32_t> repetitions;
    std::string out;   // Bundle directory; "" = bundles/<date>-<name>-<seed>.
    std::string data;  // "" = inside the bundle.
    bool quick = false;
    bool require = false;
    bool keep_data = false;
    bool no_gate = false;
    // "30s"; "" = the runner's own.
    std::string gate_wait;
    std::string child_timeout;
    std::string command_line;
};

// Measures, resilience scenarios and suites of either.
ExitCode run_command(const RunArguments& arguments, const Registry& registry,
                     const Terminal& terminal);
ExitCode list_command(const Registry& registry, Output output);
ExitCode validate_command(const std::vector<std::string>& paths, const Registry& registry,
                          Output output);

// Tells the user, on standard error.
void complain(const Error& error);

}  // namespace walrus::harness
