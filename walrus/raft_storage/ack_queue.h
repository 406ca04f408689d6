// AckQueue: which batches are durable, as the engine's acknowledgements come in.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

#include "walrus/base/result.h"
#include "walrus/base/strong.h"

namespace walrus::raft_storage {

// Frames are acknowledged in the order in which they went out.  Thread-safe; frames go out from one
// thread.
class AckQueue {
public:
    // `on_progress` is called without the lock when the watermark moved or a frame failed.
    explicit AckQueue(std::function<void()> on_progress) : on_progress_(std::move(on_progress)) {}

    // A frame is about to go out; with it everything up to `batch` is complete (0: nothing is).
    // Returns its number, counted from 1.
    std::uint64_t expect(std::uint64_t batch);
    // The last frame did not go out after all.
    void withdraw();
    // `batch` needs nothing but what went out before it.
    void complete_with_last(std::uint64_t batch);

    // All batches up to it are durable.
    std::uint64_t durable_batch() const;
    // All frames up to it are durable.
    std::uint64_t durable_frame() const;
    bool failed() const;

    // For wal::AckCallback; `queue` is an AckQueue.
    static void on_ack(void* queue, Offset first_offset, const Status& status);

private:
    void acknowledge(const Status& status);

    const std::function<void()> on_progress_;
    mutable std::mutex mutex_;
    std::deque<std::uint64_t> waiting_;  // The batch each frame under way completes.
    std::uint64_t sent_ = 0;
    std::uint64_t acknowledged_ = 0;
    std::uint64_t durable_batch_ = 0;
    bool failed_ = false;
};

}  // namespace walrus::raft_storage
