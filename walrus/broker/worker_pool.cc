#include "walrus/broker/worker_pool.h"

#include <utility>

namespace walrus::broker {

WorkerPool::WorkerPool(std::uint32_t threads) {
    for (std::uint32_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

WorkerPool::~WorkerPool() {
    stop();
}

void WorkerPool::run(std::function<void()> job) {
    const MutexLock lock(mutex_);
    if (stopping_) return;
    jobs_.push_back(std::move(job));
    wake_.notify_one();
}

void WorkerPool::stop() {
    std::deque<std::function<void()>> dropped;
    {
        const MutexLock lock(mutex_);
        stopping_ = true;
        dropped.swap(jobs_);
        wake_.notify_all();
    }
    join();
}

void WorkerPool::finish() {
    {
        const MutexLock lock(mutex_);
        stopping_ = true;
        wake_.notify_all();
    }
    join();
}

void WorkerPool::join() {
    for (std::thread& thread : threads_)
        if (thread.joinable()) thread.join();
}

void WorkerPool::work() {
    MutexLock lock(mutex_);
    for (;;) {
        while (jobs_.empty() && !stopping_) wake_.wait(lock);
        if (jobs_.empty()) return;
        std::function<void()> job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        job();
        job = nullptr;  // What it holds goes without the lock.
        lock.lock();
    }
}

}  // namespace walrus::broker
