// Jobs: work of a member that would block the loop, run elsewhere.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "walrus/base/mutex.h"
#include "walrus/net/loop.h"

namespace walrus::member {

// All on the loop, but for the work itself.
class Jobs {
public:
    // Runs what it is given on another thread, or drops it.  Null: jobs run in place.
    using Runner = std::function<void(std::function<void()>)>;

    // `loop` outlives it.
    Jobs(net::Loop& loop, Runner runner) : loop_(loop), runner_(std::move(runner)) {}
    ~Jobs() { stop(); }
    Jobs(const Jobs&) = delete;
    Jobs& operator=(const Jobs&) = delete;

    // Calls `done` with what `work` returns.  Both are copyable.  `work` may use what lives until
    // stop(), and nothing that the loop changes.
    template <class Work, class Done>
    void run(Work work, Done done) {
        if (!runner_) return done(work());
        runner_([&loop = loop_, gate = gate_, work = std::move(work), done = std::move(done)] {
            if (!gate->enter()) return;
            auto result = std::make_shared<decltype(work())>(work());
            loop.post([gate, result, done] {
                if (gate->is_open()) done(std::move(*result));
            });
            gate->leave();
        });
    }

    // Waits for what has begun.  What has not never begins, and no `done` is called any more.
    void stop() { gate_->close(); }

private:
    class Gate {
    public:
        bool enter() {
            const MutexLock lock(mutex_);
            if (!open_) return false;
            ++inside_;
            return true;
        }
        void leave() {
            const MutexLock lock(mutex_);
            if (--inside_ == 0) left_.notify_all();
        }
        bool is_open() {
            const MutexLock lock(mutex_);
            return open_;
        }
        void close() {
            MutexLock lock(mutex_);
            open_ = false;
            while (inside_ > 0) left_.wait(lock);
        }

    private:
        Mutex mutex_;
        CondVar left_;
        std::uint64_t inside_ = 0;
        bool open_ = true;
    };

    net::Loop& loop_;
    const Runner runner_;
    const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
};

}  // namespace walrus::member
