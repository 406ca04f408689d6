// Where the fields of a record batch lie (record_batch.h has the picture).
#pragma once

#include <cstddef>
#include <cstdint>

namespace walrus::protocol::batch_layout {

inline constexpr std::size_t kBaseOffset = 0;
inline constexpr std::size_t kLength = 8;
inline constexpr std::size_t kLeaderEpoch = 12;
inline constexpr std::size_t kMagic = 16;
inline constexpr std::size_t kCrc = 17;
inline constexpr std::size_t kAttributes = 21;
inline constexpr std::size_t kLastOffsetDelta = 23;
inline constexpr std::size_t kBaseTimestamp = 27;
inline constexpr std::size_t kMaxTimestamp = 35;
inline constexpr std::size_t kProducerId = 43;
inline constexpr std::size_t kProducerEpoch = 51;
inline constexpr std::size_t kBaseSequence = 53;
inline constexpr std::size_t kRecordCount = 57;

// The length does not count itself and what is before it; the CRC covers what is behind it.
inline constexpr std::size_t kLengthCountsFrom = kLeaderEpoch;
inline constexpr std::size_t kCrcCoversFrom = kAttributes;

inline constexpr std::uint16_t kCodecMask = 0x07;
inline constexpr std::uint16_t kAppendTimeBit = 0x08;
inline constexpr std::uint16_t kTransactionalBit = 0x10;
inline constexpr std::uint16_t kControlBit = 0x20;

// Two's complement: what a client claims may not overflow into undefined behaviour.
constexpr std::int64_t wrapping_add(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
constexpr std::int64_t wrapping_subtract(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

}  // namespace walrus::protocol::batch_layout
