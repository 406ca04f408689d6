// Strong<Tag>: a 64-bit number with a meaning, which does not turn into another by itself.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace walrus {

template <class Tag>
struct Strong {
    std::uint64_t value = 0;

    constexpr Strong() = default;
    constexpr explicit Strong(std::uint64_t v) : value(v) {}
    // clang-tidy 14 takes the zero inside a defaulted <=> for a null pointer.
    constexpr auto operator<=>(const Strong&) const = default;  // NOLINT(modernize-use-nullptr)
    constexpr Strong operator+(std::uint64_t n) const { return Strong{value + n}; }
    // Distance between two positions.  `other` must not be ahead.
    constexpr std::uint64_t operator-(Strong other) const { return value - other.value; }
};

// 0-based record number in a topic, dense.
using Offset = Strong<struct OffsetTag>;
// Byte position in a shard's log.
using Lsn = Strong<struct LsnTag>;

}  // namespace walrus

template <class Tag>
struct std::hash<walrus::Strong<Tag>> {
    std::size_t operator()(walrus::Strong<Tag> s) const noexcept {
        return std::hash<std::uint64_t>{}(s.value);
    }
};
