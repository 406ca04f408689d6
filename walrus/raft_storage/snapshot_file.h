// Snapshot files: one file per snapshot, whole and checked, or not there.  Format:
// walrus/spec/raft_storage.md.
//
// A file is written under a temporary name, synced, renamed, and its directory synced; the log
// names it only afterwards.  Between nodes the file travels as it is, header included, so that the
// receiver checks what the sender's state machine wrote and not what the network brought.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/env/env.h"
#include "walrus/raft_storage/record.h"

namespace walrus::raft_storage {

inline constexpr std::string_view kSnapshotSuffix = ".snap";
inline constexpr std::string_view kUnfinishedSuffix = ".tmp";

// 16 hexadecimal digits and a suffix.
std::string snapshot_name(std::uint64_t serial, std::string_view suffix);

struct SnapshotPlace {
    env::Env* env = nullptr;
    std::string directory;
    std::uint64_t cluster = 0;
    std::uint64_t serial = 0;
};

// Writes the snapshot of this node's state machine, in pieces.  One thread at a time, which need
// not be the store's.  What was not finished is removed by the destructor, or when the store opens.
class SnapshotWriter {
public:
    static Result<SnapshotWriter> create(SnapshotPlace place, raft::SnapshotMeta meta);
    ~SnapshotWriter();
    SnapshotWriter(SnapshotWriter&&) = default;
    SnapshotWriter& operator=(SnapshotWriter&&) = delete;

    Status append(Bytes body);
    // Makes it durable, file and directory.  Hand the result to Storage::save().
    Result<SnapshotFile> finish();

private:
    SnapshotWriter(SnapshotPlace place, raft::SnapshotMeta meta);

    SnapshotPlace place_;
    std::unique_ptr<env::File> file_;  // Null: finished or given up.
    SnapshotFile written_;
    std::string encoded_meta_;
};

// Takes the bytes of another node's snapshot file.  As SnapshotWriter otherwise.
class SnapshotReceiver {
public:
    static Result<SnapshotReceiver> create(SnapshotPlace place, raft::SnapshotMeta meta);
    ~SnapshotReceiver();
    SnapshotReceiver(SnapshotReceiver&&) = default;
    SnapshotReceiver& operator=(SnapshotReceiver&&) = delete;

    Status append(Bytes bytes);
    // Makes it durable.  Hand the result to Storage::adopt().
    // kCorruption: not the whole file of that snapshot and this cluster; it was removed.
    Result<SnapshotFile> finish();

private:
    SnapshotReceiver(SnapshotPlace place, raft::SnapshotMeta meta);

    SnapshotPlace place_;
    raft::SnapshotMeta meta_;
    std::unique_ptr<env::File> file_;  // Null: finished or given up.
    std::uint64_t size_bytes_ = 0;
};

// Reads a snapshot file.  Thread-safe.  Goes on working when the file is given up meanwhile.
class SnapshotReader {
public:
    // Reads all of it once.  kCorruption: it is damaged, or not the snapshot of that cluster.
    static Result<SnapshotReader> open(env::Env& env, const std::string& path,
                                       std::uint64_t cluster);

    // What its header says; the serial is not part of it.
    const SnapshotFile& info() const { return info_; }
    std::uint64_t body_size() const { return info_.size_bytes - body_at_; }
    // Up to `max_bytes` of the state machine's bytes; fewer only at the end.
    Result<std::string> read_body(std::uint64_t position, std::uint64_t max_bytes) const;
    // The same of the whole file.
    Result<std::string> read_file(std::uint64_t position, std::uint64_t max_bytes) const;

private:
    SnapshotReader() = default;
    Status read_header(std::uint64_t cluster);
    Status check_body() const;
    Error damaged(const std::string& cause) const;

    std::string path_;
    std::shared_ptr<env::File> file_;
    SnapshotFile info_;
    std::uint64_t body_at_ = 0;
};

}  // namespace walrus::raft_storage
