#include "walrus/member/departure.h"

#include <algorithm>
#include <utility>

namespace walrus::member {

void Departure::begin(std::uint64_t deadline_ms, std::function<void(Status)> done) {
    if (done_.empty()) deadline_ms_ = deadline_ms;
    done_.push_back(std::move(done));
}

void Departure::tick(std::uint64_t now_ms, bool registered) {
    const cluster::Node* self = parts_.state.node(parts_.self.node);
    if (self == nullptr || !registered) {
        if (!done_.empty()) finish({});  // Nobody counts on this run.
        return;
    }
    if (done_.empty()) {
        if (!was_drained_) return;
        if (self->state == cluster::NodeState::kDraining) {
            return set_state(cluster::NodeState::kLive);
        }
        was_drained_ = false;
        return parts_.note_drained(false);
    }
    // Nobody could take over.
    if (!others_live()) return finish({});
    if (self->state == cluster::NodeState::kLive) {
        if (!std::exchange(was_drained_, true)) parts_.note_drained(true);
        set_state(cluster::NodeState::kDraining);
    }
    if (!leads_segments()) {
        if (!parts_.raft.leads()) return finish({});
        parts_.raft.hand_over();
    }
    if (now_ms < deadline_ms_) return;
    finish(Error{Errc::kTimeout, "the others did not take everything over in time"});
}

bool Departure::leads_segments() const {
    return std::ranges::any_of(parts_.state.data().topics, [&](const auto& entry) {
        const cluster::Segment& last = entry.second.last();
        return last.state == cluster::SegmentState::kOpen && last.leader == parts_.self;
    });
}

bool Departure::others_live() const {
    return std::ranges::any_of(parts_.state.data().nodes, [&](const auto& entry) {
        return entry.first != parts_.self.node && entry.second.state == cluster::NodeState::kLive;
    });
}

void Departure::set_state(cluster::NodeState state) {
    if (std::exchange(proposed_, true)) return;
    const cluster::Index version = parts_.state.node(parts_.self.node)->version;
    parts_.propose(cluster::SetNodeState{parts_.self.node, state, version},
                   [this](const Result<cluster::CommandResult>&) { proposed_ = false; });
}

void Departure::finish(const Status& status) {
    for (const auto& done : std::exchange(done_, {})) done(status);
}

}  // namespace walrus::member
