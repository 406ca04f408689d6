// CRC-32C (Castagnoli, RFC 3720 section 12.1; iSCSI polynomial), computed by ISA-L.
#pragma once

#include <cstdint>

#include "walrus/base/bytes.h"

namespace walrus {

// CRC-32C of `data`.  `crc` is the result for the bytes before it (0 to begin), so that
// crc32c(b, crc32c(a)) == crc32c(a followed by b).  Any thread.
std::uint32_t crc32c(Bytes data, std::uint32_t crc = 0);

}  // namespace walrus
