#include "walrus/net/peer_wire.h"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <asio/buffer.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <utility>

namespace walrus::net {
namespace {

// As many as asio hands to one sendmsg().
constexpr std::size_t kPieces = 64;
// Reads of one connection before others get their turn.
constexpr int kReadsPerTurn = 16;

}  // namespace

PeerWire::PeerWire(PeerContextPtr context, asio::ip::tcp::socket socket,
                   std::uint32_t max_frame_bytes)
    : context_(std::move(context)),
      socket_(std::move(socket)),
      in_(context_->blocks, LengthOrder::kLittleEndian, max_frame_bytes) {}

void PeerWire::start(PeerWireUser& user) {
    user_ = &user;
    last_sign_ms_ = context_->loop.now_ms();
    asio::error_code error;
    socket_->non_blocking(true, error);
    socket_->set_option(asio::ip::tcp::no_delay(true), error);
    // The kernel's own opinion of a dead peer, behind ours.
    const auto dead_ms = static_cast<unsigned>(4 * context_->options.silence_ms);
    ::setsockopt(socket_->native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_ms, sizeof dead_ms);
    wait_readable();
}

// --- in ---

void PeerWire::wait_readable() {
    socket_->async_wait(asio::ip::tcp::socket::wait_read,
                        [self = shared_from_this()](const asio::error_code& error) {
                            if (self->socket_ && !error) self->on_readable();
                        });
}

void PeerWire::on_readable() {
    is_reading_ = true;  // Frames point into the buffer: close() leaves it to us.
    for (int i = 0; i < kReadsPerTurn && socket_ && read_some(); ++i) {
    }
    is_reading_ = false;
    if (!socket_) return in_.release();
    in_.settle();
    wait_readable();
}

bool PeerWire::read_some() {
    const MutableBytes space = in_.prepare();
    asio::error_code error;
    const std::size_t bytes =
        socket_->read_some(asio::mutable_buffer(space.data(), space.size()), error);
    if (error == asio::error::would_block || error == asio::error::interrupted) return false;
    if (error) {
        broken(error == asio::error::eof ? "closed by the peer" : error.message());
        return false;
    }
    in_.commit(bytes);
    context_->stats.received_bytes += bytes;
    last_sign_ms_ = context_->loop.now_ms();
    take_frames();
    return bytes == space.size();
}

void PeerWire::take_frames() {
    while (socket_) {
        Bytes bytes;
        switch (in_.next(bytes)) {
            case ReceiveBuffer::Cut::kNeedMore: return;
            case ReceiveBuffer::Cut::kBadLength:
                return bad_input("frame of " + std::to_string(in_.length()) +
                                 " bytes is above the limit");
            case ReceiveBuffer::Cut::kFrame: break;
        }
        const auto frame = decode_peer_frame(bytes);
        if (!frame) return bad_input("damaged frame");
        if (!is_finishing_) user_->on_frame(*frame);
    }
}

void PeerWire::bad_input(std::string_view why) {
    ++context_->stats.bad_input;
    broken(why);
}

// --- out ---

void PeerWire::send(PeerFrameKind kind, std::uint8_t channel, std::string payload) {
    if (!socket_ || is_finishing_) return;
    std::string header;
    append_peer_header(header, {.kind = kind, .channel = channel, .payload = payload});
    out_.push(std::move(header));
    out_.push(std::move(payload));
    flush_later();
}

void PeerWire::flush_later() {
    if (waits_writable_ || std::exchange(flush_is_due_, true)) return;
    asio::post(context_->loop.context(), [self = shared_from_this()] {
        self->flush_is_due_ = false;
        if (self->socket_ && !self->waits_writable_) self->flush();
    });
}

void PeerWire::flush() {
    std::array<Bytes, kPieces> pieces;
    std::array<asio::const_buffer, kPieces> buffers;
    while (!out_.empty()) {
        const std::size_t count = out_.gather(pieces);
        for (std::size_t i = 0; i < count; ++i)
            buffers[i] = asio::const_buffer(pieces[i].data(), pieces[i].size());
        asio::error_code error;
        const std::size_t bytes =
            socket_->write_some(std::span<const asio::const_buffer>(buffers.data(), count), error);
        if (error == asio::error::would_block) return wait_writable();
        if (error == asio::error::interrupted) continue;
        if (error) return broken(error.message());
        out_.consume(bytes);
        written_bytes_ += bytes;
        context_->stats.sent_bytes += bytes;
    }
    shut_when_sent();
}

void PeerWire::wait_writable() {
    waits_writable_ = true;
    socket_->async_wait(asio::ip::tcp::socket::wait_write,
                        [self = shared_from_this()](const asio::error_code& error) {
                            self->waits_writable_ = false;
                            if (self->socket_ && !error) self->flush();
                        });
}

// --- the end ---

void PeerWire::finish() {
    if (std::exchange(is_finishing_, true)) return;
    flush_later();
}

void PeerWire::shut_when_sent() {
    asio::error_code error;
    if (is_finishing_) socket_->shutdown(asio::ip::tcp::socket::shutdown_send, error);
}

void PeerWire::broken(std::string_view why) {
    PeerWireUser* const user = user_;
    const std::string reason(why);
    const auto self = shared_from_this();
    close();
    if (user != nullptr) user->on_broken(reason);
}

void PeerWire::close() {
    if (!socket_) return;
    user_ = nullptr;
    asio::error_code error;
    socket_->close(error);
    // The wire may outlive the transport and the loop; the socket may not.
    socket_.reset();
    out_.clear();
    if (!is_reading_) in_.release();
}

// A dead peer's kernel takes nothing, a stopped process's takes until its buffer is full; so only
// one that takes and leaves more to be taken is alive by that.
void PeerWire::sweep(std::uint64_t now_ms) {
    if (!socket_) return;
    in_.forget_large();
    int in_kernel = 0;
    if (::ioctl(socket_->native_handle(), SIOCOUTQ, &in_kernel) != 0) return;
    const std::uint64_t taken = written_bytes_ - static_cast<std::uint64_t>(in_kernel);
    const bool has_backlog = in_kernel > 0 || !out_.empty();
    if (has_backlog && taken > taken_bytes_) last_sign_ms_ = now_ms;
    taken_bytes_ = taken;
}

}  // namespace walrus::net
