#include "walrus/testing/sim_queue.h"

#include <mutex>
#include <utility>

#include "walrus/env/inline_queue.h"
#include "walrus/testing/sim_file.h"

namespace walrus::testing {

SimQueue::SimQueue(std::shared_ptr<SimDisk> disk, std::size_t depth, std::uint64_t seed)
    : disk_(std::move(disk)), depth_(depth), random_(seed) {
    disk_->queues.push_back(this);
}

SimQueue::~SimQueue() {
    while (!in_flight_.empty()) complete(true);
    const std::scoped_lock lock(disk_->mutex);
    std::erase(disk_->queues, this);
}

void SimQueue::submit(env::IoRequest& request) {
    const std::scoped_lock lock(disk_->mutex);
    WALRUS_ASSERT(in_flight_.size() < depth_);
    WALRUS_ASSERT(dynamic_cast<SimFile*>(request.file) != nullptr);
    in_flight_.push_back(&request);
}

env::IoRequest* SimQueue::complete(bool block) {
    env::IoRequest* request = pick(block);
    if (request != nullptr) env::run_transfer(*request);
    return request;
}

env::IoRequest* SimQueue::pick(bool block) {
    const std::scoped_lock lock(disk_->mutex);
    if (in_flight_.empty()) return nullptr;
    if (!block && random_.chance(1, 4)) return nullptr;
    // A woken wait returns null although something would have completed soon: as often as not.
    if (block && std::exchange(woken_, false) && random_.chance(1, 2)) return nullptr;
    const auto at =
        in_flight_.begin() + static_cast<std::ptrdiff_t>(random_.below(in_flight_.size()));
    env::IoRequest* request = *at;
    in_flight_.erase(at);
    return request;
}

void SimQueue::wake() {
    const std::scoped_lock lock(disk_->mutex);
    woken_ = true;
}

void SimQueue::append_in_flight(std::vector<SimInFlight>& writes) const {
    for (const env::IoRequest* request : in_flight_) {
        if (request->kind != env::IoRequest::Kind::kWrite) continue;
        const auto* file = static_cast<const SimFile*>(request->file);
        writes.push_back(
            {file->node(), request->position, {request->bytes.begin(), request->bytes.end()}});
    }
}

}  // namespace walrus::testing
