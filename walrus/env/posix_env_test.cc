// What only the real disk does: signals, O_DIRECT refusals, full file systems.
#include "walrus/env/posix_env.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "walrus/base/aligned_buffer.h"

namespace walrus::env {
namespace {

class PosixEnvTest : public ::testing::Test {
protected:
    PosixEnvTest() {
        std::string name = (std::filesystem::current_path() / "posix_env_XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        directory_ = name;
    }
    ~PosixEnvTest() override { std::filesystem::remove_all(directory_); }

    std::string path(std::string_view name) const { return join_path(directory_, name); }

    Env& env_ = posix_env();
    std::string directory_;
};

using RingSigbus = PosixEnvTest;

TEST_F(RingSigbus, StoreBehindATruncatedFileMarksTheRingAndGoesOn) {
    const auto ring = *env_.map_ring(path("ring"), 4 * kBlockSize);
    const auto other = *env_.map_ring(path("other"), 4 * kBlockSize);
    ASSERT_EQ(::truncate(path("ring").c_str(), kBlockSize), 0);
    ring->data()[0] = std::byte{1};
    EXPECT_FALSE(ring->failed());
    ring->data()[2 * kBlockSize + 5] = std::byte{2};
    EXPECT_TRUE(ring->failed());
    EXPECT_EQ(ring->data()[2 * kBlockSize + 5], std::byte{2});
    ring->data()[ring->size() + 3 * kBlockSize] = std::byte{3};  // In the second view.
    EXPECT_TRUE(ring->failed());
    EXPECT_FALSE(other->failed());
}

TEST_F(RingSigbus, NewRingAtTheSameAddressesHasNotFailed) {
    {
        const auto ring = *env_.map_ring(path("ring"), 4 * kBlockSize);
        ASSERT_EQ(::truncate(path("ring").c_str(), 0), 0);
        ring->data()[0] = std::byte{1};
        EXPECT_TRUE(ring->failed());
    }
    const auto ring = *env_.map_ring(path("ring"), 4 * kBlockSize);
    ring->data()[0] = std::byte{1};
    EXPECT_FALSE(ring->failed());
}

TEST_F(RingSigbus, StoreOutsideEveryRingStillKills) {
    const auto ring = *env_.map_ring(path("ring"), kBlockSize);
    const auto touch_behind_the_end = [&] {
        const auto file = *env_.open(path("f"), {.create = true});
        const int fd = ::open(path("f").c_str(), O_RDWR);
        auto* at = static_cast<volatile char*>(
            ::mmap(nullptr, kBlockSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
        at[0] = 1;
    };
    EXPECT_DEATH(touch_behind_the_end(), "");
}

TEST_F(RingSigbus, SignalSentByAProcessStillKills) {
    const auto ring = *env_.map_ring(path("ring"), kBlockSize);
    EXPECT_DEATH(::raise(SIGBUS), "");
}

TEST_F(PosixEnvTest, StoreIntoATruncatedMappedFileFails) {
    const auto file = *env_.open(path("f"), {.create = true, .mapped = true});
    const std::string data(kBlockSize, 'a');
    ASSERT_TRUE(file->preallocate(4 * kBlockSize));
    ASSERT_TRUE(file->write_at(as_bytes(data), 2 * kBlockSize, Durability::kData));
    ASSERT_EQ(::truncate(path("f").c_str(), 0), 0);
    EXPECT_EQ(file->write_at(as_bytes(data), 2 * kBlockSize, Durability::kData).error().code,
              Errc::kIo);
    EXPECT_EQ(file->write_at(as_bytes(data), 0, Durability::kNone).error().code, Errc::kIo);
    EXPECT_EQ(file->sync_data().error().code, Errc::kIo);
    // Growing maps the file anew; the failure stays.
    EXPECT_EQ(file->write_at(as_bytes(data), 8 << 20, Durability::kData).error().code, Errc::kIo);
    EXPECT_EQ(file->sync_data().error().code, Errc::kIo);
}

TEST_F(PosixEnvTest, RingBlocksAreReallyAllocated) {
    const auto ring = *env_.map_ring(path("ring"), 64 * kBlockSize);
    struct stat facts {};
    ASSERT_EQ(::stat(path("ring").c_str(), &facts), 0);
    EXPECT_GE(facts.st_blocks * 512, static_cast<long>(64 * kBlockSize));
}

TEST_F(PosixEnvTest, RingThatWasCutShortByACrashIsZeroedOnFromItsEnd) {
    std::filesystem::create_directories(directory_);
    {
        const auto file = *env_.open(path("ring"), {.create = true});
        ASSERT_TRUE(file->write_at(as_bytes(std::string(100, 'r')), 0, Durability::kNone));
    }
    const auto ring = *env_.map_ring(path("ring"), 2 * kBlockSize);
    EXPECT_EQ(as_text({ring->data(), 100}), std::string(100, 'r'));
    EXPECT_EQ(as_text({ring->data() + 100, 2 * kBlockSize - 100}),
              std::string(2 * kBlockSize - 100, '\0'));
}

// Older kernels refuse O_DIRECT on tmpfs, newer ones accept it; both answers are fine.
TEST(PosixEnvOnTmpfs, DirectFileEitherWorksOrIsUnsupportedAndLeavesNothingBehind) {
    std::string directory = "/dev/shm/walrus_env_XXXXXX";
    if (::mkdtemp(directory.data()) == nullptr) GTEST_SKIP() << "no /dev/shm";
    const std::string path = join_path(directory, "f");
    const AlignedBuffer data(kBlockSize);
    std::memset(data.data(), 'a', data.size());
    const auto file = posix_env().open(path, {.create = true, .exclusive = true, .direct = true});
    if (file) {
        const Status written = (*file)->write_at(data.span(), 0, Durability::kData);
        EXPECT_TRUE(written) << written.error().to_string();
    } else {
        EXPECT_EQ(file.error().code, Errc::kUnsupported);
        EXPECT_FALSE(std::filesystem::exists(path));
    }
    std::filesystem::remove_all(directory);
}

TEST(PosixEnvOnAFullDisk, NoSpaceIsItsOwnError) {
    const auto file = posix_env().open("/dev/full", {});
    if (!file) GTEST_SKIP() << "no /dev/full";
    const Status status = (*file)->write_at(as_bytes("x"), 0, Durability::kNone);
    EXPECT_EQ(status.error().code, Errc::kNoSpace);
    EXPECT_THAT(status.error().message, ::testing::HasSubstr("write: /dev/full at 0: No space"));
}

TEST_F(PosixEnvTest, UringQueueReportsNoSpace) {
    auto queue = env_.open_queue(QueueKind::kUring, 4);
    if (!queue) GTEST_SKIP() << queue.error().to_string();
    const auto full = env_.open("/dev/full", {});
    if (!full) GTEST_SKIP() << "no /dev/full";
    std::byte byte{1};
    IoRequest write;
    write.file = full->get();
    write.bytes = {&byte, 1};
    (*queue)->submit(write);
    ASSERT_EQ((*queue)->complete(true), &write);
    EXPECT_EQ(write.status.error().code, Errc::kNoSpace);
}

TEST_F(PosixEnvTest, UringQueueTransfersMoreThanOneKernelPiece) {
    auto queue = env_.open_queue(QueueKind::kUring, 4);
    if (!queue) GTEST_SKIP() << queue.error().to_string();
    const auto file = *env_.open(path("f"), {.create = true});
    AlignedBuffer data(16 << 20);
    std::memset(data.data(), 'a', data.size());
    IoRequest write;
    write.file = file.get();
    write.bytes = data.span();
    (*queue)->submit(write);
    ASSERT_EQ((*queue)->complete(true), &write);
    EXPECT_TRUE(write.status);
    EXPECT_EQ(*file->size(), data.size());
}

TEST_F(PosixEnvTest, WakeEndsAWaitWhileNothingCompletes) {
    auto queue = env_.open_queue(QueueKind::kUring, 4);
    if (!queue) GTEST_SKIP() << queue.error().to_string();
    // A read of a FIFO that nobody writes stays in flight.
    ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
    const auto fifo = *env_.open(path("fifo"), {});
    std::byte byte{};
    IoRequest read;
    read.kind = IoRequest::Kind::kRead;
    read.file = fifo.get();
    read.bytes = {&byte, 1};
    (*queue)->submit(read);
    (*queue)->wake();
    EXPECT_EQ((*queue)->complete(false), nullptr);
    EXPECT_EQ((*queue)->complete(true), nullptr);  // The wake that complete(false) must not eat.
    const int fd = ::open(path("fifo").c_str(), O_WRONLY);
    ASSERT_EQ(::write(fd, "x", 1), 1);
    ::close(fd);
    IoRequest* done = nullptr;
    while (done == nullptr) done = (*queue)->complete(true);
    EXPECT_EQ(done, &read);
}

}  // namespace
}  // namespace walrus::env
