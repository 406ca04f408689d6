// BufferPool: read buffers that go round instead of being allocated, since fresh memory costs a
// page fault per 4 KiB.  Thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "walrus/base/aligned_buffer.h"
#include "walrus/base/mutex.h"

namespace walrus::wal {

class BufferPool : public std::enable_shared_from_this<BufferPool> {
public:
    // Keeps at most `kept` unused buffers of `buffer_size` bytes.
    BufferPool(std::size_t buffer_size, std::size_t kept)
        : buffer_size_(buffer_size), kept_(kept) {}

    std::size_t buffer_size() const { return buffer_size_; }

    // A buffer of buffer_size() bytes, or of `size` when that is more; it comes back to the pool
    // when its last owner lets go, even after the pool itself.
    std::shared_ptr<AlignedBuffer> take(std::size_t size) {
        std::unique_ptr<AlignedBuffer> buffer;
        if (size <= buffer_size_) {
            const MutexLock lock(mutex_);
            if (!free_.empty()) {
                buffer = std::move(free_.back());
                free_.pop_back();
            }
        }
        if (buffer == nullptr)
            buffer = std::make_unique<AlignedBuffer>(std::max(size, buffer_size_));
        return {buffer.release(), [pool = weak_from_this()](AlignedBuffer* used) {
                    std::unique_ptr<AlignedBuffer> owned(used);
                    if (const auto alive = pool.lock()) alive->give_back(std::move(owned));
                }};
    }

private:
    void give_back(std::unique_ptr<AlignedBuffer> buffer) {
        if (buffer->size() != buffer_size_) return;
        const MutexLock lock(mutex_);
        if (free_.size() < kept_) free_.push_back(std::move(buffer));
    }

    const std::size_t buffer_size_;
    const std::size_t kept_;
    Mutex mutex_;
    std::vector<std::unique_ptr<AlignedBuffer>> free_;
};

}  // namespace walrus::wal
