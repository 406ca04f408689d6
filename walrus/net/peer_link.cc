#include "walrus/net/peer_link.h"

#include <algorithm>
#include <utility>

#include "walrus/base/bytes.h"
#include "walrus/base/log.h"

namespace walrus::net {
namespace {

constexpr std::uint32_t kGreetingFrameBytes = kMaxGreetingBytes + kPeerHeaderBytes;

std::string ping_at(std::uint64_t now_ms) {
    std::string payload(sizeof now_ms, '\0');
    store_le(reinterpret_cast<std::byte*>(payload.data()), now_ms);
    return payload;
}

}  // namespace

// --- connecting ---

void PeerLink::set_address(const std::string& address) {
    if (state_ == State::kClosed || address == address_) return;
    address_ = address;
    failures_ = 0;
    told_refusal_.reset();
    told_unreachable_ = false;
    disconnect();
    dial();
}

void PeerLink::hurry() {
    if (state_ != State::kWaiting || address_.empty()) return;
    if (told_refusal_ && told_refusal_ != PeerRefusalReason::kNotReady) return;
    dial();
}

void PeerLink::dial() {
    context_->loop.cancel(std::exchange(retry_timer_, 0));
    state_ = State::kDialing;
    dial_ = PeerDial::start(context_->loop, address_, context_->options.connect_timeout_ms,
                            [weak = weak_from_this()](Result<asio::ip::tcp::socket> socket) {
                                if (const auto self = weak.lock())
                                    self->on_dialed(std::move(socket));
                            });
}

void PeerLink::on_dialed(Result<asio::ip::tcp::socket> socket) {
    dial_.reset();
    if (!socket) return retry(socket.error().message);
    state_ = State::kGreeting;
    greeted_ms_ = context_->loop.now_ms();
    wire_ = std::make_shared<PeerWire>(context_, *std::move(socket), kGreetingFrameBytes);
    wire_->start(*this);
    wire_->send(PeerFrameKind::kHello, 0,
                encode_hello({.cluster = context_->cluster,
                              .from = context_->self,
                              .incarnation = context_->incarnation,
                              .to = peer_,
                              .address = context_->address}));
}

void PeerLink::on_frame(const PeerFrame& frame) {
    const auto self = shared_from_this();
    const bool is_open = state_ == State::kOpen;
    switch (frame.kind) {
        case PeerFrameKind::kWelcome:
            if (!is_open) return on_welcome();
            break;
        case PeerFrameKind::kRefusal: return on_refusal(frame.payload);
        case PeerFrameKind::kPing:
            if (is_open && wire_->unsent_bytes() <= context_->options.max_unsent_bytes)
                return wire_->send(PeerFrameKind::kPong, 0, std::string(frame.payload));
            return;
        case PeerFrameKind::kPong: return on_pong(frame.payload);
        case PeerFrameKind::kHello:
        case PeerFrameKind::kMessage:
        case PeerFrameKind::kQuestion:
        case PeerFrameKind::kAnswer: break;
    }
    ++context_->stats.bad_input;
    retry("it does not keep to the protocol");
}

void PeerLink::on_welcome() {
    state_ = State::kOpen;
    failures_ = 0;
    told_refusal_.reset();
    told_unreachable_ = false;
    ++context_->stats.connects;
    log(LogLevel::kInfo, "peer: connected to node " + std::to_string(peer_) + " at " + address_);
    tell({.kind = PeerEvent::Kind::kConnected, .peer = peer_});
}

void PeerLink::on_refusal(std::string_view payload) {
    const auto refusal = decode_refusal(payload);
    if (!refusal) return retry(refusal.error().message);
    ++context_->stats.refusals;
    const std::string message = explain_refusal(*refusal, context_->self, peer_, address_);
    const bool is_harmless = refusal->reason == PeerRefusalReason::kNotReady;
    if (told_refusal_ != refusal->reason)
        log(is_harmless ? LogLevel::kInfo : LogLevel::kError, "peer: " + message);
    told_refusal_ = refusal->reason;
    told_unreachable_ = true;  // What follows from it need not be told.
    tell({.kind = PeerEvent::Kind::kRefused,
          .peer = peer_,
          .refusal = *refusal,
          .message = message});
    if (!is_harmless) failures_ = std::max<std::uint32_t>(failures_, 16);  // No hurry.
    retry(message);
}

void PeerLink::retry(std::string_view why) {
    if (state_ == State::kOpen)
        log(LogLevel::kWarn, "peer: lost node " + std::to_string(peer_) + " at " + address_ + ": " +
                                 std::string(why) + "; dials again");
    else if (!std::exchange(told_unreachable_, true))
        log(LogLevel::kWarn, "peer: cannot reach node " + std::to_string(peer_) + ": " +
                                 std::string(why) + "; tries on");
    disconnect();
    const PeerTransportOptions& options = context_->options;
    const std::uint64_t grown = options.retry_min_ms << std::min<std::uint32_t>(failures_++, 20);
    const std::uint64_t pause = std::min(grown, options.retry_max_ms);
    // Nodes that lost the same peer do not come back all at once.
    const std::uint64_t delay = pause / 2 + context_->random.below(pause / 2 + 1);
    retry_timer_ = context_->loop.after_ms(delay, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (self == nullptr) return;
        self->retry_timer_ = 0;
        self->dial();
    });
}

