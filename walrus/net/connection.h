// Connection: one socket of a FrameServer, with its handler.
//
//   open -> finishing: no further request is taken; what is in hand is answered and sent
//        -> lingering: our side is shut; what the client still sends is thrown away, for closing
//                      with unread bytes would take back replies that it has not read yet
//        -> closed
#pragma once

#include <array>
#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "walrus/net/connection_handler.h"
#include "walrus/net/frame_server.h"
#include "walrus/net/receive_buffer.h"
#include "walrus/net/reply_queue.h"

namespace walrus::net {

class Connection;

// What a connection needs of its server; outlives every open connection.
class ConnectionHost {
public:
    virtual ~ConnectionHost() = default;
    virtual const ServerOptions& options() const = 0;
    virtual ServerStats& counters() = 0;
    virtual BlockPool& blocks() = 0;
    virtual Loop& loop() = 0;
    // Calls flush() at the end of this turn of the loop.
    virtual void flush_later(Connection& connection) = 0;
    // Forgets the connection; it may be destroyed by this.
    virtual void closed(Connection& connection) = 0;
};

// Owned by its server; reply slots and asio may keep it longer, but then it is closed.
class Connection final : public ReplySink, public std::enable_shared_from_this<Connection> {
public:
    Connection(ConnectionHost& host, asio::ip::tcp::socket socket);

    void start(std::unique_ptr<ConnectionHandler> handler);
    // Sends `text` as far as the socket takes it, then closes; instead of start().
    void refuse(std::string_view text);
    // Sends what can be sent and takes the requests that had to wait.
    void flush();
    // Takes no further requests.  What is silent anyhow is closed at once.
    void drain();
    void close();
    // Called every now and then: gives memory back, closes what is idle.
    void sweep(std::uint64_t now_ms);

    void complete(std::uint64_t request, Reply reply, AfterReply after) override;
    void reserve(std::uint64_t request, std::uint64_t bytes) override;

    std::size_t index = 0;  // Among the server's connections.
    bool flush_is_due = false;
    bool is_refused = false;  // Not counted, and gone soon.

private:
    enum class State : std::uint8_t { kOpen, kFinishing, kLingering, kClosed };

    void wait_readable();
    void wait_writable();
    void on_readable();
    // False: nothing more can be read now.
    bool read_some();
    void end_of_input();

    void pump();
    void take_frames();
    void refuse_length();
    void send_replies();
    bool may_take() const;
    void take_no_more();
    void linger();
    void discard();

    ConnectionHost& host_;
    std::optional<asio::ip::tcp::socket> socket_;  // Nothing: closed.
    std::unique_ptr<ConnectionHandler> handler_;
    ReceiveBuffer in_;
    ReplyQueue out_;
    State state_ = State::kOpen;
    bool input_ended_ = false;  // The client has shut its side.
    bool is_pumping_ = false;
    bool waits_readable_ = false;
    bool waits_writable_ = false;
    std::uint64_t last_activity_ms_ = 0;
    TimerId linger_timer_ = 0;
};

}  // namespace walrus::net
