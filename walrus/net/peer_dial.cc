#include "walrus/net/peer_dial.h"

#include <asio/connect.hpp>
#include <utility>

namespace walrus::net {

using asio::ip::tcp;

PeerDial::PeerDial(AsioLoop& loop, std::string address, Done done)
    : loop_(loop), address_(std::move(address)), done_(std::move(done)) {}

std::shared_ptr<PeerDial> PeerDial::start(AsioLoop& loop, const std::string& address,
                                          std::uint64_t timeout_ms, Done done) {
    auto dial = std::make_shared<PeerDial>(loop, address, std::move(done));
    dial->timer_ = loop.after_ms(
        timeout_ms, [dial] { dial->finish(dial->error_of(Errc::kTimeout, "no answer")); });
    dial->resolve();
    return dial;
}

void PeerDial::resolve() {
    const std::size_t colon = address_.rfind(':');
    std::string host = address_.substr(0, colon == std::string::npos ? 0 : colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    if (host.empty() || colon + 1 == address_.size()) {
        loop_.post([self = shared_from_this()] {
            self->finish(self->error_of(Errc::kInvalidArgument, "must be host:port"));
        });
        return;
    }
    resolver_.emplace(loop_.context());
    resolver_->async_resolve(
        host, address_.substr(colon + 1), tcp::resolver::numeric_service,
        [self = shared_from_this()](const asio::error_code& error, const auto& found) {
            if (!self->done_) return;
            if (error) return self->finish(self->error_of(Errc::kIo, error.message()));
            self->connect(found);
        });
}

void PeerDial::connect(const tcp::resolver::results_type& found) {
    socket_.emplace(loop_.context());
    asio::async_connect(*socket_, found,
                        [self = shared_from_this()](const asio::error_code& error, const auto&) {
                            if (!self->done_) return;
                            if (error)
                                return self->finish(self->error_of(Errc::kIo, error.message()));
                            self->finish(std::move(*self->socket_));
                        });
}

void PeerDial::finish(Result<tcp::socket> result) {
    if (!done_) return;
    const Done done = std::exchange(done_, nullptr);
    const auto self = shared_from_this();
    cancel();
    done(std::move(result));
}

void PeerDial::cancel() {
    done_ = nullptr;
    resolver_.reset();
    // async_connect() may still be at work on the socket: closed, but kept until it is told.
    if (socket_) {
        asio::error_code error;
        socket_->close(error);
    }
    const auto self = shared_from_this();
    loop_.cancel(std::exchange(timer_, 0));
}

Error PeerDial::error_of(Errc code, const std::string& cause) const {
    return {code, "connect to " + address_ + ": " + cause};
}

}  // namespace walrus::net
