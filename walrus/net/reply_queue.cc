#include "walrus/net/reply_queue.h"

#include <algorithm>
#include <utility>

#include "walrus/base/assert.h"

namespace walrus::net {

std::uint64_t ReplyQueue::add() {
    slots_.push_back({});
    ++unanswered_;
    return first_ + slots_.size() - 1;
}

ReplyQueue::Slot* ReplyQueue::find(std::uint64_t request) {
    if (request < first_ || request - first_ >= slots_.size()) return nullptr;
    return &slots_[request - first_];
}

void ReplyQueue::complete(std::uint64_t request, Reply reply) {
    Slot* slot = find(request);
    if (slot == nullptr || slot->answered) return;
    slot->answered = true;
    --unanswered_;
    reserved_bytes_ -= std::exchange(slot->reserved_bytes, 0);
    slot->size_bytes = reply.size_bytes();
    unsent_bytes_ += slot->size_bytes;
    slot->reply = std::move(reply);
    drop_sent();
}

void ReplyQueue::reserve(std::uint64_t request, std::uint64_t bytes) {
    Slot* slot = find(request);
    if (slot == nullptr || slot->answered) return;
    reserved_bytes_ += bytes - slot->reserved_bytes;
    slot->reserved_bytes = bytes;
}

void ReplyQueue::cut_after(std::uint64_t request) {
    WALRUS_ASSERT(request + 1 >= first_);
    const std::uint64_t kept = request + 1 - first_;
    RingQueue<Slot> slots;
    while (!slots_.empty()) {
        Slot slot = std::move(slots_.front());
        slots_.pop_front();
        if (slots.size() < kept) {
            slots.push_back(std::move(slot));
            continue;
        }
        if (!slot.answered) --unanswered_;
        reserved_bytes_ -= slot.reserved_bytes;
        unsent_bytes_ -= slot.size_bytes;
    }
    slots_ = std::move(slots);
}

std::size_t ReplyQueue::gather(std::span<Bytes> pieces) const {
    std::size_t count = 0;
    std::uint64_t skip = sent_bytes_;  // Only the first reply is partly sent.
    const auto add = [&](Bytes piece) {
        const std::size_t skipped = std::min<std::uint64_t>(skip, piece.size());
        skip -= skipped;
        if (skipped < piece.size()) pieces[count++] = piece.subspan(skipped);
        return count < pieces.size();
    };
    for (std::size_t i = 0; i < slots_.size() && slots_[i].answered; ++i) {
        const Reply& reply = slots_[i].reply;
        if (!add(as_bytes(reply.head))) return count;
        for (const Bytes piece : reply.pieces)
            if (!add(piece)) return count;
    }
    return count;
}

void ReplyQueue::consume(std::uint64_t bytes) {
    WALRUS_ASSERT(bytes <= unsent_bytes_);
    unsent_bytes_ -= bytes;
    sent_bytes_ += bytes;
    drop_sent();
}

void ReplyQueue::drop_sent() {
    while (!slots_.empty() && slots_.front().answered && sent_bytes_ >= slots_.front().size_bytes) {
        sent_bytes_ -= slots_.front().size_bytes;
        slots_.pop_front();
        ++first_;
    }
}

}  // namespace walrus::net
