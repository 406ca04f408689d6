#include "walrus/client/tcp_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <system_error>

namespace walrus::client {
namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;

std::string reason(int error) {
    return std::generic_category().message(error);
}

Error io_error(const char* what, int error) {
    const bool gone = error == ECONNRESET || error == EPIPE || error == ECONNREFUSED ||
                      error == ENETUNREACH || error == EHOSTUNREACH || error == ECONNABORTED;
    const Errc code = gone ? Errc::kClosed : error == ETIMEDOUT ? Errc::kTimeout : Errc::kIo;
    return {code, std::string(what) + ": " + reason(error)};
}

// Waits until the socket is ready for `events` or the time is over.
Status wait_for(int socket, short events, std::uint64_t deadline_ns) {
    while (true) {
        const std::uint64_t now = system_clock().monotonic_ns();
        const std::uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
        pollfd entry{.fd = socket, .events = events, .revents = 0};
        const auto wait_ms =
            static_cast<int>(std::min<std::uint64_t>((left + kNsPerMs - 1) / kNsPerMs, 1U << 30));
        const int ready = ::poll(&entry, 1, wait_ms);
        if (ready > 0) return {};
        if (ready < 0 && errno != EINTR) return io_error("poll", errno);
        if (ready < 0) return Error{Errc::kClosed, "interrupted while waiting for the server"};
        if (left == 0) return Error{Errc::kTimeout, "no answer in time"};
    }
}

struct FreeAddresses {
    void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

// The socket, or why not.
Result<int> connect_one(const addrinfo& target, std::uint64_t deadline_ns) {
    const int socket = ::socket(target.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) return io_error("socket", errno);
    const auto finish = [&]() -> Status {
        if (::connect(socket, target.ai_addr, target.ai_addrlen) == 0) return {};
        if (errno != EINPROGRESS) return io_error("connect", errno);
        WALRUS_RETURN_IF_ERROR(wait_for(socket, POLLOUT, deadline_ns));
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
        return error == 0 ? Status{} : io_error("connect", error);
    };
    if (Status connected = finish(); !connected) {
        ::close(socket);
        return std::move(connected).error();
    }
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return socket;
}

}  // namespace

std::uint64_t TcpStream::deadline_ns(std::uint32_t timeout_ms) {
    return system_clock().monotonic_ns() + timeout_ms * kNsPerMs;
}

Result<TcpStream> TcpStream::connect(const Address& address, std::uint32_t timeout_ms) {
    const std::uint64_t deadline = deadline_ns(timeout_ms);
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const std::string port = std::to_string(address.port);
    const int failed = ::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &list);
    const std::string what = "cannot connect to " + address.to_string() + ": ";
    if (failed != 0) return Error{Errc::kClosed, what + ::gai_strerror(failed)};
    const std::unique_ptr<addrinfo, FreeAddresses> addresses(list);

    Error last{Errc::kClosed, what + "the name stands for no address"};
    for (const addrinfo* target = list; target != nullptr; target = target->ai_next) {
        Result<int> socket = connect_one(*target, deadline);
        if (socket) return TcpStream(*socket);
        last = {socket.error().code, what + socket.error().message};
    }
    return last;
}

TcpStream& TcpStream::operator=(TcpStream&& other) noexcept {
    std::swap(socket_, other.socket_);
    return *this;
}

TcpStream::~TcpStream() {
    if (socket_ >= 0) ::close(socket_);
}

Status TcpStream::send_all(Bytes bytes, std::uint64_t deadline_ns) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(sent));
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            WALRUS_RETURN_IF_ERROR(wait_for(socket_, POLLOUT, deadline_ns));
        } else if (errno != EINTR) {
            return io_error("send", errno);
        }
    }
    return {};
}

Result<std::size_t> TcpStream::receive(MutableBytes room, std::uint64_t deadline_ns) {
    while (true) {
        const ssize_t got = ::recv(socket_, room.data(), room.size(), 0);
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            WALRUS_RETURN_IF_ERROR(wait_for(socket_, POLLIN, deadline_ns));
        } else if (errno != EINTR) {
            return io_error("receive", errno);
        }
    }
}

}  // namespace walrus::client
