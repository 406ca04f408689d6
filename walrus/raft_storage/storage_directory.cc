#include "walrus/raft_storage/storage_directory.h"

#include <algorithm>
#include <utility>

#include "walrus/wal/format.h"

namespace walrus::raft_storage {
namespace {

constexpr std::uint32_t kMaxFrameRecords = 1 << 20;

}  // namespace

Options with_real_seams(Options options) {
    wal::Options seams;
    seams.env = options.env;
    seams.clock = options.clock;
    seams.random = options.random;
    seams = wal::with_real_seams(std::move(seams));
    options.env = seams.env;
    options.clock = seams.clock;
    options.random = seams.random;
    return options;
}

Status check(const Options& options) {
    const char* wrong = nullptr;
    if (options.directory.empty()) wrong = "directory is empty";
    if (options.cluster == 0) wrong = "cluster is 0";
    if (options.node == raft::kNobody) wrong = "node is 0";
    if (wrong != nullptr) {
        return Error{Errc::kInvalidArgument, std::string("raft store options: ") + wrong};
    }
    return log_options(options).validate();
}

std::string log_directory(const Options& options) {
    return env::join_path(options.directory, "wal");
}

std::string snapshot_directory(const Options& options) {
    return env::join_path(options.directory, "snapshots");
}

std::string snapshot_path(const Options& options, std::uint64_t serial) {
    return env::join_path(snapshot_directory(options), snapshot_name(serial, kSnapshotSuffix));
}

std::uint64_t max_frame_bytes(const Options& options) {
    return options.file_size_bytes / 4;
}

wal::Options log_options(const Options& options) {
    wal::Options log;
    log.data_dir = log_directory(options);
    log.durability = wal::DurabilityClass::kDisk;
    log.backend = options.backend;
    log.file_size = log.ring_size = options.file_size_bytes;
    log.shards = 1;
    log.spare_files = 1;
    log.read_ahead_bytes = std::min<std::uint64_t>(log.read_ahead_bytes, options.file_size_bytes);
    log.limits.max_batch_bytes = log.limits.max_record_bytes = max_frame_bytes(options);
    log.limits.max_batch_records = kMaxFrameRecords;
    log.threading = options.threading;
    log.env = options.env;
    log.clock = options.clock;
    log.random = options.random;
    return log;
}

Status expect_log(const Options& options) {
    env::OpenFlags flags;
    flags.read_only = true;
    const auto file =
        options.env->open(env::join_path(log_directory(options), wal::kFormatFileName), flags);
    if (file) return {};
    return file.error().code == Errc::kNotFound ? no_store(options) : file.error();
}

Result<bool> has_snapshots(const Options& options) {
    const auto names = options.env->list(snapshot_directory(options));
    if (!names && names.error().code == Errc::kNotFound) return false;
    if (!names) return names.error();
    return std::any_of(names->begin(), names->end(),
                       [](const std::string& name) { return name.ends_with(kSnapshotSuffix); });
}

Error no_store(const Options& options) {
    return {Errc::kNotFound, options.directory +
                                 ": no raft store here; a node that lost its disk must join as "
                                 "another node"};
}

Error exists_already(const Options& options) {
    return {Errc::kAlreadyExists,
            options.directory + ": there is a raft store; give the new node another directory"};
}

}  // namespace walrus::raft_storage
