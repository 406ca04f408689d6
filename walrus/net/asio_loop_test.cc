#include "walrus/net/asio_loop.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "walrus/testing/loop_thread.h"

namespace walrus::net {
namespace {

TEST(AsioLoop, RunsWhatIsPostedInOrder) {
    AsioLoop loop;
    std::string order;
    loop.post([&] {
        order += 'a';
        loop.post([&] {
            order += 'c';
            loop.stop();
        });
    });
    loop.post([&] { order += 'b'; });
    loop.run();
    EXPECT_EQ(order, "abc");
}

TEST(AsioLoop, TakesPostsOfManyThreads) {
    constexpr int kThreads = 4;
    constexpr int kPosts = 5000;
    testing::LoopThread loop;
    int ran = 0;  // The loop's own.
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i)
        threads.emplace_back([&] {
            for (int j = 0; j < kPosts; ++j) loop.loop().post([&ran] { ++ran; });
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(loop.run([&] { return ran; }), kThreads * kPosts);
}

TEST(AsioLoop, RunsTimersInTheOrderOfTheirTimeAndNotBeforeIt) {
    AsioLoop loop;
    std::string order;
    const std::uint64_t begin_ms = loop.now_ms();
    loop.after_ms(20, [&] {
        order += 'c';
        EXPECT_GE(loop.now_ms(), begin_ms + 20);
        loop.stop();
    });
    loop.after_ms(5, [&] { order += 'b'; });
    loop.after_ms(0, [&] { order += 'a'; });
    loop.run();
    EXPECT_EQ(order, "abc");
}

TEST(AsioLoop, CallsForAWatchedDescriptorUntilItIsUnwatched) {
    const int event = ::eventfd(0, EFD_NONBLOCK | EFD_SEMAPHORE);
    ASSERT_GE(event, 0);
    AsioLoop loop;
    EXPECT_FALSE(loop.watch(-1, [] {}));
    int calls = 0;
    ASSERT_TRUE(loop.watch(event, [&] {
        eventfd_t taken = 0;
        ASSERT_EQ(::eventfd_read(event, &taken), 0);
        if (++calls == 2) loop.post([&] { ::eventfd_write(event, 2); });
        if (calls != 3) return;
        loop.unwatch(event);  // One more is there.
        loop.after_ms(5, [&] { loop.stop(); });
    }));
    ::eventfd_write(event, 2);  // One call each, although both are there.
    loop.run();
    EXPECT_EQ(calls, 3);
    loop.unwatch(event);
    ::close(event);
}

TEST(AsioLoop, ACancelledTimerDoesNotRun) {
    AsioLoop loop;
    bool ran = false;
    const TimerId cancelled = loop.after_ms(1, [&] { ran = true; });
    TimerId other = 0;
    loop.after_ms(2, [&] { loop.cancel(other); });
    other = loop.after_ms(2, [&] { ran = true; });
    loop.cancel(cancelled);
    loop.cancel(cancelled);
    loop.cancel(0);
    loop.after_ms(5, [&] { loop.stop(); });
    loop.run();
    EXPECT_FALSE(ran);
}

TEST(AsioLoop, ATimerThatSetsItselfAgainLeavesRoomForOthers) {
    AsioLoop loop;
    int rounds = 0;
    std::function<void()> again = [&] {
        if (++rounds == 3) return loop.stop();
        loop.after_ms(0, again);
    };
    loop.after_ms(0, again);
    loop.run();
    EXPECT_EQ(rounds, 3);
}

TEST(AsioLoop, ATimerForEverIsNoTimerForNow) {
    AsioLoop loop;
    bool ran = false;
    loop.after_ms(UINT64_MAX, [&] { ran = true; });
    loop.after_ms(1, [&] { loop.stop(); });
    loop.run();
    EXPECT_FALSE(ran);
}

TEST(AsioLoop, CallsForASignalInsteadOfDying) {
    AsioLoop loop;
    std::vector<int> seen;
    loop.watch_signals({SIGUSR1, SIGUSR2}, [&](int signal) {
        seen.push_back(signal);
        if (seen.size() == 1) ::raise(SIGUSR2);
        if (seen.size() == 2) loop.stop();
    });
    loop.post([] { ::raise(SIGUSR1); });
    loop.run();
    EXPECT_EQ(seen, (std::vector<int>{SIGUSR1, SIGUSR2}));
}

}  // namespace
}  // namespace walrus::net
