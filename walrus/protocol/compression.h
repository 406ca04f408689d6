// What compressed the records of a batch, and how to undo it.
#pragma once

#include <cstdint>
#include <string>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"

namespace walrus::protocol {

// As in bits 0 to 2 of a batch's attributes.
enum class Compression : std::uint8_t { kNone = 0, kGzip = 1, kSnappy = 2, kLz4 = 3, kZstd = 4 };

// The bytes that were compressed.  Snappy comes raw (librdkafka) or in the frames of snappy-java.
// Memory follows what was really decompressed, never what the input claims.
//
// kCorruption: the input is damaged, cut short, or goes on behind its end.
// kTooLarge: more than `max_bytes` would come out.
Result<std::string> decompress(Compression codec, Bytes input, std::size_t max_bytes);

}  // namespace walrus::protocol
