// LeftFile: a file that was left but whose index is not stored yet.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "walrus/wal/log_index.h"

namespace walrus::wal {

// Sorting the index is put off until somebody asks, because a file is left under the shard's lock.
// Thread-safe.
class LeftFile {
public:
    LeftFile(std::unique_ptr<IndexBuilder> builder, std::vector<IndexTopic> topics,
             std::uint32_t epoch, std::uint64_t wall_ms)
        : builder_(std::move(builder)),
          topics_(std::move(topics)),
          epoch_(epoch),
          wall_ms_(wall_ms) {}
    explicit LeftFile(std::shared_ptr<const FileIndex> index) : index_(std::move(index)) {}

    std::shared_ptr<const FileIndex> index() {
        const std::lock_guard lock(mutex_);
        if (index_ == nullptr) {
            index_ = std::move(*builder_).finish(epoch_, wall_ms_, std::move(topics_));
            builder_.reset();
        }
        return index_;
    }

private:
    std::mutex mutex_;
    std::unique_ptr<IndexBuilder> builder_;
    std::vector<IndexTopic> topics_;
    std::uint32_t epoch_ = 0;
    std::uint64_t wall_ms_ = 0;
    std::shared_ptr<const FileIndex> index_;
};

}  // namespace walrus::wal
