// PeerWire: one TCP connection that carries frames both ways.
//
// TLS would live here alone: between the socket and the two buffers.
#pragma once

#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "walrus/net/frame_queue.h"
#include "walrus/net/peer_context.h"
#include "walrus/net/peer_frame.h"

namespace walrus::net {

class PeerWireUser {
public:
    virtual ~PeerWireUser() = default;
    // `frame` lives until this returns; the wire may be closed meanwhile.
    virtual void on_frame(const PeerFrame& frame) = 0;
    // The connection broke or was fed garbage; nothing comes after this.
    virtual void on_broken(std::string_view why) = 0;
};

// On the loop.  asio may keep it longer than its owner, but then it is closed.
class PeerWire final : public std::enable_shared_from_this<PeerWire> {
public:
    // Of a connected socket.  `max_frame_bytes` limits what comes.
    PeerWire(PeerContextPtr context, asio::ip::tcp::socket socket, std::uint32_t max_frame_bytes);

    // `user` is called until close(), never from inside of send().
    void start(PeerWireUser& user);
    void set_limit(std::uint32_t max_frame_bytes) { in_.set_limit(max_frame_bytes); }
    // Goes out at the end of this turn of the loop, with what else was sent in it.
    void send(PeerFrameKind kind, std::uint8_t channel, std::string payload);
    std::uint64_t unsent_bytes() const { return out_.bytes(); }
    // Sends what is queued, then shuts our side; the user hears no more frames, only the end.
    void finish();
    void close();

    // Gives memory back, and sees whether the kernel still brings bytes to the peer.
    void sweep(std::uint64_t now_ms);
    // When the peer last gave a sign: a byte of its own, or taking from a backlog.
    std::uint64_t last_sign_ms() const { return last_sign_ms_; }

private:
    void wait_readable();
    void wait_writable();
    void on_readable();
    // False: nothing more can be read now.
    bool read_some();
    void take_frames();
    void flush_later();
    void flush();
    void shut_when_sent();
    void broken(std::string_view why);
    void bad_input(std::string_view why);

    const PeerContextPtr context_;
    std::optional<asio::ip::tcp::socket> socket_;  // Nothing: closed.
    PeerWireUser* user_ = nullptr;
    ReceiveBuffer in_;
    FrameQueue out_;
    bool is_reading_ = false;
    bool is_finishing_ = false;
    bool flush_is_due_ = false;
    bool waits_writable_ = false;
    std::uint64_t last_sign_ms_ = 0;
    std::uint64_t written_bytes_ = 0;
    std::uint64_t taken_bytes_ = 0;  // Of those, by the peer's kernel, at the last sweep.
};

}  // namespace walrus::net
