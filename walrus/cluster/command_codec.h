// Commands and their results as bytes: what the metadata log carries.  Layout: spec/metadata.md.
#pragma once

#include <cstdint>
#include <string>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/cluster/command.h"

namespace walrus::cluster {

// The first byte of every command.  The log outlives the program: another layout of an existing
// command is another version, a new command goes to the end of CommandBody.
inline constexpr std::uint8_t kCommandVersion = 1;

std::string encode(const Command& command);
std::string encode(const CommandResult& result);

// kCorruption: not exactly one value of this version.  What decodes encodes to the same bytes.
Result<Command> decode_command(Bytes bytes);
Result<CommandResult> decode_command_result(Bytes bytes);

}  // namespace walrus::cluster
