// Variable-length integers: seven bits a byte, the lowest first, the top bit says "more follows".
// Signed ones are zig-zag coded: 0, -1, 1, -2, ... become 0, 1, 2, 3, ...
#pragma once

#include <optional>
#include <string>

#include "walrus/base/bytes.h"

namespace walrus::protocol {

// Takes a number from the front of `left`.  Nothing when the bytes end in it or when it does not
// fit into T; `left` is then unspecified.
template <class T>
std::optional<T> take_uvarint(Bytes& left) {
    static_assert(std::is_unsigned_v<T>);
    constexpr unsigned kBits = sizeof(T) * 8;
    T value = 0;
    for (unsigned shift = 0; shift < kBits && !left.empty(); shift += 7) {
        const auto byte = static_cast<unsigned>(left.front());
        const auto bits = static_cast<T>(byte & 0x7F);
        left = left.subspan(1);
        if (shift > kBits - 7 && bits >> (kBits - shift) != 0) return std::nullopt;
        value = static_cast<T>(value | static_cast<T>(bits << shift));
        if (byte < 0x80) return value;
    }
    return std::nullopt;
}

template <class T>
std::optional<T> take_varint(Bytes& left) {
    using Unsigned = std::make_unsigned_t<T>;
    const std::optional<Unsigned> coded = take_uvarint<Unsigned>(left);
    if (!coded) return std::nullopt;
    const auto sign = static_cast<Unsigned>(-static_cast<T>(*coded & 1));
    return static_cast<T>(static_cast<Unsigned>(*coded >> 1) ^ sign);
}

template <class T>
void put_uvarint(std::string& out, T value) {
    static_assert(std::is_unsigned_v<T>);
    for (; value >= 0x80; value = static_cast<T>(value >> 7))
        out += static_cast<char>((value & 0x7F) | 0x80);
    out += static_cast<char>(value);
}

template <class T>
void put_varint(std::string& out, T value) {
    using Unsigned = std::make_unsigned_t<T>;
    const auto sign = static_cast<Unsigned>(value < 0 ? ~Unsigned{0} : Unsigned{0});
    put_uvarint(out, static_cast<Unsigned>(static_cast<Unsigned>(value) << 1 ^ sign));
}

}  // namespace walrus::protocol
