// Workload files of the OpenMessaging Benchmark (YAML), read as they are.
//
// They say nothing about the system, so the scenario has Walrus in class disk; others are set with
// --set system.0.driver=..., --set row.0.durability=... .
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "walrus/base/result.h"

namespace walrus::harness {

struct OmbScenario {
    std::string toml;                // The same as a scenario file of ours.
    std::vector<std::string> notes;  // What the file asks for and we do in another way.
};

// kInvalidArgument with one line per problem, "path:line: what is wrong": unknown keys, missing
// ones, values that cannot be.  `path` names the scenario as well.
Result<OmbScenario> read_omb_workload(std::string_view text, const std::string& path);

}  // namespace walrus::harness
