#include "walrus/testing/socket_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "walrus/base/bytes.h"

namespace walrus::testing {
namespace {

constexpr timeval kPatience{.tv_sec = 30, .tv_usec = 0};

void set_option(int fd, int level, int name, int value) {
    ::setsockopt(fd, level, name, &value, sizeof value);
}

}  // namespace

SocketClient::SocketClient(std::uint16_t port, int receive_buffer_bytes)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    set_option(fd_, IPPROTO_TCP, TCP_NODELAY, 1);
    if (receive_buffer_bytes > 0) set_option(fd_, SOL_SOCKET, SO_RCVBUF, receive_buffer_bytes);
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return;
    ADD_FAILURE() << "cannot connect to port " << port << ": " << std::strerror(errno);
    close();
}

SocketClient::SocketClient(SocketClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

bool SocketClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) ADD_FAILURE() << "the server does not read";
        if (sent < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

std::size_t SocketClient::send_some(std::string_view bytes) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

std::string SocketClient::receive(std::size_t bytes) {
    std::string received(bytes, '\0');
    std::size_t have = 0;
    while (have < bytes) {
        const ssize_t got = ::recv(fd_, received.data() + have, bytes - have, 0);
        if (got < 0 && errno == EAGAIN) ADD_FAILURE() << "the server does not answer";
        if (got <= 0) break;
        have += static_cast<std::size_t>(got);
    }
    received.resize(have);
    return received;
}

std::string SocketClient::receive_until_closed() {
    std::string received;
    for (;;) {
        const std::string more = receive(1);
        if (more.empty()) return received;
        received += more;
    }
}

std::optional<std::string> SocketClient::receive_frame() {
    const std::string length = receive(4);
    if (length.size() < 4) return std::nullopt;
    const auto bytes = load_le<std::uint32_t>(as_bytes(length).data());
    std::string frame = receive(bytes);
    if (frame.size() < bytes) return std::nullopt;
    return frame;
}

void SocketClient::end_sending() {
    ::shutdown(fd_, SHUT_WR);
}

void SocketClient::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

void SocketClient::reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
}

}  // namespace walrus::testing
