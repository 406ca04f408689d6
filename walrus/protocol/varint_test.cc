#include "walrus/protocol/varint.h"

#include <gtest/gtest.h>

#include <limits>

#include "walrus/protocol/test_hex.h"

namespace walrus::protocol {
namespace {

template <class T>
std::optional<T> take_whole(std::string_view hex) {
    const std::string bytes = from_hex(hex);
    Bytes left = as_bytes(bytes);
    const std::optional<T> value = take_varint<T>(left);
    return left.empty() ? value : std::nullopt;
}

template <class T>
void expect_varint(T value, std::string_view hex) {
    std::string bytes;
    put_varint(bytes, value);
    EXPECT_EQ(to_hex(bytes), hex);
    EXPECT_EQ(take_whole<T>(hex), value);
}

// From the Protocol Buffers encoding guide, section "Signed integers", and the limits.
TEST(Varint, SignedNumbersAreZigZagCoded) {
    expect_varint<std::int32_t>(0, "00");
    expect_varint<std::int32_t>(-1, "01");
    expect_varint<std::int32_t>(1, "02");
    expect_varint<std::int32_t>(-64, "7f");
    expect_varint<std::int32_t>(64, "8001");
    expect_varint<std::int32_t>(std::numeric_limits<std::int32_t>::max(), "feffffff0f");
    expect_varint<std::int32_t>(std::numeric_limits<std::int32_t>::min(), "ffffffff0f");
    expect_varint<std::int64_t>(-2, "03");
    expect_varint<std::int64_t>(std::numeric_limits<std::int64_t>::max(), "feffffffffffffffff01");
    expect_varint<std::int64_t>(std::numeric_limits<std::int64_t>::min(), "ffffffffffffffffff01");
}

TEST(Varint, UnsignedNumbersAreSevenBitsAByte) {
    std::string bytes;
    put_uvarint(bytes, std::uint32_t{300});
    EXPECT_EQ(to_hex(bytes), "ac02");
    Bytes left = as_bytes(bytes);
    EXPECT_EQ(take_uvarint<std::uint32_t>(left), 300U);
    EXPECT_TRUE(left.empty());
}

TEST(Varint, WhatEndsEarlyOrDoesNotFitIsRefused) {
    EXPECT_FALSE(take_whole<std::int32_t>(""));
    EXPECT_FALSE(take_whole<std::int32_t>("80"));
    EXPECT_FALSE(take_whole<std::int32_t>("ffffffff1f"));
    EXPECT_FALSE(take_whole<std::int32_t>("ffffffff8f00"));
    EXPECT_FALSE(take_whole<std::int64_t>("ffffffffffffffffff03"));
}

}  // namespace
}  // namespace walrus::protocol
