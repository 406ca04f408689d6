#include "walrus/cluster/command_codec.h"

#include "walrus/cluster/metadata_fields.h"

namespace walrus::cluster {

std::string encode(const Command& command) {
    return wire::encode(kCommandVersion, command);
}

std::string encode(const CommandResult& result) {
    return wire::encode(kCommandVersion, result);
}

Result<Command> decode_command(Bytes bytes) {
    return wire::decode<Command>(kCommandVersion, bytes, "command");
}

Result<CommandResult> decode_command_result(Bytes bytes) {
    return wire::decode<CommandResult>(kCommandVersion, bytes, "command result");
}

}  // namespace walrus::cluster
