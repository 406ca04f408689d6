// Payload: records that prove themselves when they are read back.
//
// Layout, little-endian; the rest of the record is incompressible bytes.
//
//    0      4       8           16        24          32         36           40
//    | magic| writer|  sequence |  run id | sent at ns | body crc | header crc | body ...
//
// The body repeats after some hundred records of a writer (never within one append), so that
// making a record costs a few nanoseconds; its checksum is computed once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "walrus/base/bytes.h"

namespace walrus::harness {

inline constexpr std::size_t kPayloadHeaderBytes = 40;

// Which record this is.  `run_id` tells records of different repetitions apart.
struct RecordIdentity {
    std::uint32_t writer = 0;
    std::uint64_t sequence = 0;
    std::uint64_t run_id = 0;
    std::uint64_t sent_ns = 0;  // On the sender's monotonic clock: when it should have been sent.
};

enum class PayloadState { kIntact, kDamagedBody, kDamagedHeader };

// `identity` is set unless the header is damaged.
PayloadState inspect_payload(Bytes record, RecordIdentity& identity);

// As inspect_payload without looking at any checksum: for readers that are being timed.  False:
// this is no record of ours.
bool identify_payload(Bytes record, RecordIdentity& identity);

// What one writer's records look like.
struct PayloadShape {
    std::uint64_t seed = 0;
    std::uint64_t run_id = 0;
    std::uint32_t writer = 0;
    std::uint64_t bytes = 0;      // At least kPayloadHeaderBytes.
    std::uint64_t bytes_max = 0;  // Sizes are uniform in [bytes, bytes_max]; 0: all of `bytes`.
    std::uint32_t batch = 1;      // The most records asked for at once.
};

// Makes one writer's records.  Used by one thread at a time.
class PayloadStream {
public:
    explicit PayloadStream(const PayloadShape& shape);

    // The next `count` records (at most `batch`), valid until the next call.
    std::span<const Bytes> next(std::uint32_t count, std::uint64_t sent_ns);
    // Sequence number of the next record.
    std::uint64_t sequence() const { return sequence_; }

private:
    void stamp(std::size_t slot, std::uint64_t sequence, std::uint64_t sent_ns);

    const std::uint64_t run_id_;
    const std::uint32_t writer_;
    const std::size_t slot_bytes_;  // The largest record, rounded up to a cache line.
    std::uint64_t sequence_ = 0;
    std::size_t next_slot_ = 0;
    std::vector<std::byte> storage_;
    std::vector<std::uint32_t> body_crcs_;
    std::vector<Bytes> slots_;  // Each slot's record.
};

}  // namespace walrus::harness
