#include "harness/runner/warnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace walrus::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kGiB = 1 << 30;

TEST(Warnings, ClientBoundAboveHalfOfWhatTheHarnessReaches) {
    EXPECT_EQ(client_bound_warning(400'000, 1'000'000), "");
    EXPECT_EQ(client_bound_warning(400'000, 0), "");  // Unknown.
    EXPECT_THAT(
        client_bound_warning(600'000, 1'000'000),
        HasSubstr("reaches 1,000,000 records/s with this workload (null driver), and 60 %"));
}

TEST(Warnings, TooShortForARolloverOfTheSystemsFiles) {
    EXPECT_EQ(rollover_warning({}, 1), "");  // The system does not say.
    EXPECT_EQ(rollover_warning({{"file_size", "64 MiB"}}, 65 * kMiB), "");
    EXPECT_THAT(
        rollover_warning({{"file_size", "64 MiB"}}, 3 * kMiB),
        HasSubstr("3 MiB were written in the window and a file of the system holds 64 MiB"));
    EXPECT_NE(rollover_warning({{"write_buffer_size", "67108864"}}, kMiB), "");
    EXPECT_EQ(rollover_warning({{"rollover_bytes", "4096"}, {"file_size", "64 MiB"}}, kMiB), "");
}

TEST(Warnings, WindowShorterThanAsked) {
    Workload workload;
    workload.duration_ns = 1'000'000'000;
    WriteFigures write;
    write.series_interval_ns = 100'000'000;
    write.series = {5, 5, 0, 5, 5, 5, 5, 5, 5, 5};
    EXPECT_EQ(short_window_warning(workload, write), "");
    write.series = {5, 5, 5, 5, 5, 5, 0, 0};
    EXPECT_THAT(short_window_warning(workload, write),
                HasSubstr("nothing was acknowledged in the last 400 ms of 1.00 s"));
    workload.max_bytes = kMiB;  // Then bytes decide, not time.
    EXPECT_EQ(short_window_warning(workload, write), "");
}

TEST(Warnings, MemoryPressure) {
    ActivityDelta activity;
    activity.elapsed_ns = 1'000'000'000;
    EXPECT_EQ(memory_pressure_warning(activity), "");
    activity.total.memory_pressure_us = 250'000;
    EXPECT_THAT(memory_pressure_warning(activity), HasSubstr("25 % of the time"));
}

TEST(Warnings, GovernorAndHeat) {
    EXPECT_EQ(governor_warning({{"cpu_governor", "performance"}}), "");
    EXPECT_EQ(governor_warning({{"cpu_governor", "unknown"}}), "");  // A virtual machine.
    EXPECT_THAT(governor_warning({{"cpu_governor", "powersave"}}), HasSubstr("powersave"));
    EXPECT_EQ(throttling_warning({{"cpu_throttled", "3"}}, {{"cpu_throttled", "3"}}), "");
    EXPECT_THAT(throttling_warning({{"cpu_throttled", "3"}}, {{"cpu_throttled", "9"}}),
                HasSubstr("3 events before, 9 after"));
}

TEST(Warnings, UnknownWriteCache) {
    EXPECT_EQ(write_cache_warning({{"device_write_cache", "write back"}}), "");
    EXPECT_NE(write_cache_warning({{"device_write_cache", "unknown"}}), "");
    EXPECT_NE(write_cache_warning({}), "");
}

TEST(Warnings, DiskNearlyFull) {
    EXPECT_EQ(disk_space_warning(50 * kGiB, 100 * kGiB), "");
    EXPECT_THAT(disk_space_warning(2 * kGiB, 100 * kGiB), HasSubstr("2 GiB of 100 GiB free"));
    EXPECT_NE(disk_space_warning(kGiB / 2, kGiB), "");  // Half, but little.
}

TEST(Warnings, BuildsThatSayNothingAboutSpeed) {
    EXPECT_EQ(build_warning(true, ""), "");
    EXPECT_THAT(build_warning(false, ""), StartsWith("built without optimisation"));
    EXPECT_THAT(build_warning(true, "ThreadSanitizer"), StartsWith("built with ThreadSanitizer"));
}

TEST(Warnings, OfARepetitionComeTogether) {
    Row row;
    row.workload.duration_ns = 1'000'000'000;
    Repetition repetition;
    repetition.write.window_ns = 1'000'000'000;
    repetition.write.records = 900;
    repetition.write.effective_config = {{"file_size", "64 MiB"}};
    EXPECT_EQ(repetition_warnings(row, repetition, 1'000).size(), 2u);
    row.measure = Measure::kRestart;  // Says nothing about rates and windows.
    EXPECT_TRUE(repetition_warnings(row, repetition, 1'000).empty());
    row.measure = Measure::kAppend;
    repetition.error = "crashed";
    EXPECT_TRUE(repetition_warnings(row, repetition, 1'000).empty());
}

TEST(Warnings, OfTheMachineOnlyWhereTheyMatter) {
    const std::string here = std::filesystem::temp_directory_path();
    const Settings host = {{"cpu_governor", "performance"}};
    const auto unsynced = machine_warnings(host, here, false);
    const auto synced = machine_warnings(host, here, true);
    EXPECT_EQ(synced.size(), unsynced.size() + 1);  // The write cache.
}

}  // namespace
}  // namespace walrus::harness
