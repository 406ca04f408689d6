#include "walrus/net/peer_visitor.h"

#include <algorithm>
#include <utility>

#include "walrus/base/log.h"

namespace walrus::net {
namespace {

// What a visitor that does not take its pongs may have of them.
constexpr std::uint64_t kMaxUnsentPongs = 4096;

std::uint32_t stranger_limit(const PeerTransportOptions& options) {
    return static_cast<std::uint32_t>(
        std::max<std::size_t>(kMaxGreetingBytes, options.max_question_bytes) + kPeerHeaderBytes);
}

}  // namespace

PeerVisitor::PeerVisitor(PeerContextPtr context, PeerVisitorHost& host,
                         asio::ip::tcp::socket socket, std::string from_address)
    : context_(std::move(context)),
      host_(host),
      from_address_(std::move(from_address)),
      wire_(std::make_shared<PeerWire>(context_, std::move(socket),
                                       stranger_limit(context_->options))),
      since_ms_(context_->loop.now_ms()) {}

// --- what comes ---

void PeerVisitor::on_frame(const PeerFrame& frame) {
    const auto self = shared_from_this();
    switch (state_) {
        case State::kStranger: return on_greeting(frame);
        case State::kPeer: return on_peer_frame(frame);
        case State::kHeld:  // Nothing may come before the answer.
        case State::kAsking: return bad_input();
        case State::kEnding:
        case State::kClosed: return;
    }
}

void PeerVisitor::on_greeting(const PeerFrame& frame) {
    if (frame.kind == PeerFrameKind::kQuestion) return on_question(frame.payload);
    if (frame.kind != PeerFrameKind::kHello) return bad_input();
    auto hello = decode_hello(frame.payload);
    if (!hello && hello.error().code == Errc::kUnsupported)
        return refuse(PeerRefusalReason::kOtherVersion);
    if (!hello) return bad_input();
    hello_ = *std::move(hello);
    host_.on_hello(*this);
}

void PeerVisitor::on_question(std::string_view payload) {
    auto question = decode_question(payload);
    if (!question && question.error().code == Errc::kUnsupported)
        return refuse(PeerRefusalReason::kOtherVersion);
    if (!question) return bad_input();
    if (!context_->handlers.asked) return refuse(PeerRefusalReason::kNoSuchQuestion);
    state_ = State::kAsking;
    since_ms_ = context_->loop.now_ms();
    context_->handlers.asked(*std::move(question), [weak = weak_from_this()](std::string text) {
        if (const auto self = weak.lock()) self->answer(std::move(text));
    });
}

void PeerVisitor::answer(std::string text) {
    if (state_ != State::kAsking) return;  // It has given up.
    wire_->send(PeerFrameKind::kAnswer, 0, std::move(text));
    end();
}

void PeerVisitor::on_peer_frame(const PeerFrame& frame) {
    switch (frame.kind) {
        case PeerFrameKind::kMessage:
            ++context_->stats.received_frames;
            return context_->handlers.receive(hello_.from, frame.channel, frame.payload);
        case PeerFrameKind::kPing:
            if (frame.payload.size() > kMaxGreetingBytes) return bad_input();
            if (wire_->unsent_bytes() < kMaxUnsentPongs)
                wire_->send(PeerFrameKind::kPong, 0, std::string(frame.payload));
            return;
        case PeerFrameKind::kPong: return host_.on_alive(*this);
        case PeerFrameKind::kHello:
        case PeerFrameKind::kWelcome:
        case PeerFrameKind::kRefusal:
        case PeerFrameKind::kQuestion:
        case PeerFrameKind::kAnswer: return bad_input();
    }
}

void PeerVisitor::bad_input() {
    // Somebody who tries again and again does not fill the log.
    constexpr std::uint64_t kMostTold = 20;
    if (++context_->stats.bad_input <= kMostTold)
        log(LogLevel::kWarn, "peer: closes " + from_address_ +
                                 ", which does not keep to the protocol between nodes");
    close();
}

// --- what it is told ---

void PeerVisitor::welcome() {
    state_ = State::kPeer;
    since_ms_ = context_->loop.now_ms();
    wire_->set_limit(context_->options.max_frame_bytes);
    wire_->send(PeerFrameKind::kWelcome, 0, {});
}

void PeerVisitor::hold() {
    state_ = State::kHeld;
    since_ms_ = context_->loop.now_ms();
}

void PeerVisitor::refuse(PeerRefusalReason reason) {
    ++context_->stats.refusals;
    wire_->send(PeerFrameKind::kRefusal, 0,
                encode_refusal({.reason = reason,
                                .version = kPeerVersion,
                                .cluster = context_->cluster,
                                .node = context_->self}));
    end();
}

void PeerVisitor::probe() {
    wire_->send(PeerFrameKind::kPing, 0, {});
}

// --- the end ---

void PeerVisitor::end() {
    state_ = State::kEnding;
    since_ms_ = context_->loop.now_ms();
    wire_->finish();
}

void PeerVisitor::on_broken(std::string_view why) {
    const auto self = shared_from_this();
    if (state_ == State::kPeer)
        log(LogLevel::kInfo, "peer: node " + std::to_string(hello_.from) + " at " + from_address_ +
                                 " is gone: " + std::string(why));
    close();
}

void PeerVisitor::close() {
    if (state_ == State::kClosed) return;
    const auto self = shared_from_this();
    state_ = State::kClosed;
    wire_->close();
    host_.on_gone(*this);
}

std::uint64_t PeerVisitor::patience_ms() const {
    const PeerTransportOptions& options = context_->options;
    return state_ == State::kAsking ? options.answer_timeout_ms : options.greeting_timeout_ms;
}

void PeerVisitor::sweep(std::uint64_t now_ms) {
    wire_->sweep(now_ms);
    // It pings; so nothing for so long means that its machine is gone.
    const bool is_silent = now_ms - wire_->last_sign_ms() >= 2 * context_->options.silence_ms;
    if (state_ == State::kPeer ? is_silent : now_ms - since_ms_ >= patience_ms()) close();
}

}  // namespace walrus::net
