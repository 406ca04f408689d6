// From what the log returns to what a fetch is answered with: batches with their base offset and
// leader epoch in place.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "walrus/broker/types.h"
#include "walrus/wal/record.h"

namespace walrus::broker {

// Fills pieces, owner and size_bytes of `to`.  A large batch is not copied but for its first
// bytes; small ones are put side by side.  kCorruption: a stored blob is not a batch.
Status place_batches(wal::RecordBatch stored, std::int32_t leader_epoch, FetchedBatches& to);

// A stored batch, and what its head shall say.
struct StoredBatch {
    Offset offset;
    std::int32_t leader_epoch = 0;
    Bytes data;
};
// The same for batches from anywhere; `owner` keeps their data alive.
Status place_batches(const std::vector<StoredBatch>& stored, std::shared_ptr<const void> owner,
                     FetchedBatches& to);

}  // namespace walrus::broker
