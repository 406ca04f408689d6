#include "walrus/net/receive_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "walrus/base/assert.h"

namespace walrus::net {

BlockPool::Block BlockPool::take() {
    if (blocks_.empty()) return std::make_unique_for_overwrite<std::byte[]>(kBlockBytes);
    Block block = std::move(blocks_.back());
    blocks_.pop_back();
    return block;
}

void BlockPool::give_back(Block block) {
    if (blocks_.size() < kKept) blocks_.push_back(std::move(block));
}

MutableBytes ReceiveBuffer::prepare() {
    used_ = true;
    if (begin_ == end_) begin_ = end_ = 0;
    if (data_ == nullptr) {
        data_ = pool_.take();
        capacity_ = BlockPool::kBlockBytes;
    }
    const std::size_t have = unread();
    const std::size_t want =
        have < kLengthBytes ? kLengthBytes : kLengthBytes + std::size_t{peek_length()};
    WALRUS_ASSERT(have < want);
    if (begin_ + want > capacity_) {
        if (begin_ > 0) move_to(capacity_);
        // A buffer grows only when it is full of bytes that really came.
        if (end_ == capacity_) move_to(std::min(want, 2 * capacity_));
    }
    std::size_t room = capacity_ - end_;
    // No byte behind a large frame is read with it: the next one begins at the front again.
    room = std::min(room, want > BlockPool::kBlockBytes ? want - have : BlockPool::kBlockBytes);
    return {data_.get() + end_, room};
}

ReceiveBuffer::Cut ReceiveBuffer::next(Bytes& frame) {
    if (unread() < kLengthBytes) return Cut::kNeedMore;
    length_ = peek_length();
    if (length_ > max_frame_bytes_) return Cut::kBadLength;
    if (unread() - kLengthBytes < length_) return Cut::kNeedMore;
    frame = {data_.get() + begin_ + kLengthBytes, length_};
    begin_ += kLengthBytes + length_;
    return Cut::kFrame;
}

bool ReceiveBuffer::has_frame() const {
    if (unread() < kLengthBytes) return false;
    const std::uint32_t length = peek_length();
    return length > max_frame_bytes_ || unread() - kLengthBytes >= length;
}

void ReceiveBuffer::settle() {
    if (begin_ != end_) return;
    begin_ = end_ = 0;
    if (capacity_ == BlockPool::kBlockBytes) release();
}

void ReceiveBuffer::forget_large() {
    if (!used_ && begin_ == end_) release();
    used_ = false;
}

std::uint32_t ReceiveBuffer::peek_length() const {
    const auto length = load_le<std::uint32_t>(data_.get() + begin_);
    return order_ == LengthOrder::kLittleEndian ? length : __builtin_bswap32(length);
}

// Puts what is unread at the front of the same buffer or of a new one.
void ReceiveBuffer::move_to(std::size_t capacity) {
    const std::size_t have = unread();
    if (capacity == capacity_) {
        std::memmove(data_.get(), data_.get() + begin_, have);
    } else {
        auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity);
        std::memcpy(larger.get(), data_.get() + begin_, have);
        release();
        data_ = std::move(larger);
        capacity_ = capacity;
    }
    begin_ = 0;
    end_ = have;
}

void ReceiveBuffer::release() {
    if (data_ != nullptr && capacity_ == BlockPool::kBlockBytes) pool_.give_back(std::move(data_));
    data_.reset();
    capacity_ = begin_ = end_ = 0;
}

}  // namespace walrus::net
