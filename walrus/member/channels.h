// Which channel of the transport carries what.
#pragma once

#include <cstdint>

namespace walrus::member {

inline constexpr std::uint8_t kRaftChannel = 0;      // raft/codec.h
inline constexpr std::uint8_t kSegmentsChannel = 1;  // cluster/message_codec.h
inline constexpr std::uint8_t kCallsChannel = 2;     // calls.h

}  // namespace walrus::member
