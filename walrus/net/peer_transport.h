// PeerTransport: the Transport of a real node, over TCP.
//
// A node dials each of its peers and sends its frames on that connection; the peer's frames come on
// the one that the peer dials.  So there is no question of who dials, no connection that both
// want to replace, and a way that is cut in one direction stays usable in the other.
//
// Who a node is a member with is the metadata log's decision: a peer of the same cluster is let in
// unless it was removed, also when it is not known here yet, and the address that it tells is where
// it is answered.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "walrus/base/random.h"
#include "walrus/net/asio_loop.h"
#include "walrus/net/peer_refusal.h"
#include "walrus/net/transport.h"

namespace walrus::net {

struct PeerEvent {
    enum class Kind : std::uint8_t {
        kConnected,     // Frames can be sent to the peer.
        kDisconnected,  // They are dropped from now on.
        kRefused,       // By the peer, with `refusal`; it is dialed again later.
        kAccepted,      // Frames of the peer can come.
        kGone,          // None come from now on.
    };
    Kind kind = {};
    PeerId peer = 0;
    PeerRefusal refusal = {};
    std::string message = {};  // What to do about a refusal.
};

struct PeerTransportOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;            // 0: any free one.
    std::string advertise_host = {};   // What peers are told; "": host.
    std::uint16_t advertise_port = 0;  // 0: the one that is listened on.

    std::uint32_t max_frame_bytes = 128 << 20;
    // Of one peer.  Beyond it frames are dropped, but for one that finds nothing unsent.
    std::uint64_t max_unsent_bytes = 64 << 20;
    std::uint32_t max_peers = 256;
    // Connections at one time of which nobody knows yet who it is, or who ask.
    std::uint32_t max_strangers = 64;
    std::uint32_t max_question_bytes = 64 << 10;

    std::uint64_t connect_timeout_ms = 1000;
    std::uint64_t greeting_timeout_ms = 2000;
    std::uint64_t retry_min_ms = 50;
    std::uint64_t retry_max_ms = 500;
    std::uint64_t ping_ms = 500;
    // A peer that shows no life for so long is disconnected and dialed again.
    std::uint64_t silence_ms = 2500;
    // How long a process may take to show that it lives, before another of its id replaces it.
    std::uint64_t probe_ms = 1000;
    // How long the answer to a stranger may take.
    std::uint64_t answer_timeout_ms = 60'000;

    // On the loop, not from inside of a call.
    std::function<void(const PeerEvent&)> on_event = {};
};

// Counted since the start.
struct PeerStats {
    std::uint64_t sent_frames = 0;
    std::uint64_t sent_bytes = 0;
    std::uint64_t received_frames = 0;
    std::uint64_t received_bytes = 0;
    std::uint64_t dropped_unconnected = 0;
    std::uint64_t dropped_full = 0;
    std::uint64_t connects = 0;     // That were welcomed.
    std::uint64_t disconnects = 0;  // Of these.
    std::uint64_t refusals = 0;     // Said and heard.
    std::uint64_t bad_input = 0;    // Connections that were closed for what came.
};

struct PeerStatus {
    PeerId peer = 0;
    std::string address = {};
    bool is_connected = false;  // We send to it.
    bool is_accepted = false;   // It sends to us.
    std::uint64_t unsent_bytes = 0;
    std::uint64_t round_trip_ms = 0;  // Of the last ping.
};

// Everything on the loop.  The destructor closes what is open, without waiting; callbacks of ask()
// never run then.
class PeerTransport : public Transport {
public:
    // Listens from now on; refuses everybody until it has an identity and handlers.  kBusy: the
    // port is in use; kInvalidArgument: the host is not an address of this machine; kIo.
    static Result<std::unique_ptr<PeerTransport>> listen(AsioLoop& loop, Random& random,
                                                         PeerTransportOptions options);

    virtual std::uint16_t port() const = 0;
    virtual const std::string& address() const = 0;  // What peers are told.
    // From now on it talks to peers, as this node.  Once.
    virtual void set_identity(std::uint64_t cluster, PeerId self) = 0;

    virtual const PeerStats& stats() const = 0;
    virtual std::vector<PeerStatus> peers() const = 0;
};

}  // namespace walrus::net
