// PeerRefusal: why a node does not talk to another one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "walrus/net/transport.h"

namespace walrus::net {

enum class PeerRefusalReason : std::uint8_t {
    kOtherVersion = 1,    // Of the protocol between nodes.
    kOtherCluster = 2,    //
    kOtherNode = 3,       // The listener is not the node that the dialer looks for.
    kDuplicateNode = 4,   // A living process has the dialer's node id.
    kRemoved = 5,         // The dialer was removed from the cluster.
    kNotReady = 6,        // The listener does not belong to a cluster yet.
    kTooManyPeers = 7,    //
    kNoSuchQuestion = 8,  // The listener answers no strangers.
};

// The listener's words.
struct PeerRefusal {
    PeerRefusalReason reason = PeerRefusalReason::kNotReady;
    std::uint32_t version = 0;
    std::uint64_t cluster = 0;  // The listener's.
    PeerId node = 0;

    bool operator==(const PeerRefusal&) const = default;
};

// A few words, such as "belongs to another cluster", about the dialer.
std::string_view refusal_name(PeerRefusalReason reason);

// What happened and what to do next, told by the dialer: `self` at a listener at `address` that it
// takes for `peer`.
std::string explain_refusal(const PeerRefusal& refusal, PeerId self, PeerId peer,
                            const std::string& address);

}  // namespace walrus::net
