// LoopThread: a real loop on a thread of its own, for tests with sockets.
#pragma once

#include <functional>
#include <future>
#include <thread>
#include <utility>

#include "walrus/net/asio_loop.h"

namespace walrus::testing {

// Runs from construction until stop() or destruction.
class LoopThread {
public:
    LoopThread() : thread_([this] { loop_.run(); }) {}
    ~LoopThread() { stop(); }
    LoopThread(const LoopThread&) = delete;
    LoopThread& operator=(const LoopThread&) = delete;

    net::AsioLoop& loop() { return loop_; }

    // Runs `work` on the loop and returns what it returns.
    template <class Work>
    auto run(Work work) {
        std::packaged_task<decltype(work())()> task(std::move(work));
        auto result = task.get_future();
        loop_.post([&task] { task(); });
        return result.get();
    }

    void stop() {
        if (!thread_.joinable()) return;
        loop_.stop();
        thread_.join();
    }

private:
    net::AsioLoop loop_;
    std::thread thread_;
};

}  // namespace walrus::testing
