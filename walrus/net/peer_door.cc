#include "walrus/net/peer_door.h"

#include <cerrno>
#include <utility>

#include "walrus/base/log.h"

namespace walrus::net {
namespace {

using asio::ip::tcp;

constexpr int kBacklog = 256;
constexpr int kAcceptsPerTurn = 16;
// No descriptor or memory was left for another connection: try again then.
constexpr std::uint64_t kPauseMs = 100;

std::string text_of(const tcp::endpoint& endpoint) {
    const std::string address = endpoint.address().to_string();
    const bool is_v6 = endpoint.address().is_v6();
    return (is_v6 ? "[" + address + "]" : address) + ":" + std::to_string(endpoint.port());
}

}  // namespace

Result<std::shared_ptr<PeerDoor>> PeerDoor::open(AsioLoop& loop, const std::string& host,
                                                 std::uint16_t port, OnAccept on_accept) {
    asio::error_code error;
    tcp::resolver resolver(loop.context());
    const auto found = resolver.resolve(
        host, std::to_string(port), tcp::resolver::passive | tcp::resolver::numeric_service, error);
    if (error)
        return Error{Errc::kInvalidArgument, "peer: host '" + host + "': " + error.message()};
    auto door = std::make_shared<PeerDoor>(loop, std::move(on_accept));
    Status status = Error{Errc::kInvalidArgument, "peer: host '" + host + "' has no address"};
    for (const auto& entry : found) {
        status = door->listen_at(entry.endpoint(), host + ":" + std::to_string(port));
        if (status) break;
    }
    if (!status) return status.error();
    door->wait();
    return door;
}

Status PeerDoor::listen_at(const tcp::endpoint& endpoint, const std::string& name) {
    asio::error_code error;
    tcp::acceptor& acceptor = acceptor_.emplace(loop_.context());
    acceptor.open(endpoint.protocol(), error);
    // What an earlier process left in TIME_WAIT does not keep the port.
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(kBacklog, error);
    if (!error) acceptor.non_blocking(true, error);
    if (!error) {
        port_ = acceptor.local_endpoint(error).port();
        return {};
    }
    const Errc code = error == asio::error::address_in_use ? Errc::kBusy
                      : error.value() == EADDRNOTAVAIL     ? Errc::kInvalidArgument
                                                           : Errc::kIo;
    return Error{code, "peer: listen on " + name + ": " + error.message()};
}

void PeerDoor::wait() {
    if (!acceptor_) return;
    acceptor_->async_wait(tcp::acceptor::wait_read,
                          [weak = weak_from_this()](const asio::error_code& error) {
                              const auto self = weak.lock();
                              if (self != nullptr && !error) self->accept_some();
                          });
}

void PeerDoor::accept_some() {
    for (int i = 0; i < kAcceptsPerTurn && acceptor_; ++i) {
        asio::error_code error;
        tcp::endpoint from;
        tcp::socket socket(loop_.context());
        acceptor_->accept(socket, from, error);
        if (error == asio::error::would_block) break;
        if (error == asio::error::no_descriptors || error == asio::error::no_memory ||
            error == asio::error::no_buffer_space || error.value() == ENFILE) {
            log(LogLevel::kWarn, "peer: cannot accept: " + error.message() +
                                     "; raise the limit of open files (ulimit -n)");
            pause_timer_ = loop_.after_ms(kPauseMs, [this] {
                pause_timer_ = 0;
                wait();
            });
            return;
        }
        if (!error) on_accept_(std::move(socket), text_of(from));
    }
    wait();
}

void PeerDoor::close() {
    loop_.cancel(std::exchange(pause_timer_, 0));
    if (!acceptor_) return;
    asio::error_code error;
    acceptor_->close(error);
    acceptor_.reset();
}

}  // namespace walrus::net
