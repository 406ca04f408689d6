#include "walrus/member/settings.h"

#include <algorithm>
#include <utility>

namespace walrus::member {
namespace {

constexpr const char* kRaftDirectory = "raft";
constexpr const char* kReplicasDirectory = "replicas";

Error no_member(const MemberOptions& options) {
    return {Errc::kNotFound,
            options.directory + ": no member is here; bootstrap a cluster or join one"};
}

}  // namespace

MemberOptions with_real_seams(MemberOptions options) {
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

Status check(const MemberOptions& options) {
    const char* wrong = nullptr;
    if (options.directory.empty()) wrong = "the directory is empty";
    if (options.id == cluster::kNobody) wrong = "the node's id is 0";
    if (options.peer_address.empty()) wrong = "the peer address is empty";
    if (options.tick_ms == 0) wrong = "tick_ms is 0";
    if (options.election_ticks < 2) wrong = "election_ticks is below 2";
    if (options.suspect_ticks == 0 || options.monitor_ticks == 0) wrong = "a tick count is 0";
    if (options.snapshot_entries == 0) wrong = "snapshot_entries is 0";
    const std::string* const addresses[] = {&options.peer_address, &options.text_address,
                                            &options.kafka_address};
    if (std::ranges::any_of(addresses, [](const std::string* address) {
            return address->size() > cluster::kMaxAddressBytes;
        })) {
        wrong = "an address is too long";
    }
    if (wrong == nullptr) return {};
    return Error{Errc::kInvalidArgument, std::string("member options: ") + wrong};
}

raft_storage::Options raft_store_options(const MemberOptions& options, std::uint64_t cluster) {
    raft_storage::Options store;
    store.directory = env::join_path(options.directory, kRaftDirectory);
    store.cluster = cluster;
    store.node = options.id;
    store.file_size_bytes = std::min<std::uint64_t>(store.file_size_bytes, options.log_file_bytes);
    store.backend = options.backend;
    store.threading = options.threading;
    store.env = options.env;
    store.clock = options.clock;
    store.random = options.random;
    return store;
}

replica_store::Options replica_store_options(const MemberOptions& options, std::uint64_t cluster) {
    replica_store::Options store;
    store.directory = env::join_path(options.directory, kReplicasDirectory);
    store.cluster = cluster;
    store.node = options.id;
    store.file_size_bytes = options.log_file_bytes;
    store.ring_size_bytes = options.ring_size_bytes;
    store.backend = options.backend;
    store.threading = options.threading;
    store.env = options.env;
    store.clock = options.clock;
    store.random = options.random;
    return store;
}

raft::Options raft_options(const MemberOptions& options) {
    raft::Options raft;
    raft.id = options.id;
    raft.election_ticks = options.election_ticks;
    raft.trailing_entries = options.snapshot_entries / 2;
    raft.auto_promote = true;
    return raft;
}

cluster::SegmentNodeOptions segment_options(const MemberOptions& options) {
    cluster::SegmentNodeOptions node;
    node.id = options.id;
    node.controller.suspect_ticks = options.suspect_ticks;
    node.controller.monitor_ticks = options.monitor_ticks;
    return node;
}

Status expect_unused(const MemberOptions& options) {
    const auto names = options.env->list(options.directory);
    if (!names && names.error().code == Errc::kNotFound) return {};
    if (!names) return names.error();
    for (const char* store : {kRaftDirectory, kReplicasDirectory}) {
        if (std::ranges::find(*names, store) == names->end()) continue;
        return Error{Errc::kAlreadyExists, options.directory +
                                               ": a store is here whose member file is gone; use "
                                               "an empty directory and another node id"};
    }
    return {};
}

Result<MemberFile> read_made_member(const MemberOptions& options) {
    Result<std::optional<MemberFile>> file = read_member_file(*options.env, options.directory);
    if (!file) return std::move(file).error();
    if (!*file || (*file)->phase != MemberPhase::kMade) return no_member(options);
    if ((*file)->node == options.id) return **std::move(file);
    return Error{Errc::kInvalidArgument,
                 options.directory + ": belongs to node " + std::to_string((*file)->node) +
                     ", not to node " + std::to_string(options.id) + "; use the right directory"};
}

}  // namespace walrus::member
