// Where a store keeps its things, and how it uses the engine.  Private to the room.
//
//   <directory>/wal/        the engine's log
//   <directory>/snapshots/  <serial>.snap, and *.tmp while they are written
#pragma once

#include <cstdint>
#include <string>

#include "walrus/base/result.h"
#include "walrus/raft_storage/storage.h"

namespace walrus::raft_storage {

Options with_real_seams(Options options);
Status check(const Options& options);

std::string log_directory(const Options& options);
std::string snapshot_directory(const Options& options);
std::string snapshot_path(const Options& options, std::uint64_t serial);

wal::Options log_options(const Options& options);
// Of the records of one frame.
std::uint64_t max_frame_bytes(const Options& options);

// Ok when there is a log; kNotFound is no_store().
Status expect_log(const Options& options);
Result<bool> has_snapshots(const Options& options);

Error no_store(const Options& options);
Error exists_already(const Options& options);

}  // namespace walrus::raft_storage
