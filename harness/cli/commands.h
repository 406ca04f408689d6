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
    bool quiet = false;
    std::string command_line;
};

ExitCode run_command(const RunArguments& arguments, const Registry& registry, Output output);
ExitCode list_command(const Registry& registry, Output output);
ExitCode validate_command(const std::vector<std::string>& paths, const Registry& registry,
                          Output output);
// The tables of a bundle, computed from its raw figures.
ExitCode report_command(const std::string& bundle, Output output);

}  // namespace walrus::harness
