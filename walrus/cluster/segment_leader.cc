#include "walrus/cluster/segment_leader.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "walrus/cluster/message_fields.h"
#include "walrus/cluster/mutants.h"
#include "walrus/cluster/rollover.h"

namespace walrus::cluster {

bool may_lead(const Segment& segment, const LeaderId& self) {
    if (segment.state != SegmentState::kOpen) return false;
    return segment.leader == self ||
           (mutant_on(Mutant::kLeaderResumes) && segment.leader.node == self.node);
}

SegmentLeader::SegmentLeader(const LeaderOptions& options, TopicId topic, const Segment& segment,
                             ProducerTable producers)
    : options_(options),
      key_{topic, segment.number},
      segment_(segment),
      producers_(std::move(producers)),
      rounds_(segment.ack_quorum) {
    end_.chain = chain_start(key_);
    committed_ = end_;
    for (const ReplicaId& replica : segment.replicas) peers_.push_back({.id = replica});
    if (mutant_on(Mutant::kProducersForgotten)) producers_ = {};
}

void SegmentLeader::finish(std::uint64_t request, AppendOutcome outcome,
                           std::optional<Offset> offset, Output& out) const {
    out.appends.push_back({request, key_.topic, outcome, offset});
}

bool SegmentLeader::admit(std::uint64_t request, const Batch& batch, Output& out) {
    const auto refuse = [&](AppendOutcome outcome) {
        finish(request, outcome, {}, out);
        return false;
    };
    if (fenced_) return refuse(AppendOutcome::kNotLeader);
    if (batch.records == 0 || batch.records > segment_.max_records) {
        return refuse(AppendOutcome::kTooLarge);
    }
    const ProducerTable::Check check = producers_.check(batch.producer, batch.records);
    switch (check.verdict) {
        case ProducerTable::Verdict::kNew: break;
        case ProducerTable::Verdict::kFenced: return refuse(AppendOutcome::kProducerFenced);
        case ProducerTable::Verdict::kOutOfOrder: {
            // The missing batch may be with a successor that this leader has not heard of.
            if (mutant_on(Mutant::kFinalByOldLeader)) return refuse(AppendOutcome::kOutOfOrder);
            if (may_be_sealed()) return refuse(AppendOutcome::kBusy);
            doubts_.emplace(++rounds_asked_, request);
            confirm(rounds_asked_, out);
            return false;
        }
        case ProducerTable::Verdict::kForgottenDuplicate: return refuse(AppendOutcome::kDuplicate);
        case ProducerTable::Verdict::kDuplicate: {
            // The first copy may still be on its way: the answer waits with it.
            const Offset end = check.offset + batch.records;
            if (end <= segment_.base + committed_.length) {
                finish(request, AppendOutcome::kDuplicate, check.offset, out);
            } else {
                const Pending pending{request, check.offset, AppendOutcome::kDuplicate};
                pending_.emplace(end - segment_.base, pending);
            }
            return false;
        }
    }
    full_ = full_ || !fits(segment_.max_records, end_.length, batch.records);
    const bool room = unacked_bytes_ < options_.max_unacked_bytes && !full_;
    return admitting_ && room ? true : refuse(AppendOutcome::kBusy);
}

void SegmentLeader::append(std::uint64_t request, Batch batch, Output& out) {
    if (!admit(request, batch, out)) return;
    batch.preamble = end_.length == 0 && !producers_.producers().empty()
                         ? Payload(producers_.encode())
                         : Payload();
    const Offset offset = segment_.base + end_.length;
    producers_.record(batch.producer, batch.records, offset);
    const Mark before = end_;
    end_ = mark_after(before, batch);
    window_bytes_ += cost_bytes(batch);
    unacked_bytes_ += cost_bytes(batch);
    window_.push_back({before, std::move(batch)});
    pending_.emplace(end_.length, Pending{request, offset, AppendOutcome::kCommitted});
    for (Peer& peer : peers_) send_batches(peer, out);
}

std::size_t SegmentLeader::window_index(std::uint64_t length) const {
    const auto at = std::ranges::lower_bound(window_, length, {},
                                             [](const Sent& sent) { return sent.before.length; });
    return static_cast<std::size_t>(at - window_.begin());
}

std::uint64_t SegmentLeader::bytes_between(std::uint64_t from, std::uint64_t to) const {
    const std::size_t last = window_index(to);
    const std::size_t first = std::min(window_index(from), last);
    const std::uint64_t end = last == window_.size() ? end_.bytes : window_[last].before.bytes;
    const std::uint64_t begin = first == window_.size() ? end_.bytes : window_[first].before.bytes;
    return end - begin;
}

AppendRequest SegmentLeader::request_at(const Mark& mark) const {
    return {.key = key_,
            .epoch = segment_.epoch,
            .first = mark.length,
            .prev_chain = mark.chain,
            .high_watermark = committed_.length};
}

void SegmentLeader::send_batches(Peer& peer, Output& out) {
    if (fenced_ || peer.lost) return;
    std::size_t index = window_index(peer.next);
    while (peer.next < end_.length &&
           bytes_between(peer.durable, peer.next) < options_.max_inflight_bytes) {
        if (index == window_.size() || window_[index].before.length != peer.next) {
            peer.lost = true;  // It needs what is no longer at hand.
            return;
        }
        AppendRequest request = request_at(window_[index].before);
        std::uint64_t bytes = 0;
        while (index < window_.size() && bytes < options_.max_message_bytes) {
            const Batch& batch = window_[index++].batch;
            bytes += cost_bytes(batch);
            peer.next += batch.records;
            request.batches.push_back(batch);
        }
        peer.told = committed_.length;
        out.messages.push_back({segment_.leader.node, peer.id.node, std::move(request)});
    }
}

void SegmentLeader::tell(Peer& peer, Output& out) {
    peer.told = committed_.length;
    out.messages.push_back({segment_.leader.node, peer.id.node, request_at(end_)});
}

SegmentLeader::Peer* SegmentLeader::peer(NodeId node, DiskId disk) {
    // A disk that was replaced has forgotten what it promised: it counts for nothing (I12).
    const auto found = std::ranges::find_if(peers_, [&](const Peer& candidate) {
        return candidate.id.node == node &&
               (candidate.id.disk == disk || mutant_on(Mutant::kWipedDiskCounts));
    });
    return found == peers_.end() ? nullptr : &*found;
}

void SegmentLeader::on(NodeId from, const AppendReply& reply, Output& out) {
    Peer* found = peer(from, reply.disk);
    if (found == nullptr || reply.epoch != segment_.epoch || fenced_) return;
    Peer& peer = *found;
    switch (reply.status) {
        case AppendStatus::kFenced:
        case AppendStatus::kSealed: return abandon(out);
        case AppendStatus::kCorrupt:
        case AppendStatus::kFailed: peer.lost = true; return;
        case AppendStatus::kUnknown: return;  // It will hear of the segment; tick() sends again.
        case AppendStatus::kGap:
            // Each message behind the gap is answered like this; one of the answers is enough.
            if (reply.length == peer.gap_at || reply.length >= peer.next) return;
            peer.gap_at = reply.length;
            peer.next = reply.length;
            return send_batches(peer, out);
        case AppendStatus::kOk: break;
    }
    if (reply.durable_length > end_.length) {
        peer.lost = true;  // It has what was never sent.
        return;
    }
    if (reply.durable_length > peer.durable) {
        peer.durable = reply.durable_length;
        peer.idle_ticks = 0;
        peer.gap_at = ~std::uint64_t{0};
    }
    peer.next = std::max(peer.next, peer.durable);
    advance(out);
    send_batches(peer, out);
}

void SegmentLeader::advance(Output& out) {
    std::vector<std::uint64_t> durable;
    for (const Peer& peer : peers_) durable.push_back(peer.durable);
    std::ranges::sort(durable, std::greater());
    std::size_t position = segment_.ack_quorum - 1;
    if (mutant_on(Mutant::kAckQuorumOneTooFew) && position > 0) --position;
    const std::uint64_t length = durable[position];
    if (length <= committed_.length) return;

    // Replicas store whole batches, so the length is a boundary.
    for (std::size_t i = window_index(committed_.length);
         i < window_.size() && window_[i].before.length < length; ++i) {
        unacked_bytes_ -= cost_bytes(window_[i].batch);
        committed_ = i + 1 < window_.size() ? window_[i + 1].before : end_;
    }
    while (!pending_.empty() && pending_.begin()->first <= committed_.length) {
        const Pending& done = pending_.begin()->second;
        finish(done.request, done.outcome, done.offset, out);
        pending_.erase(pending_.begin());
    }
    prune();
}

void SegmentLeader::prune() {
    std::uint64_t needed = committed_.length;
    for (const Peer& peer : peers_) {
        if (!peer.lost) needed = std::min(needed, peer.durable);
    }
    while (!window_.empty()) {
        const Sent& oldest = window_.front();
        const std::uint64_t end = oldest.before.length + oldest.batch.records;
        const bool too_much = window_bytes_ > options_.max_window_bytes;
        if (end > needed && !(too_much && end <= committed_.length)) break;
        window_bytes_ -= cost_bytes(oldest.batch);
        window_.pop_front();
    }
}

void SegmentLeader::tick(Output& out) {
    if (fenced_) return;
    for (Peer& peer : peers_) {
        if (peer.lost) continue;
        if (peer.durable == end_.length) {
            peer.idle_ticks = 0;
            if (peer.told < committed_.length) tell(peer, out);
            continue;
        }
        ++peer.idle_ticks;
        if (peer.idle_ticks % options_.resend_ticks != 0) continue;
        peer.next = peer.durable;
        peer.gap_at = ~std::uint64_t{0};
        send_batches(peer, out);
    }
    // Questions may be lost like any message, so an open round is asked again.
    begin_round(out);
}

// A graceful seal fences nobody: once the leader may have proposed it, a round proves nothing.
bool SegmentLeader::may_be_sealed() const {
    return !admitting_ && !mutant_on(Mutant::kConfirmsWhileRollingOver);
}

void SegmentLeader::confirm_read(std::uint64_t request, Output& out) {
    if (fenced_ || may_be_sealed()) {
        out.reads_done.push_back({.request = request, .topic = key_.topic});
        return;
    }
    reads_.emplace(++rounds_asked_, request);
    confirm(rounds_asked_, out);
}

void SegmentLeader::confirm(std::uint64_t id, Output& out) {
    const bool idle = !rounds_.has_open();
    rounds_.add(id);
    if (idle) begin_round(out);  // Otherwise the next tick asks for all of them at once.
}

void SegmentLeader::begin_round(Output& out) {
    if (!rounds_.has_open()) return;
    const std::uint64_t round = rounds_.begin();
    for (const Peer& peer : peers_) {
        out.messages.push_back(
            {segment_.leader.node, peer.id.node, ConfirmRequest{key_, segment_.epoch, round}});
    }
}

void SegmentLeader::on(NodeId from, const ConfirmReply& reply, Output& out) {
    if (peer(from, reply.disk) == nullptr || reply.epoch != segment_.epoch || fenced_) return;
    if (!reply.confirmed) return abandon(out);
    for (const std::uint64_t id : rounds_.confirm(from, reply.round)) confirmed(id, true, out);
}

void SegmentLeader::confirmed(std::uint64_t id, bool leads, Output& out) {
    if (const auto doubt = doubts_.find(id); doubt != doubts_.end()) {
        finish(doubt->second, leads ? AppendOutcome::kOutOfOrder : AppendOutcome::kNotLeader, {},
               out);
        doubts_.erase(doubt);
        return;
    }
    const auto read = reads_.find(id);
    ReadDone done{.request = read->second, .topic = key_.topic, .confirmed = leads};
    if (leads) done.end = segment_.base + committed_.length;
    out.reads_done.push_back(done);
    reads_.erase(read);
}

bool SegmentLeader::drained() const {
    if (mutant_on(Mutant::kRolloverBeforeDrain)) return !admitting_ && !fenced_;
    return !admitting_ && !fenced_ && committed_ == end_;
}

SealedContent SegmentLeader::content() const {
    return {.length = committed_.length, .bytes = committed_.bytes, .chain = committed_.chain};
}

std::vector<ReplicaId> SegmentLeader::holders() const {
    std::vector<ReplicaId> holders;
    for (const Peer& peer : peers_) {
        if (peer.durable >= committed_.length) holders.push_back(peer.id);
    }
    return holders;
}

bool SegmentLeader::all_hold_it() const {
    return std::ranges::all_of(
        peers_, [&](const Peer& peer) { return peer.lost || peer.durable == end_.length; });
}

void SegmentLeader::abandon(Output& out) {
    fenced_ = true;
    for (const auto& [length, pending] : pending_) {
        finish(pending.request, AppendOutcome::kOutcomeUnknown, {}, out);
    }
    pending_.clear();
    window_.clear();
    for (const std::uint64_t id : rounds_.abandon()) confirmed(id, false, out);
}

void SegmentLeader::append_state(std::string& out) const {
    wire::Writer writer(out);
    writer(key_, end_, committed_, admitting_, full_, fenced_, producers_.encode(),
           rounds_.round());
    for (const Peer& peer : peers_) {
        writer(peer.id, peer.durable, peer.next, peer.told, peer.gap_at, peer.idle_ticks,
               peer.lost);
    }
    for (const auto& [length, pending] : pending_) writer(length, pending.request);
    for (const Sent& sent : window_) writer(sent.before);
    for (const auto& [id, request] : doubts_) writer(request);
}

std::uint64_t SegmentLeader::durable_length(DiskId disk) const {
    const auto found =
        std::ranges::find_if(peers_, [&](const Peer& peer) { return peer.id.disk == disk; });
    return found == peers_.end() ? 0 : found->durable;
}

bool SegmentLeader::replica_trouble() const {
    return std::ranges::any_of(peers_, [&](const Peer& peer) {
        return peer.lost || peer.idle_ticks >= options_.trouble_ticks;
    });
}

}  // namespace walrus::cluster
