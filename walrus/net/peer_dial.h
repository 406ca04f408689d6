// PeerDial: an attempt to connect.
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
class PeerDial final : public std::enable_shared_from_this<PeerDial> {
public:
    using Done = std::function<void(Result<asio::ip::tcp::socket>)>;

    // Resolves `address` ("host:port", "[::1]:port") and tries what it finds.  `done` runs once,
    // later, unless it is cancelled.  kInvalidArgument: not an address; kIo: the host is not
    // known, or nobody is there; kTimeout.
    static std::shared_ptr<PeerDial> start(AsioLoop& loop, const std::string& address,
                                           std::uint64_t timeout_ms, Done done);
    // Also from inside of `done`.
    void cancel();

    PeerDial(AsioLoop& loop, std::string address, Done done);

private:
    void resolve();
    void connect(const asio::ip::tcp::resolver::results_type& found);
    void finish(Result<asio::ip::tcp::socket> result);
    Error error_of(Errc code, const std::string& cause) const;

    AsioLoop& loop_;
    const std::string address_;
    Done done_;  // Null: over.
    std::optional<asio::ip::tcp::resolver> resolver_;
    std::optional<asio::ip::tcp::socket> socket_;
    TimerId timer_ = 0;
};

}  // namespace walrus::net
