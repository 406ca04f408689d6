#include "walrus/net/frame_server.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <cerrno>
#include <utility>
#include <vector>

#include "walrus/base/log.h"
#include "walrus/net/connection.h"

namespace walrus::net {
namespace {

using asio::ip::tcp;

constexpr int kBacklog = 4096;
constexpr int kAcceptsPerTurn = 64;
// No descriptor or memory was left for another connection: try again then.
constexpr std::uint64_t kAcceptPauseMs = 100;
constexpr std::uint64_t kMaxSweepMs = 1000;
constexpr std::size_t kMaxRefusing = 128;

// A peer whose machine is gone answers none of these probes: closed after about two minutes.
constexpr int kKeepAliveIdleS = 60;
constexpr int kKeepAliveIntervalS = 10;
constexpr int kKeepAliveProbes = 6;

void set_option(tcp::socket& socket, int level, int name, int value) {
    // Of no consequence when the kernel does not know it.
    ::setsockopt(socket.native_handle(), level, name, &value, sizeof value);
}

void tune(tcp::socket& socket) {
    set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdleS);
    set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveIntervalS);
    set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
}

std::string text_of(const tcp::endpoint& endpoint) {
    const std::string address = endpoint.address().to_string();
    const bool is_v6 = endpoint.address().is_v6();
    return (is_v6 ? "[" + address + "]" : address) + ":" + std::to_string(endpoint.port());
}

// The server itself; what asio has under way keeps it until the context runs it.
class Server final : public ConnectionHost, public std::enable_shared_from_this<Server> {
public:
    Server(AsioLoop& loop, ServerOptions options, HandlerFactory make_handler)
        : loop_(loop),
          options_(std::move(options)),
          make_handler_(std::move(make_handler)),
          acceptor_(std::in_place, loop.context()) {}

    Status listen();
    std::uint16_t port() const { return port_; }
    void drain(std::uint64_t deadline_ms, std::function<void()> done);
    void shut();

    const ServerOptions& options() const override { return options_; }
    ServerStats& counters() override { return stats_; }
    BlockPool& blocks() override { return blocks_; }
    Loop& loop() override { return loop_; }
    void flush_later(Connection& connection) override;
    void closed(Connection& connection) override;

private:
    Status listen_at(const tcp::endpoint& endpoint);
    void wait_to_accept();
    void accept_some();
    void admit(tcp::socket socket, const tcp::endpoint& peer);
    void stop_accepting();
    void sweep_later();
    void sweep();
    void flush_all();
    void finish_drain();

    AsioLoop& loop_;
    const ServerOptions options_;
    const HandlerFactory make_handler_;
    std::optional<tcp::acceptor> acceptor_;  // Nothing: no longer accepting.
    std::uint16_t port_ = 0;
    ServerStats stats_;
    BlockPool blocks_;
    std::vector<std::shared_ptr<Connection>> connections_;  // Those that count.
    std::vector<std::shared_ptr<Connection>> to_flush_;
    std::vector<std::shared_ptr<Connection>> flushing_;  // Keeps its memory.
    TimerId sweep_timer_ = 0;
    TimerId accept_timer_ = 0;
    TimerId drain_timer_ = 0;
    std::function<void()> drained_;
};

// --- listening ---

Error listen_error(const ServerOptions& options, const asio::error_code& error) {
    const bool is_taken = error == asio::error::address_in_use;
    const bool is_foreign = error.value() == EADDRNOTAVAIL;
    const Errc code = is_taken ? Errc::kBusy : is_foreign ? Errc::kInvalidArgument : Errc::kIo;
    return {code, options.name + ": listen on " + options.host + ":" +
                      std::to_string(options.port) + ": " + error.message()};
}

Status Server::listen() {
    asio::error_code error;
    tcp::resolver resolver(loop_.context());
    const auto found =
        resolver.resolve(options_.host, std::to_string(options_.port),
                         tcp::resolver::passive | tcp::resolver::numeric_service, error);
    if (error)
        return Error{Errc::kInvalidArgument,
                     options_.name + ": host '" + options_.host + "': " + error.message()};
    Status status = Error{Errc::kInvalidArgument, options_.name + ": host has no address"};
    for (const auto& entry : found) {
        status = listen_at(entry.endpoint());
        if (status) break;
    }
    if (!status) return status;
    wait_to_accept();
    return {};
}

Status Server::listen_at(const tcp::endpoint& endpoint) {
    asio::error_code error;
    tcp::acceptor& acceptor = acceptor_.emplace(loop_.context());
    acceptor.open(endpoint.protocol(), error);
    // What an earlier process left in TIME_WAIT does not keep the port.
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(kBacklog, error);
    if (!error) acceptor.non_blocking(true, error);
    if (error) return listen_error(options_, error);
    port_ = acceptor.local_endpoint(error).port();
    return {};
}

void Server::wait_to_accept() {
    if (!acceptor_) return;
    acceptor_->async_wait(tcp::acceptor::wait_read,
                          [weak = weak_from_this()](const asio::error_code& error) {
                              const auto self = weak.lock();
                              if (self != nullptr && !error) self->accept_some();
                          });
}

