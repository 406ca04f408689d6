// ConnectionHandler: what a server does with the frames of one connection.
//
// FrameServer (frame_server.h) cuts the frames and sends the replies in the order of the requests,
// in whatever order they are completed.  All of it happens on the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "walrus/base/assert.h"
#include "walrus/base/bytes.h"

namespace walrus::net {

// What answers one request: whole frames, length included.  `head` is sent first, then the pieces,
// which are not copied.
struct Reply {
    std::string head = {};
    std::vector<Bytes> pieces = {};
    std::vector<std::shared_ptr<const void>> owners = {};  // Keep the pieces alive until sent.

    std::uint64_t size_bytes() const;
};

enum class AfterReply : std::uint8_t { kGoOn, kClose };

// Where replies go: a connection, or a test.  Requests are numbered by the connection.
class ReplySink {
public:
    virtual ~ReplySink() = default;
    virtual void complete(std::uint64_t request, Reply reply, AfterReply after) = 0;
    virtual void reserve(std::uint64_t request, std::uint64_t bytes) = 0;
};

// The place of one reply.  It may outlive the connection: what is sent then is dropped.  Used once;
// one that is destroyed unused closes the connection, since what comes after could never be sent.
class ReplySlot {
public:
    ReplySlot() = default;
    ReplySlot(std::shared_ptr<ReplySink> sink, std::uint64_t request)
        : sink_(std::move(sink)), request_(request) {}
    ReplySlot(ReplySlot&& other) = default;
    ReplySlot& operator=(ReplySlot&& other) noexcept;
    ~ReplySlot() { abandon(); }

    explicit operator bool() const { return sink_ != nullptr; }

    void send(Reply reply) { use(std::move(reply), AfterReply::kGoOn); }
    void send(std::string frame) { send(Reply{.head = std::move(frame)}); }
    // There is no reply to this request.
    void skip() { use({}, AfterReply::kGoOn); }
    // Sends what is before it and `last`, then closes; later requests are not answered.
    void close(Reply last = {}) { use(std::move(last), AfterReply::kClose); }

    // The reply may become this large: the connection takes no further requests while what is
    // reserved and unsent exceeds its limit.  For replies that come later and are large.
    void reserve(std::uint64_t bytes) {
        WALRUS_ASSERT(sink_ != nullptr);
        sink_->reserve(request_, bytes);
    }

private:
    void use(Reply reply, AfterReply after);
    void abandon();

    std::shared_ptr<ReplySink> sink_;  // Null: used, or never was one.
    std::uint64_t request_ = 0;
};

// One per connection; destroyed when the connection is gone.
class ConnectionHandler {
public:
    virtual ~ConnectionHandler() = default;

    // One frame without its length, valid until this returns.  `slot` may be used now or later.
    virtual void on_frame(Bytes frame, ReplySlot slot) = 0;
    // A length above the limit was announced.  What this returns is sent behind the replies to all
    // earlier requests, then the connection is closed.
    virtual Reply on_bad_length(std::uint64_t length) = 0;
    // No further frame will come: the client has ended its side, or the server drains.  Requests in
    // hand are still answered; those that wait for something had better be answered now.
    virtual void on_input_end() {}
};

// Makes the handler of a connection that was accepted from `peer`, "address:port".
using HandlerFactory = std::function<std::unique_ptr<ConnectionHandler>(std::string_view peer)>;

}  // namespace walrus::net
