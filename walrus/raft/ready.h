// Ready: the work that Raft hands to its driver.  Order and durability rules: raft.h.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "walrus/raft/message.h"

namespace walrus::raft {

enum class Role : std::uint8_t { kFollower, kPreCandidate, kCandidate, kLeader };

// What a node finds in its storage when it starts.  A node of a new cluster starts with the agreed
// first configuration in `snapshot.conf` at index 0; one that will join starts with nothing.
struct Restored {
    HardState hard_state = {};
    SnapshotMeta snapshot = {};
    std::vector<Entry> entries = {};  // Contiguous; may begin before the snapshot's index.
    Index applied = 0;                // What the state machine has; at least snapshot.index.
};

// A read that may be served once the state machine has applied `index`.
struct ReadState {
    ReadId id = 0;
    Index index = 0;

    bool operator==(const ReadState&) const = default;
};

// The leader wants bytes of its snapshot to send them; answer with Raft::provide_chunk().
struct SnapshotRead {
    NodeId to = kNobody;
    Index snapshot_index = 0;
    std::uint64_t offset = 0;
    std::uint64_t max_bytes = 0;

    bool operator==(const SnapshotRead&) const = default;
};

// Received bytes of a snapshot.  Offset 0 starts a new file and discards an unfinished one; an
// `install` of the same Ready comes first.  After the piece with `done`, answer with
// Raft::snapshot_received().
struct SnapshotPiece {
    SnapshotMeta meta = {};
    std::uint64_t offset = 0;
    bool done = false;
    Payload data = {};
};

struct Ready {
    std::uint64_t batch = 0;  // For persisted(); 0: there is nothing to persist or to promise.

    // To persist, in this order; a crash may leave any prefix of it.
    std::optional<HardState> hard_state;
    std::optional<SnapshotMeta> install =
        {};                      // The received snapshot replaces state machine and log.
    std::vector<Entry> entries;  // Replace whatever is stored from entries.front().index on.
    bool must_sync = false;      // False: nothing here is needed to keep a promise.

    std::vector<Message> messages;  // Promise nothing: send at once.
    std::vector<Message> messages_after_persist =
        {};  // Send once this and all earlier batches persist.

    std::vector<Entry> committed;  // To apply, in order; then applied().
    std::vector<ReadState> reads;
    std::vector<ReadId> failed_reads;  // Will not be served; ask again, perhaps elsewhere.
    std::vector<SnapshotRead> snapshot_reads;
    std::vector<SnapshotPiece> snapshot_pieces;

    bool empty() const {
        return batch == 0 && messages.empty() && committed.empty() && reads.empty() &&
               failed_reads.empty() && snapshot_reads.empty() && snapshot_pieces.empty();
    }
};

// What became of a propose().
struct Proposed {
    bool forwarded = false;  // Passed to `leader`; index and term are not known.
    NodeId leader = kNobody;
    Index index = 0;
    Term term = 0;
};

enum class ProposalOutcome : std::uint8_t {
    kPending,    // This node still leads that term.
    kCommitted,  // It will be or has been applied, exactly at its index.
    kLost,       // Another entry is committed at its index: it never was and never will be applied.
    kUnknown,    // It may still be committed by a later leader.  Never report it as failed.
};

}  // namespace walrus::raft
