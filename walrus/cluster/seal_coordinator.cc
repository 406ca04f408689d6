#include "walrus/cluster/seal_coordinator.h"

#include <algorithm>
#include <utility>

#include "walrus/base/assert.h"
#include "walrus/cluster/message_fields.h"
#include "walrus/cluster/mutants.h"

namespace walrus::cluster {

SealCoordinator::SealCoordinator(const CoordinatorOptions& options, NodeId self, TopicId topic,
                                 const Segment& segment)
    : options_(options),
      self_(self),
      key_{topic, segment.number},
      segment_(segment),
      enough_(segment.ack_quorum) {}

void SealCoordinator::set_spares(std::vector<ReplicaId> spares, std::size_t enough) {
    spares_ = std::move(spares);
    enough_ = std::max<std::size_t>(1, std::min<std::size_t>(enough, segment_.ack_quorum));
}

void SealCoordinator::start(Output& out) {
    for (const ReplicaId& replica : segment_.replicas) {
        if (replies_.contains(replica.node)) continue;
        out.messages.push_back({self_, replica.node, FenceRequest{key_, segment_.epoch}});
    }
}

void SealCoordinator::tick(Output& out) {
    if (superseded_ || found()) return;
    ++ticks_;
    if (ticks_ % options_.resend_ticks != 0) return;
    start(out);
    if (!end_) return;
    for (TailCopier& copier : copiers_) copier.start(out);
    add_spares(out);
}

std::uint32_t SealCoordinator::fenced_count() const {
    return static_cast<std::uint32_t>(std::ranges::count_if(replies_, [](const auto& entry) {
        return !entry.second.lossy || mutant_on(Mutant::kLossyReplyCounts);
    }));
}

void SealCoordinator::on(NodeId from, const FenceReply& reply, Output& out) {
    if (reply.epoch != segment_.epoch || superseded_) return;
    const ReplicaId* member = segment_.replica(from);
    const bool registered =
        member != nullptr && (member->disk == reply.disk || mutant_on(Mutant::kWipedDiskCounts));
    if (!registered) return;
    if (reply.status == FenceStatus::kSuperseded) {
        superseded_ = true;
        return;
    }
    if (reply.status != FenceStatus::kFenced || !replies_.emplace(from, reply).second) return;
    if (end_) return add_target(*member, out);
    decide(out);
}

// What lies behind it is positively lacked by F fenced replicas, so it cannot be acknowledged.
std::uint64_t SealCoordinator::least_length() const {
    std::vector<std::uint64_t> lengths;
    for (const auto& [node, reply] : replies_) {
        if (!reply.lossy || mutant_on(Mutant::kLossyReplyCounts)) lengths.push_back(reply.length);
    }
    std::ranges::sort(lengths);
    std::uint32_t quorum = segment_.fence_quorum();
    if (mutant_on(Mutant::kFenceOneTooFew) && quorum > 1) --quorum;
    WALRUS_ASSERT(lengths.size() >= quorum);
    return mutant_on(Mutant::kLengthIsShortest) ? 0 : lengths[quorum - 1];
}

void SealCoordinator::decide(Output& out) {
    std::uint32_t quorum = segment_.fence_quorum();
    if (mutant_on(Mutant::kFenceOneTooFew) && quorum > 1) --quorum;
    if (fenced_count() < quorum) return;
    // The longest readable copy, also of a lossy replica: taking more than was acknowledged is
    // allowed, for there is one value per position.
    const auto shorter = [](const auto& a, const auto& b) {
        return a.second.intact.length < b.second.intact.length;
    };
    const auto best = mutant_on(Mutant::kLengthIsShortest)
                          ? std::ranges::min_element(replies_, shorter)
                          : std::ranges::max_element(replies_, shorter);
    if (best->second.intact.length < least_length()) return;  // Damaged: wait for others.
    end_ = best->second.intact;
    source_ = *segment_.replica(best->first);
    for (const auto& [node, reply] : replies_) add_target(*segment_.replica(node), out);
}

void SealCoordinator::add_target(const ReplicaId& target, Output& out) {
    if (target == *source_) return;
    copiers_.emplace_back(TailCopier::Job{.self = self_,
                                          .key = key_,
                                          .epoch = segment_.epoch,
                                          .source = *source_,
                                          .target = target,
                                          .end = *end_,
                                          .max_bytes = options_.max_message_bytes});
    copiers_.back().start(out);
}

void SealCoordinator::add_spares(Output& out) {
    if (ticks_ < options_.patience_ticks) return;
    const auto usable =
        std::ranges::count_if(copiers_, [](const TailCopier& copier) { return !copier.failed(); });
    std::size_t hopeful = 1 + static_cast<std::size_t>(usable);
    while (hopeful < enough_ && !spares_.empty()) {
        add_target(spares_.front(), out);
        spares_.erase(spares_.begin());
        ++hopeful;
    }
}

void SealCoordinator::on(NodeId from, const AppendReply& reply, Output& out) {
    if (reply.epoch == segment_.epoch && reply.status == AppendStatus::kFenced) {
        superseded_ = true;
    }
    for (TailCopier& copier : copiers_) copier.on(from, reply, out);
}

void SealCoordinator::on(NodeId from, const ReadReply& reply, Output& out) {
    for (TailCopier& copier : copiers_) copier.on(from, reply, out);
}

std::optional<SealCoordinator::Found> SealCoordinator::found() const {
    if (!end_ || superseded_) return {};
    Found found{{end_->length, end_->bytes, end_->chain}, {*source_}};
    for (const TailCopier& copier : copiers_) {
        if (copier.done() || (mutant_on(Mutant::kSealBeforeCopy) && !copier.failed())) {
            found.holders.push_back(copier.job().target);
        }
    }
    if (found.holders.size() < enough_) return {};
    return found;
}

void SealCoordinator::append_state(std::string& out) const {
    wire::Writer writer(out);
    writer(key_, segment_.epoch, replies_, end_, source_, ticks_, superseded_, spares_);
    for (const TailCopier& copier : copiers_) copier.append_state(out);
}

bool SealCoordinator::blocked_by_damage() const {
    return !end_ && fenced_count() >= segment_.fence_quorum();
}

std::optional<SealCoordinator::Found> SealCoordinator::salvage() const {
    const auto best = std::ranges::max_element(replies_, [](const auto& a, const auto& b) {
        return a.second.intact.length < b.second.intact.length;
    });
    if (best == replies_.end()) return {};
    const Mark& end = best->second.intact;
    return Found{{end.length, end.bytes, end.chain}, {*segment_.replica(best->first)}};
}

}  // namespace walrus::cluster
