// ManualLoop: a Loop whose time a test moves.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <utility>

#include "walrus/base/mutex.h"
#include "walrus/net/loop.h"

namespace walrus::testing {

// Runs posted work in order and timers in the order of their time, inside the calls below.  post()
// may come from any thread; the rest is the test's thread only.
class ManualLoop final : public net::Loop {
public:
    void post(std::function<void()> work) override;
    net::TimerId after_ms(std::uint64_t delay_ms, std::function<void()> work) override;
    void cancel(net::TimerId timer) override;
    std::uint64_t now_ms() const override { return now_ms_; }
    std::uint64_t wall_ms() const override { return kStartWallMs + now_ms_; }

    // Runs what was posted, and what that posts, until there is no more; time stands still.
    // Returns how many functions ran.
    std::size_t run();
    // Lets time pass, running timers and posted work on the way.
    void advance_ms(std::uint64_t ms);
    // Runs until `done`, waiting for posts of other threads; time stands still.  Gives up the test
    // when none comes for half a minute.
    void run_until(const std::function<bool()>& done);
    std::size_t timers() const { return timers_.size(); }

    static constexpr std::uint64_t kStartWallMs = 1'700'000'000'000;

private:
    static constexpr std::uint64_t kPatienceMs = 30'000;

    bool run_one();

    struct Timer {
        net::TimerId id;
        std::function<void()> work;
    };

    Mutex mutex_;
    CondVar posted_;
    std::deque<std::function<void()>> work_;      // Under mutex_.
    std::multimap<std::uint64_t, Timer> timers_;  // By the time when they are due.
    net::TimerId last_timer_ = 0;
    std::uint64_t now_ms_ = 0;
};

}  // namespace walrus::testing
