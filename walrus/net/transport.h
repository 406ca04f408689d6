// Transport: frames between the nodes of a cluster, and questions of nodes that do not belong to
// one yet.
//
// It may lose, delay, repeat and reorder frames, as a network does; it never changes them.  All of
// it is used on the loop, and calls back on the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "walrus/base/result.h"

namespace walrus::net {

using PeerId = std::uint64_t;  // Of a node; 0 is nobody.

// What a node does with what comes in.
struct TransportHandlers {
    // `frame` lives until this returns.
    std::function<void(PeerId from, std::uint8_t channel, std::string_view frame)> receive;
    // A question of ask(), from somebody who need not be a member; `answer` may be called later,
    // once.
    std::function<void(std::string question, std::function<void(std::string)> answer)> asked;
};

class Transport {
public:
    virtual ~Transport() = default;

    // Before anything else.
    virtual void set_handlers(TransportHandlers handlers) = 0;
    // Where a peer is: "host:port".  Another address replaces the former one.
    virtual void set_peer(PeerId peer, const std::string& address) = 0;
    // Its connections go; what comes from it is thrown away.
    virtual void remove_peer(PeerId peer) = 0;

    // Frames of one channel and peer come in order or not at all, unless a connection breaks.
    // Dropped when the peer is not known, not connected, or has too much unsent.
    virtual void send(PeerId to, std::uint8_t channel, std::string frame) = 0;

    // One question to whoever listens at `address`, before this node belongs to a cluster.
    // kTimeout: no answer; kUnsupported: it speaks another version; kIo: nobody is there;
    // kInvalidArgument: not an address.
    virtual void ask(const std::string& address, std::string question, std::uint64_t timeout_ms,
                     std::function<void(Result<std::string>)> done) = 0;
};

}  // namespace walrus::net
