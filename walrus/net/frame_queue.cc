#include "walrus/net/frame_queue.h"

#include <algorithm>
#include <utility>

#include "walrus/base/assert.h"

namespace walrus::net {

void FrameQueue::push(std::string piece) {
    if (piece.empty()) return;
    bytes_ += piece.size();
    const bool packs = piece.size() <= kSmallBytes && !pieces_.empty() &&
                       pieces_.back().size() + piece.size() <= kPackedBytes;
    if (packs)
        pieces_.back() += piece;
    else
        pieces_.push_back(std::move(piece));
}

std::size_t FrameQueue::gather(std::span<Bytes> pieces) const {
    const std::size_t count = std::min(pieces.size(), pieces_.size());
    for (std::size_t i = 0; i < count; ++i) pieces[i] = as_bytes(pieces_[i]);
    if (count > 0) pieces[0] = pieces[0].subspan(sent_);
    return count;
}

void FrameQueue::consume(std::uint64_t bytes) {
    WALRUS_ASSERT(bytes <= bytes_);
    bytes_ -= bytes;
    while (bytes > 0) {
        const std::size_t left = pieces_.front().size() - sent_;
        if (bytes < left) {
            sent_ += bytes;
            return;
        }
        bytes -= left;
        sent_ = 0;
        pieces_.pop_front();
    }
}

void FrameQueue::clear() {
    pieces_.clear();
    sent_ = 0;
    bytes_ = 0;
}

}  // namespace walrus::net
