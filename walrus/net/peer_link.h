// PeerLink: the way to one peer: dials, greets, sends, and dials again when it broke.
//
//   waiting -> dialing -> greeting -> open
//      ^----------+----------+---------+   after a pause that grows with the failures in a row
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "walrus/net/peer_context.h"
#include "walrus/net/peer_dial.h"
#include "walrus/net/peer_wire.h"

namespace walrus::net {

// On the loop.
class PeerLink final : public PeerWireUser, public std::enable_shared_from_this<PeerLink> {
public:
    PeerLink(PeerContextPtr context, PeerId peer) : context_(std::move(context)), peer_(peer) {}

    // Dials there, at once; a connection to elsewhere goes.
    void set_address(const std::string& address);
    const std::string& address() const { return address_; }
    void send(std::uint8_t channel, std::string frame);
    void sweep(std::uint64_t now_ms);
    // For good.
    void close();
    // The peer has just shown that it is there: no use in waiting.
    void hurry();

    PeerStatus status() const;

    void on_frame(const PeerFrame& frame) override;
    void on_broken(std::string_view why) override;

private:
    enum class State : std::uint8_t { kWaiting, kDialing, kGreeting, kOpen, kClosed };

    void dial();
    void on_dialed(Result<asio::ip::tcp::socket> socket);
    void on_welcome();
    void on_refusal(std::string_view payload);
    void on_pong(std::string_view payload);
    void retry(std::string_view why);
    void disconnect();
    void tell(PeerEvent event);
    bool has_room(std::size_t bytes);

    const PeerContextPtr context_;
    const PeerId peer_;
    std::string address_;
    State state_ = State::kWaiting;
    std::shared_ptr<PeerDial> dial_;
    std::shared_ptr<PeerWire> wire_;
    TimerId retry_timer_ = 0;
    std::uint32_t failures_ = 0;  // In a row.
    std::uint64_t greeted_ms_ = 0;
    std::uint64_t round_trip_ms_ = 0;
    // What was told already, so that it is told once.
    std::optional<PeerRefusalReason> told_refusal_;
    bool told_unreachable_ = false;
    bool told_full_ = false;
};

}  // namespace walrus::net
