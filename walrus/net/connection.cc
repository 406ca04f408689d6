#include "walrus/net/connection.h"

#include <sys/socket.h>

#include <asio/error.hpp>
#include <utility>

#include "walrus/base/assert.h"

namespace walrus::net {
namespace {

// As many as asio hands to one sendmsg().
constexpr std::size_t kPieces = 64;
// Reads of one connection before others get their turn.
constexpr int kReadsPerTurn = 16;
// A client that is silent for so long has read what it was sent.
constexpr std::uint64_t kSilentMs = 1000;

}  // namespace

Connection::Connection(ConnectionHost& host, asio::ip::tcp::socket socket)
    : host_(host),
      socket_(std::move(socket)),
      in_(host.blocks(), host.options().length_order, host.options().max_frame_bytes) {}

void Connection::start(std::unique_ptr<ConnectionHandler> handler) {
    handler_ = std::move(handler);
    last_activity_ms_ = host_.loop().now_ms();
    wait_readable();
}

void Connection::refuse(std::string_view text) {
    asio::error_code error;
    if (!text.empty()) socket_->write_some(asio::buffer(text), error);
    state_ = State::kFinishing;
    linger();
}

// --- in ---

void Connection::wait_readable() {
    if (waits_readable_ || !socket_ || input_ended_) return;
    waits_readable_ = true;
    socket_->async_wait(asio::ip::tcp::socket::wait_read,
                        [self = shared_from_this()](const asio::error_code& error) {
                            self->waits_readable_ = false;
                            if (self->socket_ && !error) self->on_readable();
                        });
}

void Connection::on_readable() {
    if (state_ == State::kLingering) return discard();
    for (int i = 0; i < kReadsPerTurn && may_take(); ++i) {
        const bool more = read_some();
        if (!socket_) return;
        pump();
        if (!socket_ || !more) break;
    }
    if (may_take()) wait_readable();  // Else when the replies in hand are sent: flush().
    in_.settle();
}

bool Connection::read_some() {
    const MutableBytes space = in_.prepare();
    asio::error_code error;
    const std::size_t bytes =
        socket_->read_some(asio::mutable_buffer(space.data(), space.size()), error);
    if (error == asio::error::would_block || error == asio::error::interrupted) return false;
    if (error == asio::error::eof) {
        end_of_input();
        return false;
    }
    if (error) {
        close();
        return false;
    }
    in_.commit(bytes);
    host_.counters().received_bytes += bytes;
    last_activity_ms_ = host_.loop().now_ms();
    return bytes == space.size();
}

// What was requested is still answered: a client may shut its side after its last request.
void Connection::end_of_input() {
    input_ended_ = true;
    take_no_more();
    handler_->on_input_end();
}

void Connection::take_no_more() {
    if (state_ != State::kOpen) return;
    state_ = State::kFinishing;
}

bool Connection::may_take() const {
    const ServerOptions& options = host_.options();
    return state_ == State::kOpen && out_.unanswered() < options.max_unanswered &&
           out_.unsent_bytes() + out_.reserved_bytes() < options.max_unsent_bytes;
}

// --- requests and replies ---

// Takes frames and sends replies until one of them has to wait.
void Connection::pump() {
    if (is_pumping_) return;
    is_pumping_ = true;
    do {
        take_frames();
        send_replies();
    } while (socket_ && may_take() && in_.has_frame());
    is_pumping_ = false;
    if (socket_ && state_ == State::kFinishing && out_.empty()) linger();
}

void Connection::take_frames() {
    while (may_take()) {
        Bytes frame;
        switch (in_.next(frame)) {
            case ReceiveBuffer::Cut::kNeedMore: return;
            case ReceiveBuffer::Cut::kBadLength: return refuse_length();
            case ReceiveBuffer::Cut::kFrame: break;
        }
        ++host_.counters().requests;
        handler_->on_frame(frame, ReplySlot(shared_from_this(), out_.add()));
    }
}

void Connection::refuse_length() {
    ++host_.counters().closed_bad_length;
    const std::uint64_t request = out_.add();
    out_.complete(request, handler_->on_bad_length(in_.length()));
    take_no_more();
}

void Connection::complete(std::uint64_t request, Reply reply, AfterReply after) {
    if (state_ == State::kClosed) return;
    if (after == AfterReply::kClose) {
        out_.cut_after(request);
        take_no_more();
    }
    out_.complete(request, std::move(reply));
    if (!is_pumping_) host_.flush_later(*this);
}

void Connection::reserve(std::uint64_t request, std::uint64_t bytes) {
    out_.reserve(request, bytes);
}

void Connection::flush() {
    if (!socket_ || state_ == State::kLingering) return;
    pump();
    if (!socket_) return;
    if (may_take()) wait_readable();
    in_.settle();
}

void Connection::send_replies() {
    std::array<Bytes, kPieces> pieces;
    std::array<asio::const_buffer, kPieces> buffers;
    while (socket_ && !waits_writable_) {
        const std::size_t count = out_.gather(pieces);
        if (count == 0) return;
        for (std::size_t i = 0; i < count; ++i)
            buffers[i] = asio::const_buffer(pieces[i].data(), pieces[i].size());
        asio::error_code error;
        const std::size_t bytes =
            socket_->write_some(std::span<const asio::const_buffer>(buffers.data(), count), error);
        if (error == asio::error::would_block) return wait_writable();
        if (error == asio::error::interrupted) continue;
        if (error) return close();
        out_.consume(bytes);
        host_.counters().sent_bytes += bytes;
        last_activity_ms_ = host_.loop().now_ms();
    }
}

void Connection::wait_writable() {
    waits_writable_ = true;
    socket_->async_wait(asio::ip::tcp::socket::wait_write,
                        [self = shared_from_this()](const asio::error_code& error) {
                            self->waits_writable_ = false;
                            if (self->socket_ && !error) self->flush();
                        });
}

// --- the end ---

void Connection::drain() {
    if (state_ != State::kOpen) return;
    if (out_.empty() && in_.unread() == 0 && host_.loop().now_ms() - last_activity_ms_ >= kSilentMs)
        return close();
    take_no_more();
    handler_->on_input_end();
    flush();
}

void Connection::linger() {
    state_ = State::kLingering;
    if (input_ended_) return close();
    asio::error_code error;
    socket_->shutdown(asio::ip::tcp::socket::shutdown_send, error);
    if (error) return close();
    linger_timer_ = host_.loop().after_ms(host_.options().linger_ms, [self = shared_from_this()] {
        self->linger_timer_ = 0;
        self->close();
    });
    wait_readable();
}

void Connection::discard() {
    BlockPool::Block block = host_.blocks().take();
    asio::error_code error;
    for (int i = 0; i < kReadsPerTurn && !error; ++i)
        socket_->read_some(asio::mutable_buffer(block.get(), BlockPool::kBlockBytes), error);
    host_.blocks().give_back(std::move(block));
    if (error && error != asio::error::would_block && error != asio::error::interrupted)
        return close();
    wait_readable();
}

void Connection::close() {
    if (state_ == State::kClosed) return;
    state_ = State::kClosed;
    host_.loop().cancel(linger_timer_);
    asio::error_code error;
    socket_->close(error);
    // The connection may outlive its server and the loop; these may not.
    socket_.reset();
    in_.release();
    const auto self = shared_from_this();
    host_.closed(*this);
    handler_.reset();
}

void Connection::sweep(std::uint64_t now_ms) {
    if (!socket_) return;
    in_.forget_large();
    const std::uint64_t timeout_ms = host_.options().idle_timeout_ms;
    // A request in hand is our turn, not the client's.
    if (timeout_ms == 0 || out_.unanswered() > 0 || now_ms - last_activity_ms_ < timeout_ms) return;
    ++host_.counters().closed_idle;
    close();
}

}  // namespace walrus::net
