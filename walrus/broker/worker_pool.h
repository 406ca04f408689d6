// WorkerPool: a few threads for what would block the loop.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "walrus/base/mutex.h"

namespace walrus::broker {

// Thread-safe.
class WorkerPool {
public:
    explicit WorkerPool(std::uint32_t threads);
    ~WorkerPool();  // As stop().
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    // Runs `job` on one of the threads; what was asked for first begins first.  Once stopped:
    // never.
    void run(std::function<void()> job);
    // Does what was asked for to the end and stops.
    void finish();
    // Lets what runs come to its end and drops what has not begun.
    void stop();

private:
    void work();
    void join();

    Mutex mutex_;
    CondVar wake_;
    std::deque<std::function<void()>> jobs_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace walrus::broker
