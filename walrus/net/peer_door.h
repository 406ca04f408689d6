// PeerDoor: accepts the connections that others make to this node's peer port.
#pragma once

#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "walrus/base/result.h"
#include "walrus/net/asio_loop.h"

namespace walrus::net {

// On the loop.
class PeerDoor final : public std::enable_shared_from_this<PeerDoor> {
public:
    // Called for each connection, with where it comes from.
    using OnAccept = std::function<void(asio::ip::tcp::socket socket, std::string from)>;

    // As FrameServer::listen().
    static Result<std::shared_ptr<PeerDoor>> open(AsioLoop& loop, const std::string& host,
                                                  std::uint16_t port, OnAccept on_accept);
    std::uint16_t port() const { return port_; }
    void close();

    PeerDoor(AsioLoop& loop, OnAccept on_accept) : loop_(loop), on_accept_(std::move(on_accept)) {}

private:
    Status listen_at(const asio::ip::tcp::endpoint& endpoint, const std::string& name);
    void wait();
    void accept_some();

    AsioLoop& loop_;
    OnAccept on_accept_;
    std::optional<asio::ip::tcp::acceptor> acceptor_;  // Nothing: closed.
    std::uint16_t port_ = 0;
    TimerId pause_timer_ = 0;
};

}  // namespace walrus::net
