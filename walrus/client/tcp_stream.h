// TcpStream: a blocking TCP connection on which every operation ends in time.
#pragma once

#include <cstdint>
#include <utility>

#include "walrus/base/bytes.h"
#include "walrus/base/clock.h"
#include "walrus/base/result.h"
#include "walrus/client/address.h"

namespace walrus::client {

// One thread at a time.  After an error the connection is of no use; close it.
class TcpStream {
public:
    // Tries what the host's name stands for, one address after the other.
    // kClosed: nobody listens there, or the name is not known.  kTimeout: no answer in time.
    static Result<TcpStream> connect(const Address& address, std::uint32_t timeout_ms);

    TcpStream(TcpStream&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
    TcpStream& operator=(TcpStream&& other) noexcept;
    ~TcpStream();

    // A moment of `clock` to finish by.
    static std::uint64_t deadline_ns(std::uint32_t timeout_ms);

    // Sends all of `bytes`.  kClosed: the peer is gone.  kTimeout: it does not take them.
    Status send_all(Bytes bytes, std::uint64_t deadline_ns);
    // Receives at least one byte and at most `room`; 0: the peer has finished.
    Result<std::size_t> receive(MutableBytes room, std::uint64_t deadline_ns);

private:
    explicit TcpStream(int socket) : socket_(socket) {}

    int socket_;
};

}  // namespace walrus::client
