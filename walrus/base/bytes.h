// Little-endian loads and stores, and the byte span used everywhere.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace walrus {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

static_assert(std::endian::native == std::endian::little,
              "the stored formats are little-endian and this code copies integers as they are");

// Unaligned little-endian load and store; the caller guarantees sizeof(T) readable bytes.
template <class T>
T load_le(const std::byte* from) {
    static_assert(std::is_unsigned_v<T>);
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

template <class T>
void store_le(std::byte* to, T value) {
    static_assert(std::is_unsigned_v<T>);
    std::memcpy(to, &value, sizeof value);
}

inline Bytes as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline std::string_view as_text(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
    return (value + alignment - 1) / alignment * alignment;
}

constexpr std::uint64_t align_down(std::uint64_t value, std::uint64_t alignment) {
    return value / alignment * alignment;
}

}  // namespace walrus
