// Record: one entry of a copy's stream in the engine's log, and its bytes.
//
//   identity  01 version cluster node disk                          in the file `identity`, with
//   CRC promise   02 epoch batch     03 length bytes chain records producer(id epoch seq)
//   preamble_size preamble data cut       04 length bytes chain removed   05
//
// Little-endian; numbers are u64, but for records, preamble_size and seq (u32) and the producer's
// epoch (u16).  Length, bytes and chain are the mark before the batch, or where the cut ends.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/cluster/output.h"

namespace walrus::replica_store {

inline constexpr std::uint8_t kFormatVersion = 1;

// Whose disk it is.
struct Identity {
    std::uint64_t cluster = 0;
    cluster::NodeId node = cluster::kNobody;
    cluster::DiskId disk = 0;

    bool operator==(const Identity&) const = default;
};

struct StoredBatch {
    cluster::Mark before = {};
    cluster::Batch batch = {};

    bool operator==(const StoredBatch&) const = default;
};

using Record =
    std::variant<Identity, cluster::PromiseEpoch, StoredBatch, cluster::CutTo, cluster::RemoveCopy>;

// Of a batch's record without preamble and data.
inline constexpr std::size_t kBatchHeaderBytes = 47;

std::string encode(const Record& record);
// Without a copy of the batch first.
std::string encode_batch(const cluster::Mark& before, const cluster::Batch& batch);
// kCorruption: no record of this version.
Result<Record> decode(Bytes bytes);

}  // namespace walrus::replica_store
