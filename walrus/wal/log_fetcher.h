// LogFetcher: the bytes of a live log at any lsn, from the staging ring while it holds them and
// from the log files otherwise, reading ahead while the demand is sequential.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "walrus/base/result.h"
#include "walrus/env/env.h"
#include "walrus/wal/buffer_pool.h"
#include "walrus/wal/log_files.h"
#include "walrus/wal/log_writer.h"

namespace walrus::wal {

struct FetchConfig {
    env::Env* env = nullptr;
    env::QueueKind queue = env::QueueKind::kInline;
    std::uint64_t read_ahead_bytes = 0;
};

// Bytes and who keeps them alive.
struct FetchedBytes {
    Bytes bytes;
    std::shared_ptr<const void> owner;
};

// Used by one thread at a time; `files`, `writer` and `pool` must outlive it.
class LogFetcher {
public:
    LogFetcher(FetchConfig config, LogFiles& files, LogWriter& writer,
               std::shared_ptr<BufferPool> pool);

    // Bytes from `lsn` on, at least `least` unless the file or the log ends before.
    Result<FetchedBytes> fetch(Lsn lsn, std::uint64_t least);
    // From now on: kBusy where a file would have to be read.
    void set_memory_only(bool memory_only) { memory_only_ = memory_only; }
    // Forgets what was read ahead; the next fetch is somewhere else.
    void jump();

private:
    struct Window {
        Lsn begin;
        std::uint64_t length = 0;
        bool loading = false;
        std::shared_ptr<AlignedBuffer> bytes;
        std::shared_ptr<LogFile> file;
        env::IoRequest request;
        Lsn end() const { return begin + length; }
    };
    using Windows = std::deque<std::unique_ptr<Window>>;

    Result<bool> fetch_from_ring(Lsn lsn, std::uint64_t least);
    Result<std::unique_ptr<Window>> plan(Lsn begin, std::uint64_t length);
    Status load(Window& window);
    Status finish_loading(Window& window);
    bool loading() const;
    void grow();
    void read_ahead();
    Status cover(Lsn lsn);
    FetchedBytes assemble(Lsn lsn, std::uint64_t least) const;

    const FetchConfig config_;
    LogFiles& files_;
    LogWriter& writer_;
    std::shared_ptr<BufferPool> pool_;
    Windows windows_;            // Adjacent, ascending.
    std::uint64_t next_length_;  // Of the next window: grows while the demand is sequential.
    bool memory_only_ = false;
    Lsn expected_;                         // Where a sequential demand goes on.
    std::unique_ptr<env::IoQueue> queue_;  // After windows_: it waits for what is in flight.
};

}  // namespace walrus::wal
