// What a batch must be to be appended, wherever it will be stored.
#pragma once

#include <cstdint>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/cluster/batch.h"
#include "walrus/protocol/record_batch.h"

namespace walrus::broker {

// What is known of a batch that may be stored.
struct CheckedBatch {
    Bytes bytes;
    std::uint32_t records = 0;
    cluster::ProducerStamp producer;
};

// Looks at what a client sent.  kCorruption: the CRC differs; kInvalidArgument, kUnsupported: not a
// batch that a client may send; kTooLarge.
Result<CheckedBatch> check_batch(Bytes batch, std::uint64_t max_message_bytes);

// Who made a batch that was checked or stored.
cluster::ProducerStamp stamp_of(const protocol::RecordBatchView& batch);

}  // namespace walrus::broker
