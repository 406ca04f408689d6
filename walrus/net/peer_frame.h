// What nodes say to each other on a connection, as bytes.
//
//   u32 length of the rest | u32 CRC-32C of what follows | u8 kind | u8 channel | payload
//
// Numbers are little-endian.  The dialer opens with Hello, which a Welcome answers, or with a
// Question, which an Answer answers; a Refusal answers both.  Behind a Welcome the dialer sends
// Messages; Ping and Pong go either way.
//
// Hello and Question begin with the magic number and the version; these two, the frame's layout
// and the Refusal are the same in all versions, so that nodes of different versions understand why
// they do not understand each other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/net/peer_refusal.h"
#include "walrus/net/transport.h"

namespace walrus::net {

inline constexpr std::uint64_t kPeerMagic = 0x7270'7375'726C'6177;  // "walruspr"
inline constexpr std::uint32_t kPeerVersion = 1;

enum class PeerFrameKind : std::uint8_t {
    kHello = 1,
    kWelcome = 2,
    kRefusal = 3,
    kMessage = 4,
    kPing = 5,
    kPong = 6,
    kQuestion = 7,
    kAnswer = 8,
};

struct PeerFrame {
    PeerFrameKind kind = {};
    std::uint8_t channel = 0;  // Of a message; else 0.
    std::string_view payload = {};
};

inline constexpr std::size_t kPeerLengthBytes = 4;
// What a frame has besides its payload.
inline constexpr std::size_t kPeerHeaderBytes = kPeerLengthBytes + 6;
// Of the payload of Hello, Welcome and Refusal.
inline constexpr std::size_t kMaxGreetingBytes = 1024;
inline constexpr std::size_t kMaxPeerAddressBytes = 512;

// Appends what stands before the payload.
void append_peer_header(std::string& out, const PeerFrame& frame);
// A frame without its length; views into it.  Nothing: damaged, or of no kind that is known.
std::optional<PeerFrame> decode_peer_frame(Bytes frame);

// Who dials, and whom it takes the listener for.
struct PeerHello {
    std::uint64_t cluster = 0;
    PeerId from = 0;
    std::uint64_t incarnation = 0;  // Of the process: another at each start.
    PeerId to = 0;
    std::string address = {};  // Where `from` listens.

    bool operator==(const PeerHello&) const = default;
};

// All decoders: kCorruption: not what it should be; kUnsupported: of another version.
std::string encode_hello(const PeerHello& hello);
Result<PeerHello> decode_hello(std::string_view payload);

std::string encode_question(std::string_view question);
Result<std::string> decode_question(std::string_view payload);

std::string encode_refusal(const PeerRefusal& refusal);
Result<PeerRefusal> decode_refusal(std::string_view payload);

}  // namespace walrus::net
