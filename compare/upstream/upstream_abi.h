// The original crate as C functions, implemented by shim/src/lib.rs.  Both sides must agree.
//
// A log is used by any number of threads at once, and closed when they are done.  A code other
// than kUpstreamOk comes with a message.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

struct WalrusUpstreamLog;

struct WalrusUpstreamFailure {
    char message[256];  // Ends with a zero.
};

struct WalrusUpstreamBytes {
    const std::uint8_t* data;
    std::size_t size;
};

enum WalrusUpstreamSchedule : std::uint32_t {
    kUpstreamNoFsync = 0,
    kUpstreamMilliseconds = 1,
    kUpstreamSyncEach = 2,
};

enum WalrusUpstreamCode : std::int32_t {
    kUpstreamOk = 0,
    kUpstreamBusy = 1,
    kUpstreamInvalidArgument = 2,
    kUpstreamCorruption = 3,
    kUpstreamNoSpace = 4,
    kUpstreamUnsupported = 5,
    kUpstreamIo = 6,  // Also a panic; the outcome is unknown.
};

struct WalrusUpstreamOptions {
    WalrusUpstreamBytes directory;  // UTF-8.
    WalrusUpstreamSchedule schedule;
    std::uint64_t interval_ms;  // Of kUpstreamMilliseconds.
    bool mmap;                  // False: the fd backend.
};

struct WalrusUpstreamVisitor {
    void (*visit)(void* context, WalrusUpstreamBytes record);  // Must not throw.
    void* context;
};

// Sets WALRUS_DATA_DIR and WALRUS_QUIET in the process: call it before other threads read the
// environment.  kUpstreamUnsupported: no io_uring, or another backend or O_SYNC than an earlier
// open of this process had.  Reads never move the cursor that is stored.
std::int32_t walrus_upstream_open(const WalrusUpstreamOptions* options, WalrusUpstreamLog** log,
                                  WalrusUpstreamFailure* failure);
// Null is fine.  The crate's background thread and its open files stay.
void walrus_upstream_close(WalrusUpstreamLog* log);

// One record through append_for_topic, another number through batch_append_for_topic.
// kUpstreamBusy: a batch of this topic is being written; nothing was appended.
std::int32_t walrus_upstream_append(const WalrusUpstreamLog* log, WalrusUpstreamBytes topic,
                                    const WalrusUpstreamBytes* records, std::size_t count,
                                    WalrusUpstreamFailure* failure);

// Moves the log's only cursor of `topic` over the next records, up to about `max_bytes` and at
// least one, and shows each to `visitor`; none at the end.
std::int32_t walrus_upstream_read(const WalrusUpstreamLog* log, WalrusUpstreamBytes topic,
                                  std::size_t max_bytes, WalrusUpstreamVisitor visitor,
                                  WalrusUpstreamFailure* failure);
}
