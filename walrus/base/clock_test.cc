#include "walrus/base/clock.h"

#include <gtest/gtest.h>

namespace walrus {
namespace {

TEST(SystemClock, NeverGoesBack) {
    std::uint64_t last = system_clock().monotonic_ns();
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t now = system_clock().monotonic_ns();
        EXPECT_GE(now, last);
        last = now;
    }
}

TEST(SystemClock, KnowsThatItIsPast2020) {
    EXPECT_GT(system_clock().wall_ms(), std::uint64_t{1'577'836'800'000});
}

}  // namespace
}  // namespace walrus
