// LogWalk: goes through the log of a shard that nobody has open, from a file on to the log's end,
// around damage.  What verify.h is made of; nothing is changed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "walrus/wal/log_directory.h"
#include "walrus/wal/log_files.h"
#include "walrus/wal/log_index.h"
#include "walrus/wal/log_reader.h"
#include "walrus/wal/topic_table.h"
#include "walrus/wal/verify.h"

namespace walrus::wal {

// Locks the log and looks at it.
class OfflineLog {
public:
    // kNotFound: no log there.  kBusy: somebody has it open.
    static Result<std::unique_ptr<OfflineLog>> open(const Options& options);

    env::Env& env() const { return *options_.env; }
    const LogDirectory& directory() const { return *directory_; }
    std::uint32_t shards() const { return directory_->format().shards; }

private:
    explicit OfflineLog(Options options) : options_(std::move(options)) {}

    const Options options_;  // Seams resolved.
    std::unique_ptr<LogDirectory> directory_;
};

// One of its shards: the files, and a copy of what the ring holds.
struct OfflineShard {
    static Result<OfflineShard> open(const OfflineLog& log, std::uint32_t number);

    std::string path_of(std::uint64_t file) const;
    std::string index_path_of(std::uint64_t file) const;

    std::uint32_t number = 0;
    std::string directory;
    std::unique_ptr<LogFiles> files;        // Offline.
    std::unique_ptr<env::MappedRing> ring;  // Null: there is none.
};

// What a walk finds, in log order.
class WalkVisitor {
public:
    virtual ~WalkVisitor() = default;
    // A valid frame; `table` is as all before it have left it.  False: stop the walk.
    virtual bool frame(const Frame& frame, const LogReader& reader, const TopicTable& table) = 0;
    // Something is wrong; `table` is as the frames before it have left it.  The walk goes on with
    // the next file unless it is a torn tail.  `head`: the file does not begin with the whole
    // table.
    virtual void damage(const Damage& damage, bool head, const TopicTable& table) = 0;
    // Everything from the beginning of a file to its end was walked.
    virtual void left(const FileIndex& index) = 0;
    // No frame follows.
    virtual void end(const TopicTable& table) = 0;
};

class LogWalk {
public:
    LogWalk(OfflineShard& shard, WalkVisitor& visitor)
        : shard_(shard),
          visitor_(visitor),
          files_(*shard.files),
          reader_(files_, shard.ring.get()) {}

    // Walks from the beginning of live file `number`.
    // kIo and the like: something could not be read.
    Status run(std::uint64_t number);

private:
    enum class Step { kFrame, kDamage, kStop };

    Result<Step> step();
    Result<Step> enter_file();
    Result<Step> tail();
    Result<Step> take(const Frame& frame);
    Status apply(const Frame& frame);
    Step report(Lsn at, bool acknowledged, const std::string& what);

    OfflineShard& shard_;
    WalkVisitor& visitor_;
    LogFiles& files_;
    LogReader reader_;
    TopicTable table_;
    std::unique_ptr<IndexBuilder> builder_;       // Of the file being walked.
    std::optional<std::uint64_t> snapshot_file_;  // The last one whose snapshot was whole.
    Lsn damaged_;
};

}  // namespace walrus::wal
