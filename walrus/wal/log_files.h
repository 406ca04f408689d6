// LogFiles: the files of one shard's log, and the only code that creates, renames or removes them.
//
// File n holds lsn [n, n + 1) * file_size.  Live files are numbered without gaps.  A file is made
// ready under a temporary name (allocated, written once when the log syncs every group, headed,
// synced) and then renamed, so a file that has its name has a valid header.  Files given up become
// spares, which are made ready again without new allocation.
//
// None of this runs on the commit path: see committer.h.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "walrus/base/random.h"
#include "walrus/base/result.h"
#include "walrus/base/strong.h"
#include "walrus/env/env.h"

namespace walrus::wal {

// An open log file.  Kept open by whoever holds it; recycling waits for nobody (recycle_first).
struct LogFile {
    std::uint64_t number = 0;
    std::uint32_t epoch = 0;  // From its header.
    std::unique_ptr<env::File> file;
};

struct LogFilesConfig {
    env::Env* env = nullptr;
    Random* random = nullptr;
    std::string directory;
    std::uint32_t shard = 0;
    std::uint64_t file_size = 0;
    bool direct = false;     // Open with O_DIRECT.
    bool mapped = false;     // Write through mappings.
    bool zero_fill = false;  // Write new files once before use: durable writes need it to be fast.
    std::uint32_t spare_files = 0;
    // For looking only: nothing is cleared away, files open read-only and may be missing.
    bool offline = false;
};

// Thread-safe; prepare() and recycle_first() are called by one thread at a time.
class LogFiles {
public:
    // Lists the directory and clears away what a crash left half made.
    // kCorruption: a file in the middle is missing (not when config.offline).
    static Result<std::unique_ptr<LogFiles>> open(LogFilesConfig config);

    const LogFilesConfig& config() const { return config_; }
    bool empty() const;
    std::uint64_t first() const;  // Numbers of the live files; not when empty().
    std::uint64_t last() const;
    std::vector<std::uint64_t> numbers() const;  // Of the live files, ascending.
    Lsn base(std::uint64_t number) const { return Lsn{number * config_.file_size}; }
    std::uint64_t number_of(Lsn lsn) const { return lsn.value / config_.file_size; }

    // Opens a live file (or takes it from the open ones).
    Result<std::shared_ptr<LogFile>> open_file(std::uint64_t number);

    // Makes file `number` (last() + 1, or any for an empty log) ready and live.  `proceed` is
    // asked between chunks of work; false gives up with kClosed.
    // kNoSpace: the disk is full; nothing of the attempt stays.
    Status prepare(std::uint64_t number, const std::function<bool()>& proceed);

    // Gives up the first file; it becomes a spare, or is removed when there are spares enough or a
    // reader still has it open.
    Status recycle_first();
    // Gives up files `number` and later, which hold nothing: what was made ready before a crash.
    Status discard_from(std::uint64_t number);

private:
    explicit LogFiles(LogFilesConfig config) : config_(std::move(config)) {}
    std::string path(const std::string& name) const;
    Result<std::unique_ptr<env::File>> open_env_file(const std::string& name, bool create) const;
    Result<bool> take_spare(const std::string& as);
    Status fill(env::File& file, const std::function<bool()>& proceed) const;
    Status give_up(std::uint64_t number, bool reusable);
    // Drops our handle; true when nobody else has the file open.
    bool forget_handle(std::uint64_t number);

    const LogFilesConfig config_;
    mutable std::mutex mutex_;
    std::set<std::uint64_t> live_;
    std::set<std::uint64_t> spares_;
    std::uint64_t next_spare_ = 0;
    std::list<std::shared_ptr<LogFile>> handles_;             // Most recently used first.
    std::map<std::uint64_t, std::weak_ptr<LogFile>> opened_;  // Whoever holds them.
};

}  // namespace walrus::wal
