// Kafka record batches, version 2: the unit in which records are produced, stored and served.
//
//    0 base_offset i64        23 last_offset_delta i32    51 producer_epoch i16
//    8 length i32 (size-12)   27 base_timestamp i64       53 base_sequence i32
//   12 leader_epoch i32       35 max_timestamp i64        57 record_count i32
//   16 magic i8 = 2           43 producer_id i64          61 records, perhaps compressed
//   17 crc u32 = CRC-32C of byte 21 to the end            21 attributes i16
//
// Big-endian.  Attributes: bits 0-2 codec, 3 the timestamp is that of the append, 4 transactional,
// 5 control.  base_offset and leader_epoch lie before the CRC's range, so a batch is stored and
// served as it came; only these two are rewritten.
#pragma once

#include <cstdint>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/protocol/compression.h"

namespace walrus::protocol {

inline constexpr std::size_t kBatchHeaderBytes = 61;
inline constexpr std::int8_t kBatchMagic = 2;

// A view of one batch; the bytes outlive it.  parse() guarantees a whole header, the length, the
// magic and a known codec, and nothing more: ask verify() before anything is believed.
class RecordBatchView {
public:
    // The batch at the front of `bytes`; more may follow at size_bytes().
    // kCorruption: too few bytes, or a length that cannot be.
    // kUnsupported: another magic or an unknown codec.
    static Result<RecordBatchView> parse(Bytes bytes);

    // The one batch that `bytes` are.  kInvalidArgument: something follows it.
    static Result<RecordBatchView> parse_only(Bytes bytes);

    // kCorruption: the CRC differs.
    // kInvalidArgument: an intact batch that makes no sense: no record, a count that differs from
    // the offsets' span.  Records are not looked into; check_records() does (record_reader.h).
    Status verify() const;

    Bytes bytes() const { return bytes_; }
    std::size_t size_bytes() const { return bytes_.size(); }
    Bytes records() const { return bytes_.subspan(kBatchHeaderBytes); }

    std::int64_t base_offset() const;
    std::int64_t last_offset() const;  // Inclusive, as Kafka has it.
    std::int32_t leader_epoch() const;
    std::int32_t record_count() const;
    std::int64_t base_timestamp() const;
    std::int64_t max_timestamp() const;
    Compression compression() const;
    bool has_append_time() const;  // Every record's time is max_timestamp().
    bool is_transactional() const;
    bool is_control() const;           // Written by brokers; a client may not send it.
    std::int64_t producer_id() const;  // -1: not idempotent; then so are the next two.
    std::int16_t producer_epoch() const;
    std::int32_t base_sequence() const;

private:
    explicit RecordBatchView(Bytes bytes) : bytes_(bytes) {}

    std::int16_t attributes() const;
    std::uint32_t crc() const;
    std::int32_t last_offset_delta() const;

    Bytes bytes_;  // Exactly one batch.
};

// Gives a batch its place in the log.  `batch` begins with one that was parsed; the CRC stays
// right.
void place_batch(MutableBytes batch, std::int64_t base_offset, std::int32_t leader_epoch);

// Makes `timestamp_ms` the time of every record and renews the CRC.  `batch` is exactly one that
// was parsed.
void set_append_time(MutableBytes batch, std::int64_t timestamp_ms);

}  // namespace walrus::protocol
