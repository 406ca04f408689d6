// What the parts of one PeerTransport share.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "walrus/base/random.h"
#include "walrus/net/asio_loop.h"
#include "walrus/net/peer_transport.h"
#include "walrus/net/receive_buffer.h"

namespace walrus::net {

// Kept by every part; `loop` and `random` must not be used once the transport is gone.
struct PeerContext {
    AsioLoop& loop;
    Random& random;
    PeerTransportOptions options;
    std::uint64_t incarnation = 0;

    std::uint64_t cluster = 0;  // 0: no identity yet.
    PeerId self = 0;
    std::string address = {};
    TransportHandlers handlers = {};
    PeerStats stats = {};
    BlockPool blocks = {};
};

using PeerContextPtr = std::shared_ptr<PeerContext>;

}  // namespace walrus::net
