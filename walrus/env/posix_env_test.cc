// What only the real disk does: signals, O_DIRECT refusals, full file systems.
#include "walrus/env/posix_env.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
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

// --- transfers that the kernel cuts short ---

// While it lives and is not lifted, the kernel writes no file past `bytes`: what crosses the limit
// is written in part, what begins there is EFBIG.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) : old_handler_(::signal(SIGXFSZ, SIG_IGN)) {
        EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit_), 0);
        const rlimit limit{bytes, old_limit_.rlim_max};
        EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    }
    ~FileSizeLimit() {
        lift();
        ::signal(SIGXFSZ, old_handler_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

    void lift() { EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &old_limit_), 0); }

private:
    const sighandler_t old_handler_;
    rlimit old_limit_{};
};

// Bytes that tell their place.
AlignedBuffer counted(std::size_t size) {
    AlignedBuffer data(size);
    for (std::size_t i = 0; i < size; ++i) data.data()[i] = static_cast<std::byte>(i / 7);
    return data;
}

class UringShortTransfer : public PosixEnvTest {
protected:
    void SetUp() override {
        auto queue = env_.open_queue(QueueKind::kUring, 4);
        if (!queue) GTEST_SKIP() << queue.error().to_string();
        queue_ = *std::move(queue);
    }

    // Waits until the kernel has completed something, which the queue has not looked at yet.
    static void wait_for_the_kernel() {
        pollfd ring{-1, POLLIN, 0};
        for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
            std::error_code gone;
            if (std::filesystem::read_symlink(entry.path(), gone) != "anon_inode:[io_uring]") {
                continue;
            }
            ASSERT_EQ(ring.fd, -1) << "two rings are open";
            ring.fd = std::atoi(entry.path().filename().c_str());
        }
        ASSERT_EQ(::poll(&ring, 1, 60'000), 1);
    }

    std::unique_ptr<File> open_fifo() {
        EXPECT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
        return *env_.open(path("fifo"), {});
    }
    void write_to_fifo(std::string_view text) {
        const int fd = ::open(path("fifo").c_str(), O_WRONLY);
        EXPECT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
        ::close(fd);
    }

    std::unique_ptr<IoQueue> queue_;
};

TEST_F(UringShortTransfer, WriteThatWasCutShortGoesOnWhereItStopped) {
    const auto file = *env_.open(path("f"), {.create = true});
    const AlignedBuffer data = counted(3 * kBlockSize);
    IoRequest write;
    write.file = file.get();
    write.bytes = data.span();
    FileSizeLimit limit(5000);
    queue_->submit(write);
    wait_for_the_kernel();
    ASSERT_EQ(*file->size(), 5000U);  // It was cut short.
    limit.lift();
    ASSERT_EQ(queue_->complete(true), &write);
    EXPECT_TRUE(write.status) << write.status.error().to_string();
    EXPECT_EQ(write.transferred, data.size());
    const AlignedBuffer into(data.size());
    ASSERT_EQ(*file->read_at(into.span(), 0), data.size());
    EXPECT_EQ(as_text(into.span()), as_text(data.span()));
}

TEST_F(UringShortTransfer, DirectWriteThatWasCutShortGoesOnWhereItStopped) {
    const auto opened = env_.open(path("f"), {.create = true, .direct = true});
    if (!opened) GTEST_SKIP() << "this file system refuses O_DIRECT";
    const AlignedBuffer data = counted(4 * kBlockSize);
    IoRequest write;
    write.file = opened->get();
    write.bytes = data.span();
    write.durability = Durability::kData;
    FileSizeLimit limit(2 * kBlockSize);
    queue_->submit(write);
    wait_for_the_kernel();
    ASSERT_EQ(*(*opened)->size(), 2 * kBlockSize);
    limit.lift();
    ASSERT_EQ(queue_->complete(true), &write);
    EXPECT_TRUE(write.status) << write.status.error().to_string();
    const AlignedBuffer into(data.size());
    ASSERT_EQ(*(*opened)->read_at(into.span(), 0), data.size());
    EXPECT_EQ(as_text(into.span()), as_text(data.span()));
}

TEST_F(UringShortTransfer, WriteThatCannotGoOnFailsAtThePlaceItReached) {
    const auto file = *env_.open(path("f"), {.create = true});
    const AlignedBuffer data = counted(2 * kBlockSize);
    IoRequest write;
    write.file = file.get();
    write.bytes = data.span();
    const FileSizeLimit limit(5000);
    queue_->submit(write);
    ASSERT_EQ(queue_->complete(true), &write);
    ASSERT_FALSE(write.status);
    EXPECT_EQ(write.status.error().code, Errc::kIo);
    EXPECT_THAT(write.status.error().message, ::testing::HasSubstr("at 5000: File too large"));
    // The file's own write says the same.
    const Status written = file->write_at(data.span(), 0, Durability::kNone);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().message, write.status.error().message);
}

TEST_F(UringShortTransfer, ReadThatWasCutShortGoesOnWhereItStopped) {
    const auto fifo = open_fifo();
    std::string into(10, '.');
    IoRequest read;
    read.kind = IoRequest::Kind::kRead;
    read.file = fifo.get();
    read.bytes = {reinterpret_cast<std::byte*>(into.data()), into.size()};
    queue_->submit(read);
    write_to_fifo("abcd");
    wait_for_the_kernel();
    EXPECT_EQ(queue_->complete(false), nullptr);
    write_to_fifo("efghij");
    ASSERT_EQ(queue_->complete(true), &read);
    EXPECT_TRUE(read.status);
    EXPECT_EQ(read.transferred, into.size());
    EXPECT_EQ(into, "abcdefghij");
}

}  // namespace
}  // namespace walrus::env
