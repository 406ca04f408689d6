// MemoryNetwork: transports in one process, on one loop.
//
// A frame is delivered by a post, in order, or lost: when one side is gone, does not know the
// other, or the line between them is cut.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "walrus/net/loop.h"
#include "walrus/net/transport.h"

namespace walrus::testing {

// On the loop only.
class MemoryNetwork {
public:
    // `loop` outlives it.
    explicit MemoryNetwork(net::Loop& loop) : loop_(loop) {}

    // The transport of node `self`, reached under `address` until it is destroyed.  An earlier one
    // there must be gone.
    std::unique_ptr<net::Transport> attach(net::PeerId self, const std::string& address);

    // Nothing passes between the two, either way.
    void cut(net::PeerId one, net::PeerId other) { cuts_.insert(std::minmax(one, other)); }
    void heal(net::PeerId one, net::PeerId other) { cuts_.erase(std::minmax(one, other)); }
    void isolate(net::PeerId node) { isolated_.insert(node); }
    void heal(net::PeerId node) { isolated_.erase(node); }
    void heal_all();

    // A frame as node `from` would send it, for bad input.
    void inject(net::PeerId from, const std::string& to_address, std::uint8_t channel,
                const std::string& frame);
    std::uint64_t delivered_frames() const { return delivered_frames_; }

private:
    class Endpoint;

    bool passes(net::PeerId one, net::PeerId other) const;
    std::shared_ptr<Endpoint> find(const std::string& address) const;

    net::Loop& loop_;
    std::map<std::string, std::weak_ptr<Endpoint>> endpoints_;  // By address.
    std::set<std::pair<net::PeerId, net::PeerId>> cuts_;
    std::set<net::PeerId> isolated_;
    std::uint64_t delivered_frames_ = 0;
};

}  // namespace walrus::testing
