// SocketClient: a blocking client of a server under test, on this machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace walrus::testing {

// One connection.  A call that makes no progress for half a minute fails the test and ends as if
// the server had closed.
class SocketClient {
public:
    // `receive_buffer_bytes`: of the kernel's; 0: its default.
    explicit SocketClient(std::uint16_t port, int receive_buffer_bytes = 0);
    ~SocketClient() { close(); }
    SocketClient(SocketClient&& other) noexcept;
    SocketClient& operator=(SocketClient&&) = delete;

    bool is_connected() const { return fd_ >= 0; }
    // False: the server has closed.
    bool send(std::string_view bytes);
    // Sends what the server takes without waiting; returns how many bytes.
    std::size_t send_some(std::string_view bytes);
    // Exactly so many, fewer only when the server closed.
    std::string receive(std::size_t bytes);
    std::string receive_until_closed();
    // A 32-bit little-endian length and that many bytes; returns these.  Nothing: closed.
    std::optional<std::string> receive_frame();
    void end_sending();
    void close();
    // Closes so that the server sees a reset.
    void reset();

private:
    int fd_ = -1;
};

}  // namespace walrus::testing
