// A small server of the text protocol, for tests: real sockets, and replies that the test chooses.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "walrus/protocol/frame_decoder.h"
#include "walrus/protocol/text_codec.h"

namespace walrus::client {

// Serves one connection after the other until it is destroyed.
class TestTextServer {
public:
    // The reply to a command; nothing: the connection is closed instead.
    using Answer = std::function<std::optional<std::string>(const std::string& command)>;

    explicit TestTextServer(Answer answer) : answer_(std::move(answer)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
        ::listen(listener_, 16);
        socklen_t size = sizeof address;
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ~TestTextServer() {
        ::shutdown(listener_, SHUT_RDWR);
        {
            const std::lock_guard lock(mutex_);
            if (connection_ >= 0) ::shutdown(connection_, SHUT_RDWR);
        }
        thread_.join();
        ::close(listener_);
    }
    TestTextServer(const TestTextServer&) = delete;
    TestTextServer& operator=(const TestTextServer&) = delete;

    std::uint16_t port() const { return port_; }
    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
    std::vector<std::string> commands() const {
        const std::lock_guard lock(mutex_);
        return commands_;
    }

private:
    void serve() {
        while (true) {
            const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (connection < 0) return;
            {
                const std::lock_guard lock(mutex_);
                connection_ = connection;
            }
            serve_connection(connection);
            const std::lock_guard lock(mutex_);
            connection_ = -1;
            ::close(connection);
        }
    }

    void serve_connection(int connection) {
        protocol::FrameDecoder decoder(protocol::LengthOrder::kLittleEndian, 1 << 20);
        std::array<std::byte, 4096> room;
        while (true) {
            const ssize_t got = ::recv(connection, room.data(), room.size(), 0);
            if (got <= 0) return;
            decoder.feed(Bytes(room).first(static_cast<std::size_t>(got)));
            while (true) {
                const auto frame = decoder.next();
                if (!frame) return;
                if (!frame->has_value()) break;
                const std::string command(as_text(**frame));
                {
                    const std::lock_guard lock(mutex_);
                    commands_.push_back(command);
                }
                const auto reply = answer_(command);
                if (!reply) return;
                const std::string bytes = protocol::encode_text_frame(*reply);
                ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            }
        }
    }

    Answer answer_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::vector<std::string> commands_;
    int connection_ = -1;
    std::thread thread_;
};

}  // namespace walrus::client