void PeerLink::disconnect() {
    context_->loop.cancel(std::exchange(retry_timer_, 0));
    if (dial_ != nullptr) std::exchange(dial_, nullptr)->cancel();
    if (wire_ != nullptr) std::exchange(wire_, nullptr)->close();
    if (state_ == State::kOpen) {
        ++context_->stats.disconnects;
        tell({.kind = PeerEvent::Kind::kDisconnected, .peer = peer_});
    }
    told_full_ = false;
    state_ = State::kWaiting;
}

void PeerLink::close() {
    disconnect();
    state_ = State::kClosed;
}

void PeerLink::on_broken(std::string_view why) {
    const auto self = shared_from_this();
    retry(why);
}

// Later, since whoever hears of it may close this link.
void PeerLink::tell(PeerEvent event) {
    if (!context_->options.on_event) return;
    context_->loop.post([context = context_, event = std::move(event)] {
        if (context->options.on_event) context->options.on_event(event);
    });
}

// --- sending ---

void PeerLink::send(std::uint8_t channel, std::string frame) {
    PeerStats& stats = context_->stats;
    if (state_ != State::kOpen) {
        ++stats.dropped_unconnected;
        return;
    }
    if (!has_room(frame.size() + kPeerHeaderBytes)) {
        ++stats.dropped_full;
        return;
    }
    ++stats.sent_frames;
    wire_->send(PeerFrameKind::kMessage, channel, std::move(frame));
}

bool PeerLink::has_room(std::size_t bytes) {
    const PeerTransportOptions& options = context_->options;
    if (bytes - kPeerLengthBytes > options.max_frame_bytes) {
        log(LogLevel::kError, "peer: a frame of " + std::to_string(bytes) + " bytes to node " +
                                  std::to_string(peer_) + " is above the limit and is dropped");
        return false;
    }
    const std::uint64_t unsent = wire_->unsent_bytes();
    if (unsent == 0) told_full_ = false;
    if (unsent == 0 || unsent + bytes <= options.max_unsent_bytes) return true;
    if (!std::exchange(told_full_, true))
        log(LogLevel::kWarn, "peer: node " + std::to_string(peer_) + " takes too slowly, " +
                                 std::to_string(unsent) + " bytes wait; frames are dropped");
    return false;
}

// --- is it alive? ---

void PeerLink::on_pong(std::string_view payload) {
    if (payload.size() != sizeof round_trip_ms_) return;
    const auto sent_ms = load_le<std::uint64_t>(as_bytes(payload).data());
    const std::uint64_t now_ms = context_->loop.now_ms();
    round_trip_ms_ = now_ms - std::min(now_ms, sent_ms);
}

void PeerLink::sweep(std::uint64_t now_ms) {
    const PeerTransportOptions& options = context_->options;
    if (state_ == State::kGreeting && now_ms - greeted_ms_ >= options.greeting_timeout_ms)
        return retry("no answer to the greeting");
    if (state_ != State::kOpen) return;
    wire_->sweep(now_ms);
    if (now_ms - wire_->last_sign_ms() >= options.silence_ms)
        return retry("silent for " + std::to_string(now_ms - wire_->last_sign_ms()) + " ms");
    wire_->send(PeerFrameKind::kPing, 0, ping_at(now_ms));
}

PeerStatus PeerLink::status() const {
    return {.peer = peer_,
            .address = address_,
            .is_connected = state_ == State::kOpen,
            .unsent_bytes = wire_ == nullptr ? 0 : wire_->unsent_bytes(),
            .round_trip_ms = round_trip_ms_};
}

}  // namespace walrus::net
