// Batch: what is appended atomically to a segment, and the hash that chains batches.
#pragma once

#include <cstdint>

#include "walrus/cluster/payload.h"
#include "walrus/cluster/types.h"

namespace walrus::cluster {

// Names a batch for ever: the producer, its incarnation, and the number of the first record.
struct ProducerStamp {
    ProducerId id = 0;  // 0: not idempotent, and the other two mean nothing.
    std::uint16_t epoch = 0;
    std::uint32_t first_sequence = 0;  // Below 2^31, where it wraps around.

    bool operator==(const ProducerStamp&) const = default;
};

struct Batch {
    std::uint32_t records = 0;  // At least 1.
    ProducerStamp producer = {};
    // Only in the first batch of a segment: the producers' state before it (producer_table.h), so
    // that a segment explains itself when its predecessors are gone.
    Payload preamble = {};
    Payload data = {};

    bool operator==(const Batch&) const = default;
};

// What a batch costs in windows and limits: its bytes and a flat charge for the rest.
inline std::uint64_t cost_bytes(const Batch& batch) {
    return batch.data.size() + batch.preamble.size() + 64;
}

// The hash of a segment without batches.
ChainHash chain_start(const SegmentKey& key);
// The hash after one more batch.  It covers everything in the batch and everything before it.
ChainHash chain_after(ChainHash before, const Batch& batch);

// A boundary between batches.
struct Mark {
    std::uint64_t length = 0;  // Records before it.
    std::uint64_t bytes = 0;   // Of their data.
    ChainHash chain = {};

    bool operator==(const Mark&) const = default;
};
Mark mark_after(const Mark& before, const Batch& batch);

}  // namespace walrus::cluster
