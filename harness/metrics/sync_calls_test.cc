#include "harness/metrics/sync_calls.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/scratch_directory.h"

namespace walrus::harness {
namespace {

TEST(SyncCalls, AreCountedByKindAndDone) {
    const ScratchDirectory directory;
    const auto file = open_file(directory.path() + "/f", O_RDWR | O_CREAT);
    ASSERT_TRUE(file);
    const int fd = file->get();
    char text[] = "durable";
    const iovec piece{.iov_base = text, .iov_len = sizeof text};

    const SyncCalls before = sync_calls();
    EXPECT_EQ(::fsync(fd), 0);
    EXPECT_EQ(::fdatasync(fd), 0);
    EXPECT_EQ(::fdatasync(fd), 0);
    EXPECT_EQ(::pwritev2(fd, &piece, 1, 5, RWF_DSYNC), static_cast<ssize_t>(sizeof text));
    EXPECT_EQ(::pwritev2(fd, &piece, 1, 5, 0), static_cast<ssize_t>(sizeof text));
    EXPECT_EQ(::syncfs(fd), 0);
    const SyncCalls made = sync_calls() - before;
    EXPECT_EQ(made.fsync, 1u);
    EXPECT_EQ(made.fdatasync, 2u);
    EXPECT_EQ(made.synced_writes, 1u);
    EXPECT_EQ(made.other, 1u);
    EXPECT_EQ(made.total(), 5u);
    EXPECT_EQ(*read_whole_file(directory.path() + "/f"),
              std::string(5, '\0') + std::string(text, sizeof text));
}

TEST(SyncCalls, AFailureIsStillTheCallersToSee) {
    EXPECT_EQ(::fdatasync(-1), -1);
    EXPECT_EQ(errno, EBADF);
}

}  // namespace
}  // namespace walrus::harness
