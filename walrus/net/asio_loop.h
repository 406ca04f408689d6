// AsioLoop: the Loop of a server, on asio.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "walrus/base/clock.h"
#include "walrus/net/loop.h"

namespace asio {
class io_context;
}

namespace walrus::net {

// Work that was posted and timers that are set when the loop is destroyed never run.  What uses the
// loop (a FrameServer) must be gone before it.
class AsioLoop final : public Loop {
public:
    explicit AsioLoop(Clock& clock = system_clock());
    ~AsioLoop() override;

    // Serves until stop(); the calling thread is the loop.
    void run();
    // Makes run() return soon.  From any thread; also before run().
    void stop();

    // Calls `on_signal` on the loop for each of these signals instead of their usual effect.  Once.
    void watch_signals(const std::vector<int>& signals, std::function<void(int)> on_signal);

    void post(std::function<void()> work) override;
    TimerId after_ms(std::uint64_t delay_ms, std::function<void()> work) override;
    void cancel(TimerId timer) override;
    bool watch(int fd, std::function<void()> readable) override;
    void unwatch(int fd) override;
    std::uint64_t now_ms() const override;
    std::uint64_t wall_ms() const override;

    asio::io_context& context();  // For this room only.

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace walrus::net
