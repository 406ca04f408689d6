// FrameServer: accepts connections and moves frames between them and their handlers.
//
// A frame is a 32-bit length and that many bytes; what is in it is the handler's business.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "walrus/base/result.h"
#include "walrus/net/asio_loop.h"
#include "walrus/net/connection_handler.h"

namespace walrus::net {

enum class LengthOrder : std::uint8_t { kLittleEndian, kBigEndian };

struct ServerOptions {
    std::string name = "server";  // In log lines.
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  // 0: any free one.
    LengthOrder length_order = LengthOrder::kLittleEndian;
    std::uint32_t max_frame_bytes = 64 << 10;

    std::uint32_t max_connections = 10'000;
    std::string refusal = {};  // Sent to those beyond the limit before they are closed.
    // A connection takes no further request while one of these is exceeded; it goes on when the
    // client has read.
    std::uint32_t max_unanswered = 1000;
    std::uint64_t max_unsent_bytes = 4 << 20;
    // No byte came or went for so long and no request is in hand: closed.  0: never.
    std::uint64_t idle_timeout_ms = 600'000;
    // How long a connection that is being closed may take for its last replies.
    std::uint64_t linger_ms = 2000;
};

// Counted since the start.
struct ServerStats {
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;  // Beyond max_connections.
    std::uint64_t closed_idle = 0;
    std::uint64_t closed_bad_length = 0;
    std::uint64_t requests = 0;
    std::uint64_t received_bytes = 0;
    std::uint64_t sent_bytes = 0;
    std::uint32_t connections = 0;  // Now.
};

// Everything on the loop.  The destructor closes what is open, without waiting.
class FrameServer {
public:
    // Listens from now on.  kBusy: the port is in use; kInvalidArgument: the host is not an address
    // of this machine; kIo.
    static Result<std::unique_ptr<FrameServer>> listen(AsioLoop& loop, ServerOptions options,
                                                       HandlerFactory make_handler);
    virtual ~FrameServer() = default;

    virtual std::uint16_t port() const = 0;
    virtual const ServerStats& stats() const = 0;

    // Accepts and reads no more; a connection is closed when the requests in hand are answered and
    // sent.  `done` runs when none is left, after `deadline_ms` at the latest: the rest is cut off.
    virtual void drain(std::uint64_t deadline_ms, std::function<void()> done) = 0;
};

}  // namespace walrus::net
