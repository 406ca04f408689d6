#include "walrus/cluster/replica.h"

#include <algorithm>
#include <utility>

#include "walrus/base/bytes.h"
#include "walrus/cluster/message_fields.h"
#include "walrus/cluster/mutants.h"

namespace walrus::cluster {

Replica::Replica(TopicId topic, const Segment& segment, ReplicaId self, RestoredReplica restored)
    : key_{topic, segment.number},
      self_(self),
      durability_(segment.durability),
      base_(segment.base),
      promised_(restored.promised),
      trusted_(restored.trusted),
      producers_(std::move(restored.producers)),
      tail_(std::move(restored.tail)),
      ticket_(restored.last_ticket),
      persisted_(restored.last_ticket),
      lossy_(restored.lossy) {
    if (trusted_.length == 0) trusted_.chain = chain_start(key_);
    end_ = tail_.empty() ? trusted_ : tail_.back().end;
    durable_ = end_.length;
    claimed_ = std::max(restored.claimed_length, end_.length);
    high_watermark_ = trusted_.length;
}

std::uint64_t Replica::readable_length() const {
    // What was below the high watermark was right when it was told; the rest is not to be believed.
    if (corrupt_) return trusted_.length;
    if (sealed_) return std::min(durable_, sealed_->length);
    return std::min(durable_, high_watermark_);
}

bool Replica::complete() const {
    return sealed_ && !corrupt_ && !failed_ && durable_ == sealed_->length && end_ == *sealed_;
}

std::optional<Mark> Replica::mark_at(std::uint64_t length) const {
    if (length == trusted_.length) return trusted_;
    const auto found = std::ranges::find(
        tail_, length, [](const BatchHeader& header) { return header.end.length; });
    if (found == tail_.end()) return {};
    return found->end;
}

Mark Replica::durable_mark() const {
    return mark_at(durable_).value_or(trusted_);
}

void Replica::write(decltype(DiskWrite::operation) operation, Output& out) {
    const bool is_data = std::holds_alternative<StoreBatches>(operation);
    out.writes.push_back({.key = key_,
                          .ticket = ++ticket_,
                          .durability = is_data ? durability_ : Durability::kDisk,
                          .operation = std::move(operation)});
    waiting_.push_back({ticket_, end_.length, {}});
}

void Replica::promise(Epoch epoch, Output& out) {
    promised_ = epoch;
    write(PromiseEpoch{epoch}, out);
}

void Replica::answer(NodeId to, Epoch epoch, AppendStatus status, std::uint64_t verified,
                     Output& out) {
    out.messages.push_back({self_.node, to,
                            AppendReply{.key = key_,
                                        .epoch = epoch,
                                        .disk = self_.disk,
                                        .status = status,
                                        .promised = promised_,
                                        .length = end_.length,
                                        .durable_length = durable_,
                                        .verified_length = std::min(verified, durable_)}});
}

AppendStatus Replica::admit(const AppendRequest& request) const {
    if (failed_) return AppendStatus::kFailed;
    if (corrupt_) return AppendStatus::kCorrupt;
    if (request.epoch < promised_ && !mutant_on(Mutant::kOldEpochAccepted)) {
        return AppendStatus::kFenced;
    }
    // After the seal only the missing part may come, from a coordinator or a repairer.
    if (sealed_ && !request.recovery) return AppendStatus::kSealed;
    // Damaged copies are fetched again as a whole, not patched.
    if (claimed_ > end_.length) return AppendStatus::kCorrupt;
    if (request.first > end_.length && !mutant_on(Mutant::kGapAccepted)) return AppendStatus::kGap;
    return AppendStatus::kOk;
}

void Replica::on(NodeId from, const AppendRequest& request, Output& out) {
    const AppendStatus status = admit(request);
    if (status != AppendStatus::kOk) return answer(from, request.epoch, status, 0, out);
    if (request.epoch > promised_) promise(request.epoch, out);

    const std::optional<Mark> here = mark_at(request.first);
    const bool known = here.has_value();
    // Below the trusted boundary the chain is no longer at hand, and was compared before.
    const bool fits = known ? here->chain == request.prev_chain : request.first < trusted_.length;
    if (!fits && !mutant_on(Mutant::kGapAccepted)) {
        return answer(from, request.epoch, AppendStatus::kCorrupt, 0, out);
    }
    const std::uint64_t before = ticket_;
    if (!store(request, out)) {
        return answer(from, request.epoch, AppendStatus::kCorrupt, 0, out);
    }
    learn_high_watermark(request.high_watermark);
    const bool wrote = ticket_ != before;
    const std::uint64_t verified = known ? request.first : 0;
    settle(out);
    if (wrote && !mutant_on(Mutant::kAckBeforeDurable)) {
        waiting_.back().answer = AppendWaiting{from, request.epoch, verified};
        return;
    }
    if (wrote) durable_ = end_.length;
    answer(from, request.epoch, AppendStatus::kOk, verified, out);
}

bool Replica::store(const AppendRequest& request, Output& out) {
    std::uint64_t position = request.first;
    if (mutant_on(Mutant::kGapAccepted)) position = std::min(position, end_.length);
    StoreBatches stored{.before = end_, .batches = {}};
    for (const Batch& batch : request.batches) {
        const std::uint64_t next = position + batch.records;
        if (next <= end_.length && position < end_.length) {
            position = next;  // Known; a copy of an earlier message.
            continue;
        }
        if (position != end_.length) return false;  // Straddles the end: other boundaries.
        if (sealed_ && next > sealed_->length) break;
        if (end_.length == 0 && !take_preamble(batch)) return false;
        end_ = mark_after(end_, batch);
        tail_.push_back({batch.records, batch.producer, end_});
        stored.batches.push_back(batch);
        position = next;
    }
    claimed_ = std::max(claimed_, end_.length);
    if (!stored.batches.empty()) write(std::move(stored), out);
    return true;
}

bool Replica::take_preamble(const Batch& batch) {
    if (batch.preamble.size() == 0) return true;
    auto table = ProducerTable::decode(as_bytes(batch.preamble.text()));
    if (!table) return false;
    producers_ = *std::move(table);
    return true;
}

void Replica::learn_high_watermark(std::uint64_t length) {
    high_watermark_ = std::max(high_watermark_, length);
    trust(std::min(high_watermark_, durable_));
}

void Replica::trust(std::uint64_t length) {
    std::size_t passed = 0;
    while (passed < tail_.size() && tail_[passed].end.length <= length) {
        const BatchHeader& header = tail_[passed++];
        producers_.record(header.producer, header.records, base_ + trusted_.length);
        trusted_ = header.end;
    }
    tail_.erase(tail_.begin(), tail_.begin() + static_cast<std::ptrdiff_t>(passed));
}

void Replica::on(NodeId from, const FenceRequest& request, Output& out) {
    if (failed_ || request.epoch < promised_) return answer_fence(from, request.epoch, out);
    if (mutant_on(Mutant::kFenceDoesNotPromise)) return answer_fence(from, request.epoch, out);
    if (request.epoch > promised_) promise(request.epoch, out);
    // Writes are durable in order, so with the promise everything stored before it is, too.
    const bool pending = persisted_ < ticket_;
    if (!pending || mutant_on(Mutant::kPromiseNotPersisted)) {
        return answer_fence(from, request.epoch, out);
    }
    // Repeated while the disk is slow: one answer is enough.
    const FenceWaiting fence{from, request.epoch};
    const bool repeated = std::ranges::any_of(waiting_, [&](const Waiting& waiting) {
        const auto* other = std::get_if<FenceWaiting>(&waiting.answer);
        return other != nullptr && *other == fence;
    });
    if (!repeated) waiting_.push_back({ticket_, end_.length, fence});
}

void Replica::answer_fence(NodeId to, Epoch epoch, Output& out) {
    FenceReply reply{.key = key_, .epoch = epoch, .disk = self_.disk, .promised = promised_};
    reply.length = std::max(claimed_, end_.length);
    reply.intact = durable_mark();
    // What is stored but not yet durable is not claimed.
    if (claimed_ <= end_.length) reply.length = reply.intact.length;
    reply.high_watermark = high_watermark_;
    reply.lossy = lossy_;
    if (failed_ || corrupt_) {
        reply.status = FenceStatus::kFailed;
    } else if (epoch < promised_) {
        reply.status = FenceStatus::kSuperseded;
    }
    out.messages.push_back({self_.node, to, reply});
}

void Replica::append_state(std::string& out) const {
    wire::Writer writer(out);
    writer(key_, self_, durability_, base_, promised_, trusted_, end_, durable_, claimed_);
    writer(high_watermark_, sealed_, ticket_, persisted_, lossy_, corrupt_, failed_);
    writer(producers_.encode());
    for (const BatchHeader& header : tail_) writer(header.records, header.producer, header.end);
    for (const Waiting& waiting : waiting_) {
        writer(waiting.ticket, waiting.length, static_cast<std::uint8_t>(waiting.answer.index()));
        if (const auto* append = std::get_if<AppendWaiting>(&waiting.answer)) {
            writer(append->to, append->epoch, append->verified);
        } else if (const auto* fence = std::get_if<FenceWaiting>(&waiting.answer)) {
            writer(fence->to, fence->epoch);
        }
    }
}

void Replica::on(NodeId from, const ReadRequest& request, Output& out) {
    ReadReply reply{.key = key_, .epoch = request.epoch, .first = request.first};
    if (corrupt_) {
        reply.status = ReadStatus::kFailed;
    } else if (request.epoch != promised_ && !complete()) {
        reply.status = ReadStatus::kFenced;
    } else if (request.first >= durable_) {
        reply.status = ReadStatus::kOutOfRange;
    } else {
        out.reads.push_back({.key = key_,
                             .for_node = from,
                             .epoch = request.epoch,
                             .first = request.first,
                             .max_bytes = request.max_bytes});
        return;
    }
    out.messages.push_back({self_.node, from, reply});
}

void Replica::on(NodeId from, const ConfirmRequest& request, Output& out) {
    out.messages.push_back({self_.node, from,
                            ConfirmReply{.key = key_,
                                         .epoch = request.epoch,
                                         .disk = self_.disk,
                                         .round = request.round,
                                         .confirmed = !failed_ && promised_ <= request.epoch}});
}

void Replica::on(NodeId from, const ProducersRequest& request, Output& out) {
    ProducersReply reply{.key = key_};
    reply.known = complete() && sealed_->length == request.length;
    if (reply.known) reply.table = Payload(producers_.encode());
    out.messages.push_back({self_.node, from, reply});
}

void Replica::persisted(std::uint64_t ticket, Output& out) {
    if (failed_) return;
    persisted_ = std::max(persisted_, ticket);
    const auto first_open = std::ranges::find_if(
        waiting_, [&](const Waiting& waiting) { return waiting.ticket > ticket; });
    const std::vector<Waiting> done(waiting_.begin(), first_open);
    waiting_.erase(waiting_.begin(), first_open);
    // A cut in between lowers the end, so the last one says how far it is.
    for (const Waiting& waiting : done) durable_ = std::min(waiting.length, end_.length);
    trust(readable_length());

    for (const Waiting& waiting : done) {
        if (const auto* append = std::get_if<AppendWaiting>(&waiting.answer)) {
            // I4: what was in flight when a newer epoch was promised is never acknowledged.
            const bool fenced = append->epoch < promised_ && !mutant_on(Mutant::kAckAfterPromise);
            answer(append->to, append->epoch, fenced ? AppendStatus::kFenced : AppendStatus::kOk,
                   append->verified, out);
        } else if (const auto* fence = std::get_if<FenceWaiting>(&waiting.answer)) {
            answer_fence(fence->to, fence->epoch, out);
        }
    }
}

void Replica::write_failed(Output& out) {
    if (failed_) return;
    failed_ = true;
    for (const Waiting& waiting : waiting_) {
        if (const auto* append = std::get_if<AppendWaiting>(&waiting.answer)) {
            answer(append->to, append->epoch, AppendStatus::kFailed, 0, out);
        } else if (const auto* fence = std::get_if<FenceWaiting>(&waiting.answer)) {
            answer_fence(fence->to, fence->epoch, out);
        }
    }
    waiting_.clear();
}

void Replica::update(const Segment& segment, Output& out) {
    if (segment.state != SegmentState::kSealed || sealed_) return;
    sealed_ = Mark{.length = segment.length, .bytes = segment.bytes, .chain = segment.chain};
    if (segment.length == 0) sealed_ = Mark{.chain = chain_start(key_)};
    settle(out);
    high_watermark_ = std::max(high_watermark_, sealed_->length);
    trust(readable_length());
}

void Replica::settle(Output& out) {
    if (!sealed_ || end_.length < sealed_->length || corrupt_) return;
    const std::uint64_t length = sealed_->length;
    const std::optional<Mark> mark = mark_at(length);
    // Below the trusted boundary nothing can end: that was readable.
    corrupt_ = !mark || *mark != *sealed_;
    if (corrupt_ || end_.length == length || mutant_on(Mutant::kTailKeptAtSeal)) return;
    // The rest was never acknowledged: F replicas without it were fenced.
    std::erase_if(tail_, [&](const BatchHeader& header) { return header.end.length > length; });
    end_ = *mark;
    claimed_ = length;
    durable_ = std::min(durable_, length);
    write(CutTo{end_}, out);
}

}  // namespace walrus::cluster
