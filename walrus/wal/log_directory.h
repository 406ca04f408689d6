// LogDirectory: the directory of a log: its lock, its FORMAT file and what the disk under it can
// do.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "walrus/wal/format.h"
#include "walrus/wal/options.h"

namespace walrus::wal {

// The backend in use, after kAuto was decided.
struct ChosenBackend {
    Backend backend = Backend::kBuffered;
    bool direct = false;
    bool mapped = false;
    bool uring = false;
};

// Holds the directory's lock as long as it lives.
class LogDirectory {
public:
    // Where the log of these options lies.
    static std::string path_of(const Options& options);

    // Locks the log's directory.  With `create` an absent log is made; otherwise it is kNotFound.
    // kUnsupported: another format version; kInvalidArgument: it has another number of shards than
    // asked for; kBusy: locked.  Nothing is created or changed on those errors.
    static Result<std::unique_ptr<LogDirectory>> open(const Options& options, bool create);

    const std::string& path() const { return path_; }
    const LogFormat& format() const { return format_; }
    std::string shard_path(std::uint32_t shard) const;

private:
    LogDirectory(std::string path, LogFormat format, std::unique_ptr<env::File> lock)
        : path_(std::move(path)), format_(format), lock_(std::move(lock)) {}

    std::string path_;
    LogFormat format_;
    std::unique_ptr<env::File> lock_;
};

// Tries what `options` allow on the directory's file system; kAuto falls back and logs one line.
Result<ChosenBackend> choose_backend(const Options& options, const std::string& directory);

}  // namespace walrus::wal
