// The records of a Raft store's log, and their bytes.  Format: walrus/spec/raft_storage.md.
//
// Every record is one record of the topic kTopic in the engine's log, which checks its bytes and
// keeps the records of one batch together.  What the records mean: stored_state.h.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/raft/message.h"

namespace walrus::raft_storage {

inline constexpr std::string_view kTopic = "raft";
inline constexpr std::uint32_t kFormatVersion = 1;

// Whose log it is.  Random numbers, never 0.
struct Identity {
    std::uint64_t cluster = 0;
    raft::NodeId node = raft::kNobody;
    // Drawn when the store was made, so that a node that lost its disk cannot pass for itself.
    std::uint64_t disk = 0;

    bool operator==(const Identity&) const = default;
};

// A durable snapshot.  Index 0 has no file: there `meta` is the first configuration.
struct SnapshotFile {
    std::uint64_t serial = 0;  // Names the file; never used twice in a store.  0: no file.
    raft::SnapshotMeta meta = {};
    std::uint64_t size_bytes = 0;  // Of the file.
    std::uint32_t crc = 0;         // Of its body.

    bool operator==(const SnapshotFile&) const = default;
};

// From here to the CheckpointEnd: everything that is kept, anew.  What came before is superfluous
// once the end is there.
struct CheckpointBegin {
    std::uint32_t format = kFormatVersion;
    Identity identity = {};
    std::uint64_t boot = 0;  // Openings of the store so far.

    bool operator==(const CheckpointBegin&) const = default;
};

struct CheckpointEnd {
    std::uint64_t entries = 0;  // In the checkpoint.

    bool operator==(const CheckpointEnd&) const = default;
};

// A snapshot of this node's own state machine; entries before `first_kept` are given up.
struct SnapshotSaved {
    SnapshotFile file = {};
    raft::Index first_kept = 0;

    bool operator==(const SnapshotSaved&) const = default;
};

// A received snapshot replaces the whole log.
struct SnapshotInstalled {
    SnapshotFile file = {};

    bool operator==(const SnapshotInstalled&) const = default;
};

// Entries from `from` on are given up.
struct Truncate {
    raft::Index from = 0;

    bool operator==(const Truncate&) const = default;
};

// The order is part of the encoding: the type byte is the position, counted from 1.
using Record = std::variant<CheckpointBegin, CheckpointEnd, raft::HardState, SnapshotSaved,
                            SnapshotInstalled, Truncate, raft::Entry>;

std::string encode(const Record& record);
// kCorruption: not a record.  Whether it fits what came before is for StoredState to say.
Result<Record> decode(Bytes bytes);

// Bytes that a record of an entry has beyond the entry's payload.
inline constexpr std::uint64_t kEntryOverheadBytes = 23;

}  // namespace walrus::raft_storage
