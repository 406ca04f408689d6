// Output: the work that this room hands to its driver.  Rules of order: segment_node.h.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "walrus/cluster/command.h"
#include "walrus/cluster/message.h"

namespace walrus::cluster {

// --- writes: one ordered stream per segment; a crash leaves a prefix of it ---

struct PromiseEpoch {
    Epoch epoch = {};

    bool operator==(const PromiseEpoch&) const = default;
};
// Directly behind what was stored before.
struct StoreBatches {
    Mark before = {};
    std::vector<Batch> batches = {};

    bool operator==(const StoreBatches&) const = default;
};
// Drops everything behind `end`, which is a boundary between batches.
struct CutTo {
    Mark end = {};

    bool operator==(const CutTo&) const = default;
};
// The copy goes, with its promises; the last operation of its stream.
struct RemoveCopy {
    bool operator==(const RemoveCopy&) const = default;
};

struct DiskWrite {
    SegmentKey key = {};
    std::uint64_t ticket = 0;  // Rises by one within a segment.
    // How sure it must be before it is reported; a promise is always kDisk.
    Durability durability = Durability::kDisk;
    std::variant<PromiseEpoch, StoreBatches, CutTo, RemoveCopy> operation = {};

    bool operator==(const DiskWrite&) const = default;
};

// --- reads ---

struct DiskRead {
    SegmentKey key = {};
    NodeId for_node = kNobody;  // These two come back unchanged.
    Epoch epoch = {};
    std::uint64_t first = 0;  // A boundary between batches.
    std::uint64_t max_bytes = 0;

    bool operator==(const DiskRead&) const = default;
};
struct DiskReadDone {
    DiskRead request = {};
    bool ok = false;
    ChainHash prev_chain = {};  // Hash at request.first.
    std::vector<Batch> batches = {};
};

// --- answers to the node's own callers ---

enum class AppendOutcome : std::uint8_t {
    kCommitted,       // Durable on the ack quorum, at `offset`.
    kDuplicate,       // It was appended before; `offset` if it is still known.
    kOutcomeUnknown,  // The leader lost its reign; the batch may or may not be there.
    kNotLeader,       // Ask the leader of the topic; nothing was appended.
    kBusy,            // Rolling over or full; nothing was appended, try again.
    kTooLarge,        // It cannot fit into any segment of this topic.
    kOutOfOrder,      // An earlier batch of the producer is missing, says a confirmed leader.
    kProducerFenced,
};

struct AppendDone {
    std::uint64_t request = 0;  // As given to append().
    TopicId topic = 0;
    AppendOutcome outcome = AppendOutcome::kCommitted;
    std::optional<Offset> offset = {};

    bool operator==(const AppendDone&) const = default;
};

// "There was nothing beyond `end` when you asked", or not confirmed: ask the leader again.
struct ReadDone {
    std::uint64_t request = 0;
    TopicId topic = 0;
    bool confirmed = false;
    Offset end = {};

    bool operator==(const ReadDone&) const = default;
};

struct Output {
    std::vector<Message> messages = {};  // Send at once: they promise nothing that is not durable.
    std::vector<DiskWrite> writes = {};
    std::vector<DiskRead> reads = {};
    std::vector<CommandBody> proposals =
        {};  // For the metadata log, if it is still so; may be dropped.
    std::vector<AppendDone> appends = {};
    std::vector<ReadDone> reads_done = {};

    bool empty() const {
        return messages.empty() && writes.empty() && reads.empty() && proposals.empty() &&
               appends.empty() && reads_done.empty();
    }
};

}  // namespace walrus::cluster
