// Big-endian loads and stores: the order of Kafka's integers.
#pragma once

#include "walrus/base/bytes.h"

namespace walrus::protocol {

template <class T>
T reverse_bytes(T value) {
    static_assert(std::is_unsigned_v<T>);
    if constexpr (sizeof(T) == 1) return value;
    if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
    if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
    if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
}

// Unaligned; signed and unsigned.  The caller guarantees sizeof(T) bytes.
template <class T>
T load_be(const std::byte* from) {
    return static_cast<T>(reverse_bytes(load_le<std::make_unsigned_t<T>>(from)));
}

template <class T>
void store_be(std::byte* to, T value) {
    store_le(to, reverse_bytes(static_cast<std::make_unsigned_t<T>>(value)));
}

}  // namespace walrus::protocol
