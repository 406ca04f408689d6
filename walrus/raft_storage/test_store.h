// What the tests of this room share: options for a simulated disk, and Readys made by hand.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "walrus/raft_storage/storage.h"

namespace walrus::raft_storage {

inline constexpr std::uint64_t kTestCluster = 0xC1;
inline constexpr raft::NodeId kTestNode = 3;

// Small files and no threads: every call does its own work.
inline Options inline_options(env::Env& env, Clock& clock, Random& random) {
    Options options;
    options.directory = "node/raft";
    options.cluster = kTestCluster;
    options.node = kTestNode;
    options.file_size_bytes = 64 << 10;
    options.backend = wal::Backend::kDirect;
    options.threading = wal::Threading::kInline;
    options.env = &env;
    options.clock = &clock;
    options.random = &random;
    return options;
}

inline raft::ConfState three_voters() {
    raft::ConfState conf;
    conf.voters = {1, 2, 3};
    return conf;
}

inline raft::Entry command(raft::Index index, raft::Term term, std::string text) {
    return {index, term, raft::EntryKind::kCommand, raft::Payload(std::move(text))};
}

inline std::vector<raft::Entry> commands(raft::Index from, raft::Index to, raft::Term term) {
    std::vector<raft::Entry> entries;
    for (raft::Index i = from; i <= to; ++i) {
        entries.push_back(command(i, term, std::to_string(i) + "@" + std::to_string(term)));
    }
    return entries;
}

// Numbers batches as Raft does.
class ReadyMaker {
public:
    raft::Ready sync(raft::HardState state, std::vector<raft::Entry> entries = {}) {
        raft::Ready ready;
        ready.batch = ++batch_;
        ready.hard_state = state;
        ready.entries = std::move(entries);
        ready.must_sync = true;
        return ready;
    }
    raft::Ready lazy(raft::HardState state) {
        raft::Ready ready = sync(state);
        ready.must_sync = false;
        return ready;
    }
    std::uint64_t last() const { return batch_; }

private:
    std::uint64_t batch_ = 0;
};

// Writes a whole snapshot; the caller hands it to save() or adopt().
inline Result<SnapshotFile> write_snapshot(Storage& store, const raft::SnapshotMeta& meta,
                                           std::string_view body) {
    Result<SnapshotWriter> writer = store.create_snapshot(meta);
    if (!writer) return std::move(writer).error();
    const std::size_t half = body.size() / 2;
    WALRUS_RETURN_IF_ERROR(writer->append(as_bytes(body.substr(0, half))));
    WALRUS_RETURN_IF_ERROR(writer->append(as_bytes(body.substr(half))));
    return writer->finish();
}

// The bytes of a snapshot file of another node.
inline Result<SnapshotFile> receive_snapshot(Storage& store, const raft::SnapshotMeta& meta,
                                             std::string_view bytes) {
    Result<SnapshotReceiver> receiver = store.receive_snapshot(meta);
    if (!receiver) return std::move(receiver).error();
    const std::size_t half = bytes.size() / 2;
    WALRUS_RETURN_IF_ERROR(receiver->append(as_bytes(bytes.substr(0, half))));
    WALRUS_RETURN_IF_ERROR(receiver->append(as_bytes(bytes.substr(half))));
    return receiver->finish();
}

}  // namespace walrus::raft_storage
