#include "walrus/net/peer_question.h"

#include <utility>

namespace walrus::net {

PeerQuestion::PeerQuestion(PeerContextPtr context, std::string address, std::string question,
                           Done done)
    : context_(std::move(context)),
      address_(std::move(address)),
      question_(std::move(question)),
      done_(std::move(done)) {}

void PeerQuestion::start(std::uint64_t timeout_ms) {
    timer_ = context_->loop.after_ms(timeout_ms, [self = shared_from_this()] {
        self->finish(self->error_of(Errc::kTimeout, "no answer"));
    });
    dial_ = PeerDial::start(context_->loop, address_, timeout_ms,
                            [self = shared_from_this()](Result<asio::ip::tcp::socket> socket) {
                                self->on_dialed(std::move(socket));
                            });
}

void PeerQuestion::on_dialed(Result<asio::ip::tcp::socket> socket) {
    dial_.reset();
    if (!socket) return finish(socket.error());
    wire_ =
        std::make_shared<PeerWire>(context_, *std::move(socket), context_->options.max_frame_bytes);
    wire_->start(*this);
    wire_->send(PeerFrameKind::kQuestion, 0, encode_question(question_));
}

void PeerQuestion::on_frame(const PeerFrame& frame) {
    const auto self = shared_from_this();
    if (frame.kind == PeerFrameKind::kAnswer) return finish(std::string(frame.payload));
    if (frame.kind == PeerFrameKind::kRefusal) return on_refusal(frame.payload);
    ++context_->stats.bad_input;
    finish(error_of(Errc::kUnsupported, "it does not speak the protocol between nodes"));
}

void PeerQuestion::on_refusal(std::string_view payload) {
    const auto refusal = decode_refusal(payload);
    if (!refusal) return finish(refusal.error());
    const bool is_version = refusal->reason == PeerRefusalReason::kOtherVersion;
    finish(Error{is_version ? Errc::kUnsupported : Errc::kIo,
                 explain_refusal(*refusal, context_->self, 0, address_)});
}

void PeerQuestion::on_broken(std::string_view why) {
    const auto self = shared_from_this();
    finish(error_of(Errc::kIo, std::string(why)));
}

void PeerQuestion::finish(Result<std::string> result) {
    if (!done_) return;
    const Done done = std::exchange(done_, nullptr);
    const auto self = shared_from_this();
    cancel();
    done(std::move(result));
}

void PeerQuestion::cancel() {
    const auto self = shared_from_this();
    done_ = nullptr;
    if (dial_ != nullptr) std::exchange(dial_, nullptr)->cancel();
    if (wire_ != nullptr) std::exchange(wire_, nullptr)->close();
    context_->loop.cancel(std::exchange(timer_, 0));
}

Error PeerQuestion::error_of(Errc code, const std::string& cause) const {
    return {code, "ask " + address_ + ": " + cause};
}

}  // namespace walrus::net
