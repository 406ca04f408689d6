#include "walrus/testing/manual_loop.h"

#include "walrus/base/assert.h"

namespace walrus::testing {

void ManualLoop::post(std::function<void()> work) {
    const MutexLock lock(mutex_);
    work_.push_back(std::move(work));
    posted_.notify_one();
}

net::TimerId ManualLoop::after_ms(std::uint64_t delay_ms, std::function<void()> work) {
    timers_.emplace(now_ms_ + delay_ms, Timer{++last_timer_, std::move(work)});
    return last_timer_;
}

void ManualLoop::cancel(net::TimerId timer) {
    std::erase_if(timers_, [&](const auto& entry) { return entry.second.id == timer; });
}

bool ManualLoop::run_one() {
    std::function<void()> work;
    {
        const MutexLock lock(mutex_);
        if (work_.empty()) return false;
        work = std::move(work_.front());
        work_.pop_front();
    }
    work();
    return true;
}

std::size_t ManualLoop::run() {
    std::size_t ran = 0;
    while (run_one()) ++ran;
    return ran;
}

void ManualLoop::advance_ms(std::uint64_t ms) {
    const std::uint64_t end = now_ms_ + ms;
    for (run(); !timers_.empty() && timers_.begin()->first <= end; run()) {
        auto due = timers_.extract(timers_.begin());
        now_ms_ = due.key();
        due.mapped().work();
    }
    now_ms_ = end;
    run();
}

void ManualLoop::run_until(const std::function<bool()>& done) {
    while (!done()) {
        if (run_one()) continue;
        MutexLock lock(mutex_);
        while (work_.empty()) WALRUS_ASSERT(posted_.wait_for(lock, kPatienceMs) || !work_.empty());
    }
}

}  // namespace walrus::testing
