// The records inside a batch.
//
//   record  length varint | attributes i8 | timestamp delta varlong | offset delta varint |
//           key length varint | key | value length varint | value | header count varint | headers
//   header  key length varint | key | value length varint | value
//
// Numbers are zig-zag varints; a length of -1 means null.  `length` counts what follows it.
#pragma once

#include <memory>
#include <string>

#include "walrus/base/result.h"
#include "walrus/protocol/record.h"
#include "walrus/protocol/record_batch.h"

namespace walrus::protocol {

// Decompressed records larger than this are refused where the caller has no limit of its own.
inline constexpr std::size_t kMaxDecompressedBytes = std::size_t{64} << 20;

// One thread at a time.  What was decompressed belongs to the reader, so records are valid until
// the reader is destroyed, and no longer than the batch.
class RecordReader {
public:
    // kCorruption, kTooLarge: as decompress() says.
    static Result<RecordReader> open(const RecordBatchView& batch,
                                     std::size_t max_bytes = kMaxDecompressedBytes);

    // Puts the next record into `record` and answers true, or false when there is no other.
    // kCorruption: the bytes are not what the header promised; the reader is then at its end.
    Result<bool> next(Record& record);

private:
    explicit RecordReader(const RecordBatchView& batch);

    RecordBatchView batch_;
    std::unique_ptr<const std::string> decompressed_;  // Does not move when the reader does.
    Bytes left_;
    std::int32_t read_ = 0;  // Records taken so far.
};

// Walks every record.  kCorruption: one is malformed, out of order, or the count is wrong.
Status check_records(const RecordBatchView& batch, std::size_t max_bytes = kMaxDecompressedBytes);

}  // namespace walrus::protocol
