// AlignedBuffer: memory for direct I/O.
#pragma once

#include <cstdlib>
#include <memory>
#include <utility>

#include "walrus/base/assert.h"
#include "walrus/base/bytes.h"

namespace walrus {

// Owns `size` bytes aligned to 4,096.  Contents start undefined.  Empty after being moved from.
class AlignedBuffer {
public:
    AlignedBuffer() = default;
    explicit AlignedBuffer(std::size_t size)
        : data_(static_cast<std::byte*>(std::aligned_alloc(4096, align_up(size, 4096)))),
          size_(size) {
        WALRUS_ASSERT(size == 0 || data_ != nullptr);
    }

    AlignedBuffer(AlignedBuffer&& from) noexcept
        : data_(std::move(from.data_)), size_(std::exchange(from.size_, 0)) {}
    AlignedBuffer& operator=(AlignedBuffer&& from) noexcept {
        data_ = std::move(from.data_);
        size_ = std::exchange(from.size_, 0);
        return *this;
    }

    std::byte* data() const { return data_.get(); }
    std::size_t size() const { return size_; }
    MutableBytes span() const { return {data_.get(), size_}; }

private:
    struct Free {
        void operator()(std::byte* p) const { std::free(p); }
    };
    std::unique_ptr<std::byte, Free> data_;
    std::size_t size_ = 0;
};

}  // namespace walrus
