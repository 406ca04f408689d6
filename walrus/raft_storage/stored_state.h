// StoredState: what the records of a store mean.  Replay and the running store use the same code,
// so that what is remembered is what would be read.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "walrus/base/result.h"
#include "walrus/raft/message.h"
#include "walrus/raft/ready.h"
#include "walrus/raft_storage/record.h"

namespace walrus::raft_storage {

// One thread.  Payloads are shared with Raft, so an entry costs some 50 bytes here.
class StoredState {
public:
    // Takes the next record.  kCorruption: it cannot follow what came before; nothing was changed.
    Status apply(Record record);

    // True once a whole checkpoint was seen; what is below means nothing before.
    bool complete() const { return complete_; }
    // A checkpoint has begun and not ended: only its records may come next.
    bool in_checkpoint() const { return next_.has_value(); }

    const Identity& identity() const { return now_.identity; }
    std::uint64_t boot() const { return now_.boot; }
    const raft::HardState& hard_state() const { return now_.hard_state; }
    const SnapshotFile& snapshot() const { return now_.snapshot; }
    const std::deque<raft::Entry>& entries() const { return now_.entries; }
    raft::Index last_index() const { return now_.last_index(); }
    // About what a checkpoint takes.
    std::uint64_t live_bytes() const { return now_.entry_bytes; }

    raft::Restored restored() const;
    // Calls `emit` for every record of a checkpoint of this state; stops at the first error.
    Status checkpoint(const Identity& identity, std::uint64_t boot,
                      const std::function<Status(Record)>& emit) const;

private:
    struct Contents {
        Identity identity;
        std::uint64_t boot = 0;
        raft::HardState hard_state;
        SnapshotFile snapshot;
        std::deque<raft::Entry> entries;  // Contiguous; may begin before the snapshot's index.
        std::uint64_t entry_bytes = 0;
        bool in_checkpoint = false;

        raft::Index last_index() const {
            return entries.empty() ? snapshot.meta.index : entries.back().index;
        }
        void drop_back();
        void drop_front();

        Status apply(raft::HardState state);
        Status apply(SnapshotSaved saved);
        Status apply(SnapshotInstalled installed);
        Status apply(Truncate truncate);
        Status apply(raft::Entry entry);
        // Only StoredState itself knows what to do with these.
        Status apply(CheckpointBegin begin);
        Status apply(CheckpointEnd end);
    };

    Status finish(CheckpointEnd end);

    Contents now_;
    std::optional<Contents> next_;  // Of the checkpoint that is being read or written.
    bool complete_ = false;
};

}  // namespace walrus::raft_storage
