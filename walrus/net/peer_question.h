// PeerQuestion: one question to a node that need not know us.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "walrus/net/peer_context.h"
#include "walrus/net/peer_dial.h"
#include "walrus/net/peer_wire.h"

namespace walrus::net {

// On the loop; owned by nobody but what it waits for, until it is answered or cancelled.
class PeerQuestion final : public PeerWireUser, public std::enable_shared_from_this<PeerQuestion> {
public:
    using Done = std::function<void(Result<std::string>)>;

    PeerQuestion(PeerContextPtr context, std::string address, std::string question, Done done);

    void start(std::uint64_t timeout_ms);
    void cancel();
    bool is_over() const { return !done_; }

    void on_frame(const PeerFrame& frame) override;
    void on_broken(std::string_view why) override;

private:
    void on_dialed(Result<asio::ip::tcp::socket> socket);
    void on_refusal(std::string_view payload);
    void finish(Result<std::string> result);
    Error error_of(Errc code, const std::string& cause) const;

    const PeerContextPtr context_;
    const std::string address_;
    std::string question_;
    Done done_;  // Null: over.
    std::shared_ptr<PeerDial> dial_;
    std::shared_ptr<PeerWire> wire_;
    TimerId timer_ = 0;
};

}  // namespace walrus::net
