// PeerVisitor: a connection that somebody made to this node.
//
//   stranger -> (Hello) held while another process of its id is probed -> peer: its messages come
//            -> (Question) asking: one answer, then it ends
//            -> refused
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "walrus/net/peer_context.h"
#include "walrus/net/peer_wire.h"

namespace walrus::net {

class PeerVisitor;

// Who lets them in; outlives them as far as they are not closed.
class PeerVisitorHost {
public:
    virtual ~PeerVisitorHost() = default;
    // Calls welcome(), hold() or refuse(), now or later.
    virtual void on_hello(PeerVisitor& visitor) = 0;
    // A visitor that was probed lives.
    virtual void on_alive(PeerVisitor& visitor) = 0;
    // It is closed and wants to be forgotten.
    virtual void on_gone(PeerVisitor& visitor) = 0;
};

// On the loop.
class PeerVisitor final : public PeerWireUser, public std::enable_shared_from_this<PeerVisitor> {
public:
    PeerVisitor(PeerContextPtr context, PeerVisitorHost& host, asio::ip::tcp::socket socket,
                std::string from_address);

    void start() { wire_->start(*this); }
    void welcome();
    // Until the host has decided.
    void hold();
    void refuse(PeerRefusalReason reason);
    // Asks whether it lives: on_alive().
    void probe();
    void close();
    void sweep(std::uint64_t now_ms);

    const PeerHello& hello() const { return hello_; }
    const std::string& from_address() const { return from_address_; }
    bool is_stranger() const { return state_ != State::kPeer; }
    std::uint64_t since_ms() const { return since_ms_; }

    void on_frame(const PeerFrame& frame) override;
    void on_broken(std::string_view why) override;

private:
    enum class State : std::uint8_t { kStranger, kHeld, kPeer, kAsking, kEnding, kClosed };

    void on_greeting(const PeerFrame& frame);
    void on_question(std::string_view payload);
    void on_peer_frame(const PeerFrame& frame);
    void answer(std::string text);
    void bad_input();
    void end();
    std::uint64_t patience_ms() const;

    const PeerContextPtr context_;
    PeerVisitorHost& host_;
    const std::string from_address_;
    const std::shared_ptr<PeerWire> wire_;
    State state_ = State::kStranger;
    PeerHello hello_;
    std::uint64_t since_ms_ = 0;  // When it came into this state.
};

}  // namespace walrus::net
