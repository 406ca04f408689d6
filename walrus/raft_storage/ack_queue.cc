#include "walrus/raft_storage/ack_queue.h"

#include <algorithm>

#include "walrus/base/assert.h"

namespace walrus::raft_storage {

std::uint64_t AckQueue::expect(std::uint64_t batch) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(batch);
    return ++sent_;
}

void AckQueue::withdraw() {
    const std::lock_guard lock(mutex_);
    WALRUS_ASSERT(!waiting_.empty());
    waiting_.pop_back();
    --sent_;
}

void AckQueue::complete_with_last(std::uint64_t batch) {
    {
        const std::lock_guard lock(mutex_);
        if (failed_) return;
        if (!waiting_.empty()) {
            waiting_.back() = std::max(waiting_.back(), batch);
            return;
        }
        durable_batch_ = std::max(durable_batch_, batch);
    }
    if (on_progress_) on_progress_();
}

std::uint64_t AckQueue::durable_batch() const {
    const std::lock_guard lock(mutex_);
    return durable_batch_;
}

std::uint64_t AckQueue::durable_frame() const {
    const std::lock_guard lock(mutex_);
    return acknowledged_;
}

bool AckQueue::failed() const {
    const std::lock_guard lock(mutex_);
    return failed_;
}

void AckQueue::on_ack(void* queue, Offset, const Status& status) {
    static_cast<AckQueue*>(queue)->acknowledge(status);
}

void AckQueue::acknowledge(const Status& status) {
    bool tell = false;
    {
        const std::lock_guard lock(mutex_);
        WALRUS_ASSERT(!waiting_.empty());
        const std::uint64_t batch = waiting_.front();
        waiting_.pop_front();
        if (!status) {
            tell = !failed_;
            failed_ = true;
        } else if (!failed_) {
            ++acknowledged_;
            tell = batch > durable_batch_;
            durable_batch_ = std::max(durable_batch_, batch);
        }
    }
    if (tell && on_progress_) on_progress_();
}

}  // namespace walrus::raft_storage
