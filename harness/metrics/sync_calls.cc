#include "harness/metrics/sync_calls.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>

namespace {

struct Counters {
    std::atomic<std::uint64_t> fsync{0};
    std::atomic<std::uint64_t> fdatasync{0};
    std::atomic<std::uint64_t> synced_writes{0};
    std::atomic<std::uint64_t> other{0};
};

constinit Counters g_counters;

void count(std::atomic<std::uint64_t>& counter) {
    counter.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

// The names and types are the C library's.
extern "C" {

int fsync(int fd) {
    count(g_counters.fsync);
    return static_cast<int>(::syscall(SYS_fsync, fd));
}

int fdatasync(int fd) {
    count(g_counters.fdatasync);
    return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

int syncfs(int fd) noexcept {
    count(g_counters.other);
    return static_cast<int>(::syscall(SYS_syncfs, fd));
}

void sync() noexcept {
    count(g_counters.other);
    ::syscall(SYS_sync);
}

int sync_file_range(int fd, off64_t offset, off64_t bytes, unsigned int flags) {
    count(g_counters.other);
    return static_cast<int>(::syscall(SYS_sync_file_range, fd, offset, bytes, flags));
}

int msync(void* address, std::size_t bytes, int flags) {
    if ((flags & MS_SYNC) != 0) count(g_counters.other);
    return static_cast<int>(::syscall(SYS_msync, address, bytes, flags));
}

ssize_t pwritev2(int fd, const iovec* pieces, int piece_count, off_t position, int flags) {
    if ((flags & (RWF_DSYNC | RWF_SYNC)) != 0) count(g_counters.synced_writes);
    // The system call takes the position in two halves; the upper one is unused with 64 bits.
    return ::syscall(SYS_pwritev2, fd, pieces, piece_count, position, 0, flags);
}

// What pwritev2 is called by callers that were compiled for large files.
ssize_t pwritev64v2(int fd, const iovec* pieces, int piece_count, off64_t position, int flags) {
    return pwritev2(fd, pieces, piece_count, position, flags);
}

}  // extern "C"

namespace walrus::harness {

SyncCalls SyncCalls::operator-(const SyncCalls& earlier) const {
    return {.fsync = fsync - earlier.fsync,
            .fdatasync = fdatasync - earlier.fdatasync,
            .synced_writes = synced_writes - earlier.synced_writes,
            .other = other - earlier.other};
}

SyncCalls sync_calls() {
    const auto read = [](const std::atomic<std::uint64_t>& counter) {
        return counter.load(std::memory_order_relaxed);
    };
    return {.fsync = read(g_counters.fsync),
            .fdatasync = read(g_counters.fdatasync),
            .synced_writes = read(g_counters.synced_writes),
            .other = read(g_counters.other)};
}

}  // namespace walrus::harness
