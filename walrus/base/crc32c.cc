#include "walrus/base/crc32c.h"

#include <isa-l/crc.h>

namespace walrus {

std::uint32_t crc32c(Bytes data, std::uint32_t crc) {
    // ISA-L takes an int length and neither pre- nor post-inverts; its input is not written to.
    constexpr std::size_t kMaxPiece = std::size_t{1} << 30;
    std::uint32_t state = ~crc;
    auto* at = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(data.data()));
    for (std::size_t left = data.size(); left > 0;) {
        const std::size_t piece = left < kMaxPiece ? left : kMaxPiece;
        state = crc32_iscsi(at, static_cast<int>(piece), state);
        at += piece;
        left -= piece;
    }
    return ~state;
}

}  // namespace walrus
