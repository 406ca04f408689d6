// Peer messages as bytes.
#pragma once

#include <cstdint>
#include <string>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/cluster/message.h"

namespace walrus::cluster {

// The first byte of every message; peers agree on it by the transport's handshake.
inline constexpr std::uint8_t kMessageVersion = 1;

std::string encode(const Message& message);
// kCorruption: not exactly one sound message of this version.
Result<Message> decode_message(Bytes bytes);

}  // namespace walrus::cluster
