#include "walrus/testing/sim_image.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace walrus::testing {
namespace {

constexpr std::uint64_t kBlock = 4096;

std::uint64_t new_token() {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

SimImage::SimImage() : token_(new_token()) {}

SimImage::SimImage(const SimImage& from)
    : token_(new_token()), size_(from.size_), blocks_(from.blocks_) {
    from.token_ = new_token();
}

SimImage& SimImage::operator=(const SimImage& from) {
    token_ = new_token();
    from.token_ = new_token();
    size_ = from.size_;
    blocks_ = from.blocks_;
    return *this;
}

std::size_t SimImage::read(MutableBytes into, std::uint64_t position) const {
    if (position >= size_) return 0;
    const std::size_t length = std::min<std::uint64_t>(into.size(), size_ - position);
    for (std::size_t done = 0; done < length;) {
        const std::uint64_t at = position + done;
        const std::size_t piece = std::min<std::uint64_t>(length - done, kBlock - at % kBlock);
        if (const Block* block = blocks_[at / kBlock].get(); block != nullptr) {
            std::memcpy(into.data() + done, block->bytes.data() + at % kBlock, piece);
        } else {
            std::memset(into.data() + done, 0, piece);
        }
        done += piece;
    }
    return length;
}

void SimImage::write(Bytes data, std::uint64_t position) {
    if (data.empty()) return;
    if (position + data.size() > size_) resize(position + data.size());
    for (std::size_t done = 0; done < data.size();) {
        const std::uint64_t at = position + done;
        const std::size_t piece = std::min<std::uint64_t>(data.size() - done, kBlock - at % kBlock);
        std::memcpy(writable_block(at / kBlock) + at % kBlock, data.data() + done, piece);
        done += piece;
    }
}

void SimImage::resize(std::uint64_t size) {
    const bool cuts_block = size < size_ && size % kBlock != 0 && blocks_[size / kBlock] != nullptr;
    if (cuts_block) {
        std::memset(writable_block(size / kBlock) + size % kBlock, 0, kBlock - size % kBlock);
    }
    blocks_.resize(align_up(size, kBlock) / kBlock);
    size_ = size;
}

std::byte* SimImage::writable_block(std::uint64_t index) {
    std::shared_ptr<Block>& block = blocks_[index];
    if (block == nullptr) {
        block = std::make_shared<Block>();
        block->bytes.fill(std::byte{0});
    } else if (block->owner != token_) {
        block = std::make_shared<Block>(*block);
    }
    block->owner = token_;
    return block->bytes.data();
}

}  // namespace walrus::testing
