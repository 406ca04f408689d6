#include "walrus/member/calls.h"

#include <utility>

#include "walrus/member/channels.h"
#include "walrus/member/field_codec.h"

namespace walrus::member {
namespace {

enum Kind : std::uint8_t { kQuestion, kAnswer, kNobody };

std::string frame_of(Kind kind, std::uint64_t id, std::string_view bytes) {
    std::string frame;
    frame.reserve(1 + sizeof id + bytes.size());
    put(frame, static_cast<std::uint8_t>(kind));
    put(frame, id);
    frame.append(bytes);
    return frame;
}

}  // namespace

void Calls::call(cluster::NodeId to, std::string request, std::uint64_t deadline_ms,
                 CallCallback done) {
    const std::uint64_t id = next_id_++;
    open_.emplace(id, Open{to, deadline_ms, std::move(done)});
    deadlines_.emplace(deadline_ms, id);
    if (to == self_) return handle(self_, id, request);
    transport_.send(to, kCallsChannel, frame_of(kQuestion, id, request));
}

Status Calls::receive(net::PeerId from, std::string_view frame) {
    Fields fields(frame);
    const auto kind = fields.take<std::uint8_t>();
    const auto id = fields.take<std::uint64_t>();
    if (!fields.ok() || kind > kNobody) return Error{Errc::kCorruption, "calls: malformed frame"};
    if (kind == kQuestion) {
        handle(from, id, fields.rest());
    } else if (kind == kAnswer) {
        finish(id, from, std::string(fields.rest()));
    } else {
        finish(id, from,
               Error{Errc::kUnsupported,
                     "calls: node " + std::to_string(from) + " does not answer questions"});
    }
    return {};
}

void Calls::handle(cluster::NodeId from, std::uint64_t id, std::string_view request) {
    // Called at most once with effect, however often the handler calls it.
    auto answer = [self = std::weak_ptr(alive_), from, id,
                   used = std::make_shared<bool>(false)](std::string bytes) {
        const auto calls = self.lock();
        if (!calls || std::exchange(*used, true)) return;
        if (from == (*calls)->self_) return (*calls)->finish(id, from, std::move(bytes));
        (*calls)->transport_.send(from, kCallsChannel, frame_of(kAnswer, id, bytes));
    };
    if (handler_) return handler_(from, request, std::move(answer));
    if (from != self_) return transport_.send(from, kCallsChannel, frame_of(kNobody, id, {}));
    finish(id, from, Error{Errc::kUnsupported, "calls: this node does not answer questions"});
}

void Calls::finish(std::uint64_t id, cluster::NodeId from, Result<std::string> answer) {
    const auto found = open_.find(id);
    if (found == open_.end() || found->second.to != from) return;
    const CallCallback done = std::move(found->second.done);
    open_.erase(found);
    done(std::move(answer));
}

void Calls::tick(std::uint64_t now_ms) {
    while (!deadlines_.empty() && deadlines_.begin()->first <= now_ms) {
        const std::uint64_t id = deadlines_.begin()->second;
        deadlines_.erase(deadlines_.begin());
        const auto found = open_.find(id);
        if (found == open_.end()) continue;
        const cluster::NodeId to = found->second.to;
        finish(id, to,
               Error{Errc::kTimeout, "calls: node " + std::to_string(to) +
                                         " did not answer in time; the outcome is unknown"});
    }
}

}  // namespace walrus::member
