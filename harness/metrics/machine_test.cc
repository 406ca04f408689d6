#include "harness/metrics/machine.h"

#include <gtest/gtest.h>

#include "harness/metrics/paced_clock.h"

namespace walrus::harness {
namespace {

TEST(MachineFacts, NameTheThingsAReaderNeeds) {
    const Settings facts = machine_facts(::testing::TempDir());
    for (const char* name : {"cpu_model", "cpu_count", "kernel", "memory", "file_system",
                             "mount_options", "device", "device_write_cache", "clock"}) {
        ASSERT_TRUE(facts.contains(name)) << name;
        EXPECT_FALSE(facts.at(name).empty()) << name;
    }
}

TEST(Activity, OwnProcessorTimeIsNotCountedAsDisturbance) {
    const BlockDevice none;
    const Activity begin = observe_activity(none);
    Activity end = begin;
    while (end.user_us + end.system_us < begin.user_us + begin.system_us + 200'000) {
        end = observe_activity(none);
    }
    const ActivityDelta delta = activity_between(begin, end);
    EXPECT_GE(delta.elapsed_ns, 100'000'000u);
    EXPECT_GE(delta.total.ours_us, 100'000u);
}

TEST(MachineClock, NeverGoesBackAndKeepsPaceWithTheKernel) {
    PacedClock& clock = machine_clock();
    std::uint64_t last = clock.monotonic_ns();
    for (int i = 0; i < 100'000; ++i) {
        const std::uint64_t now = clock.monotonic_ns();
        ASSERT_GE(now, last);
        last = now;
    }
    const std::uint64_t begin = clock.monotonic_ns();
    const std::uint64_t kernel_begin = system_clock().monotonic_ns();
    clock.wait_until(begin + 100'000'000);
    const auto ours = static_cast<double>(clock.monotonic_ns() - begin);
    const auto kernels = static_cast<double>(system_clock().monotonic_ns() - kernel_begin);
    EXPECT_NEAR(ours / kernels, 1.0, 0.01);
}

}  // namespace
}  // namespace walrus::harness
