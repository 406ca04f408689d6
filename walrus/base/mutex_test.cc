#include "walrus/base/mutex.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace walrus {
namespace {

TEST(Mutex, LetsOneThreadInAtATime) {
    Mutex mutex;
    int count = 0;  // Not atomic: the sanitizers see a lock that does not lock.
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < 1000; ++n) {
                const MutexLock lock(mutex);
                ++count;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(count, 4000);
}

TEST(Mutex, RefusesTryLockWhileHeld) {
    Mutex mutex;
    const MutexLock lock(mutex);
    bool got = true;
    std::thread([&] { got = mutex.try_lock(); }).join();
    EXPECT_FALSE(got);
}

TEST(CondVar, WakesAWaiter) {
    Mutex mutex;
    CondVar changed;
    bool ready = false;
    std::thread waiter([&] {
        MutexLock lock(mutex);
        while (!ready) changed.wait(lock);
    });
    {
        const MutexLock lock(mutex);
        ready = true;
    }
    changed.notify_one();
    waiter.join();
}

TEST(CondVar, WaitForGivesUpAfterItsTime) {
    Mutex mutex;
    CondVar changed;
    MutexLock lock(mutex);
    while (changed.wait_for(lock, 1)) {
    }
    EXPECT_TRUE(lock.owns_lock());
}

}  // namespace
}  // namespace walrus
