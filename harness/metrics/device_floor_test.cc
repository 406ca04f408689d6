#include "harness/metrics/device_floor.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/scratch_directory.h"
#include "harness/metrics/plain_read.h"

namespace walrus::harness {
namespace {

TEST(DeviceFloor, MeasuresAndLeavesNothingBehind) {
    const ScratchDirectory directory;
    const auto floor = measure_device_floor(directory.path(), 100'000'000, machine_clock());
    ASSERT_TRUE(floor) << floor.error().message;
    EXPECT_GT(floor->append_ns.count(), 0u);
    EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(PlainRead, ReadsEveryByteOfEveryFile) {
    const ScratchDirectory directory;
    std::filesystem::create_directories(directory.path() + "/below");
    ASSERT_TRUE(write_whole_file(directory.path() + "/a", std::string(5'000'000, 'a')));
    ASSERT_TRUE(write_whole_file(directory.path() + "/below/b", std::string(12'345, 'b')));
    drop_cached_files(directory.path());
    const auto read = read_files_plainly(directory.path(), machine_clock());
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->bytes, 5'012'345u);
    EXPECT_GT(read->elapsed_ns, 0u);
}

TEST(DeviceFloor, ADirectoryThatIsNotThereIsAnError) {
    const auto floor = measure_device_floor("/nowhere/at/all", 1'000'000, machine_clock());
    ASSERT_FALSE(floor);
    EXPECT_EQ(floor.error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace walrus::harness
