// What the kinds of scenario files have in common.  Private to this room.
#pragma once

#include <toml++/toml.h>

#include <string>
#include <string_view>
#include <vector>

#include "harness/scenario/scenario.h"
#include "harness/scenario/toml_reader.h"

namespace walrus::harness {

// The document with the overrides applied.  kInvalidArgument: no TOML, or an override that fits
// nowhere.
Result<toml::table> parse_toml(std::string_view text, const std::string& path,
                               const std::vector<Override>& overrides);

// The tables [[system]].
void read_systems(TomlTable& table, std::vector<SystemSpec>& systems, Problems& problems);

}  // namespace walrus::harness