void Server::accept_some() {
    for (int i = 0; i < kAcceptsPerTurn && acceptor_; ++i) {
        asio::error_code error;
        tcp::endpoint peer;
        tcp::socket socket(loop_.context());
        acceptor_->accept(socket, peer, error);
        if (error == asio::error::would_block) break;
        if (error == asio::error::no_descriptors || error == asio::error::no_memory ||
            error == asio::error::no_buffer_space || error.value() == ENFILE) {
            log(LogLevel::kWarn, options_.name + ": cannot accept: " + error.message() +
                                     "; raise the limit of open files (ulimit -n)");
            accept_timer_ = loop_.after_ms(kAcceptPauseMs, [this] { wait_to_accept(); });
            return;
        }
        if (error) continue;  // The peer has given up meanwhile.
        socket.non_blocking(true, error);
        if (!error) admit(std::move(socket), peer);
    }
    wait_to_accept();
}

void Server::admit(tcp::socket socket, const tcp::endpoint& peer) {
    // Those that are refused take a descriptor until they have been told why.
    if (connections_.size() >= std::size_t{options_.max_connections} + kMaxRefusing) {
        ++stats_.refused;
        return;
    }
    tune(socket);
    auto connection = std::make_shared<Connection>(*this, std::move(socket));
    const bool is_refused = stats_.connections >= options_.max_connections;
    connection->index = connections_.size();
    connections_.push_back(connection);
    if (is_refused) {
        ++stats_.refused;
        connection->is_refused = true;
        return connection->refuse(options_.refusal);
    }
    ++stats_.accepted;
    ++stats_.connections;
    connection->start(make_handler_(text_of(peer)));
    sweep_later();
}

// --- connections ---

void Server::flush_later(Connection& connection) {
    if (std::exchange(connection.flush_is_due, true)) return;
    to_flush_.push_back(connection.shared_from_this());
    if (to_flush_.size() > 1) return;
    asio::post(loop_.context(), [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->flush_all();
    });
}

void Server::flush_all() {
    std::swap(to_flush_, flushing_);
    for (const auto& connection : flushing_) {
        connection->flush_is_due = false;
        connection->flush();
    }
    flushing_.clear();
}

void Server::closed(Connection& connection) {
    if (!connection.is_refused) --stats_.connections;
    const std::size_t index = connection.index;
    connections_.back()->index = index;
    std::swap(connections_[index], connections_.back());
    connections_.pop_back();
    if (drained_ && connections_.empty()) finish_drain();
}

void Server::sweep_later() {
    if (sweep_timer_ != 0) return;
    const std::uint64_t idle_ms = options_.idle_timeout_ms;
    const std::uint64_t interval_ms =
        idle_ms == 0 ? kMaxSweepMs : std::clamp<std::uint64_t>(idle_ms / 4, 1, kMaxSweepMs);
    sweep_timer_ = loop_.after_ms(interval_ms, [this] { sweep(); });
}

void Server::sweep() {
    sweep_timer_ = 0;
    const std::uint64_t now_ms = loop_.now_ms();
    // From the end: one that closes is replaced by the last, which was seen already.
    for (std::size_t i = connections_.size(); i-- > 0;) connections_[i]->sweep(now_ms);
    if (!connections_.empty()) sweep_later();
}

// --- the end ---

void Server::stop_accepting() {
    loop_.cancel(accept_timer_);
    if (!acceptor_) return;
    asio::error_code error;
    acceptor_->close(error);
    acceptor_.reset();
}

void Server::drain(std::uint64_t deadline_ms, std::function<void()> done) {
    stop_accepting();
    drained_ = std::move(done);
    const std::vector<std::shared_ptr<Connection>> all = connections_;
    for (const auto& connection : all) connection->drain();
    if (!drained_) return;
    if (connections_.empty()) return finish_drain();
    drain_timer_ = loop_.after_ms(deadline_ms, [this] {
        drain_timer_ = 0;
        log(LogLevel::kWarn, options_.name + ": the deadline cuts off " +
                                 std::to_string(connections_.size()) + " connections");
        while (!connections_.empty()) connections_.back()->close();
    });
}

void Server::finish_drain() {
    loop_.cancel(drain_timer_);
    // Not from inside of a connection's call.
    loop_.post(std::exchange(drained_, nullptr));
}

void Server::shut() {
    stop_accepting();
    loop_.cancel(sweep_timer_);
    loop_.cancel(drain_timer_);
    drained_ = nullptr;
    while (!connections_.empty()) connections_.back()->close();
}

class ServerOwner final : public FrameServer {
public:
    explicit ServerOwner(std::shared_ptr<Server> server) : server_(std::move(server)) {}
    ~ServerOwner() override { server_->shut(); }

    std::uint16_t port() const override { return server_->port(); }
    const ServerStats& stats() const override { return server_->counters(); }
    void drain(std::uint64_t deadline_ms, std::function<void()> done) override {
        server_->drain(deadline_ms, std::move(done));
    }

private:
    const std::shared_ptr<Server> server_;
};

}  // namespace

Result<std::unique_ptr<FrameServer>> FrameServer::listen(AsioLoop& loop, ServerOptions options,
                                                         HandlerFactory make_handler) {
    auto server = std::make_shared<Server>(loop, std::move(options), std::move(make_handler));
    WALRUS_RETURN_IF_ERROR(server->listen());
    return std::unique_ptr<FrameServer>(std::make_unique<ServerOwner>(std::move(server)));
}

}  // namespace walrus::net
