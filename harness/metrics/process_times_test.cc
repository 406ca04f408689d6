#include "harness/metrics/process_times.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

namespace walrus::harness {
namespace {

TEST(ProcessTimes, EverythingBelowTheHarnessIsOurs) {
    const std::vector<ProcessTimes> processes = {
        {.pid = 1, .cpu_us = 1},
        {.pid = 2, .kernel_thread = true, .cpu_us = 10},
        {.pid = 50, .parent = 1, .cpu_us = 100, .io_bytes = 7},                // The shell.
        {.pid = 60, .parent = 50, .cpu_us = 1'000, .io_bytes = 8},             // The harness.
        {.pid = 61, .parent = 60, .cpu_us = 10'000},                           // Its child.
        {.pid = 62, .parent = 61, .cpu_us = 100'000},                          // A server of it.
        {.pid = 70, .parent = 2, .kernel_thread = true, .cpu_us = 1'000'000},  // Write-back.
    };
    const WorkTotals work = attribute_work(processes, 60);
    EXPECT_EQ(work.ours_us, 111'000u);
    EXPECT_EQ(work.kernel_threads_us, 1'000'010u);
    EXPECT_EQ(work.others_us, 101u);
    EXPECT_EQ(work.others_io_bytes, 7u);
}

TEST(ProcessTimes, ARingOfReusedPidsDoesNotHang) {
    const WorkTotals work =
        attribute_work({{.pid = 5, .parent = 6, .cpu_us = 3}, {.pid = 6, .parent = 5}}, 60);
    EXPECT_EQ(work.others_us, 3u);
}

TEST(ProcessTimes, TheListHoldsThisProcess) {
    const std::vector<ProcessTimes> processes = list_processes();
    const auto self = std::ranges::find(processes, ::getpid(), &ProcessTimes::pid);
    ASSERT_NE(self, processes.end());
    EXPECT_EQ(self->parent, ::getppid());
    EXPECT_FALSE(self->kernel_thread);
}

}  // namespace
}  // namespace walrus::harness
