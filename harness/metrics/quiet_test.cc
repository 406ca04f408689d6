#include "harness/metrics/quiet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walrus::harness {
namespace {

using ::testing::HasSubstr;

ActivityDelta quiet_second() {
    ActivityDelta delta;
    delta.elapsed_ns = 1'000'000'000;
    delta.total.busy_us = 1'000'000;
    return delta;
}

TEST(Quiet, OurOwnLoadAndTheKernelsAreNoDisturbance) {
    ActivityDelta delta = quiet_second();
    delta.total.ours_us = 1'900'000;
    delta.total.kernel_threads_us = 500'000;
    delta.total.io_pressure_us = 900'000;  // Our own waiting.
    delta.total.cpu_pressure_us = 900'000;
    EXPECT_EQ(disturbance(delta), "");
}

TEST(Quiet, NeighboursTheHostAndTheirDiskTrafficAreNamed) {
    ActivityDelta delta = quiet_second();
    delta.other_cpu_share = 0.5;
    EXPECT_EQ(disturbance(delta), "other processes used 50 % of a processor");
    delta.steal_share = 0.2;
    EXPECT_EQ(disturbance(delta),
              "other processes used 50 % of a processor; the host took 20 % of a processor");
    delta = quiet_second();
    delta.total.others_io_bytes = 100 << 20;
    EXPECT_EQ(disturbance(delta), "other processes read and wrote 100 MiB/s");
}

TEST(Quiet, OneTickIsNoDisturbanceInAShortWindow) {
    ActivityDelta delta;
    delta.elapsed_ns = 60'000'000;
    delta.other_cpu_share = 0.010 / 0.060;  // One tick of 10 ms.
    EXPECT_EQ(disturbance(delta), "");
    delta.other_cpu_share = 0.9;
    EXPECT_NE(disturbance(delta), "");
}

TEST(Quiet, WorkThatNoVisibleProcessExplainsCountsBeyondItsSamplingError) {
    ActivityDelta delta = quiet_second();
    delta.unexplained_cpu_share = 0.10;
    EXPECT_EQ(disturbance(delta), "");
    delta.unexplained_cpu_share = 0.80;
    EXPECT_THAT(disturbance(delta), HasSubstr("cannot be seen from here used 80 %"));
}

TEST(Quiet, PressureCountsOnlyWhileWeAreIdle) {
    ActivityDelta delta = quiet_second();
    delta.total.io_pressure_us = 300'000;
    EXPECT_EQ(disturbance(delta), "");
    EXPECT_EQ(idle_disturbance(delta), "other tasks waited for the disk 30 % of the time");
    delta.total.io_pressure_us = 10'000;
    EXPECT_EQ(idle_disturbance(delta), "");
}

}  // namespace
}  // namespace walrus::harness
