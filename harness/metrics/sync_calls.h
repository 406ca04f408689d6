// SyncCalls: how often this process asked for its writes to be made durable.
//
// A program that links this room has its own fsync, fdatasync and their relatives, which count and
// then do the system call; calls of shared libraries (a system under test) come here as well.  What
// a system hands to io_uring does not: the driver's own counters and the device's flushes show it.
#pragma once

#include <cstdint>

namespace walrus::harness {

struct SyncCalls {
    std::uint64_t fsync = 0;
    std::uint64_t fdatasync = 0;
    std::uint64_t synced_writes = 0;  // pwritev2 with RWF_DSYNC or RWF_SYNC.
    std::uint64_t other = 0;          // sync_file_range, syncfs, sync, msync(MS_SYNC).

    SyncCalls operator-(const SyncCalls& earlier) const;
    std::uint64_t total() const { return fsync + fdatasync + synced_writes + other; }
};

// Since the process began.  Thread-safe.
SyncCalls sync_calls();

}  // namespace walrus::harness
