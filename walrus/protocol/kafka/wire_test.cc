#include "walrus/protocol/kafka/wire.h"

#include <gtest/gtest.h>

#include "walrus/protocol/test_hex.h"

namespace walrus::protocol::kafka {
namespace {

constexpr bool kFlexible = true;
constexpr bool kInflexible = false;

template <class T>
Status read_into(T& value, const std::string& bytes, bool is_flexible) {
    Reader reader(as_bytes(bytes), 0, is_flexible);
    reader(value);
    return reader.finish("field");
}

template <class T>
void expect_wire(const T& value, bool is_flexible, std::string_view hex) {
    std::string written;
    Writer(written, 0, is_flexible)(value);
    EXPECT_EQ(to_hex(written), hex);
    T read{};
    const Status status = read_into(read, from_hex(hex), is_flexible);
    EXPECT_TRUE(status) << status.error().to_string();
    EXPECT_TRUE(read == value) << hex;
}

template <class T>
void expect_malformed(bool is_flexible, std::string_view hex, std::string_view why) {
    T value{};
    const Status status = read_into(value, from_hex(hex), is_flexible);
    ASSERT_FALSE(status) << hex;
    EXPECT_EQ(status.error().code, Errc::kInvalidArgument);
    EXPECT_NE(status.error().message.find(why), std::string::npos) << status.error().message;
}

struct Pair {
    std::int8_t first = 0;
    std::string second = {};

    static void fields(auto& io, auto& m) { io(m.first, m.second); }
    bool operator==(const Pair&) const = default;
};

// kafka.apache.org/protocol, section "Protocol Primitive Types".
TEST(KafkaWire, IntegersAreBigEndianInEveryVersion) {
    for (const bool is_flexible : {false, true}) {
        expect_wire(std::int8_t{-2}, is_flexible, "fe");
        expect_wire(std::int16_t{0x0102}, is_flexible, "0102");
        expect_wire(std::int32_t{-2}, is_flexible, "fffffffe");
        expect_wire(std::int64_t{0x0102030405060708}, is_flexible, "0102030405060708");
        expect_wire(std::uint32_t{0xfffefdfc}, is_flexible, "fffefdfc");
        expect_wire(true, is_flexible, "01");
        expect_wire(false, is_flexible, "00");
    }
}

TEST(KafkaWire, StringsAndBytesHaveTheirLengthInFront) {
    expect_wire(std::string("ab"), kInflexible, "00026162");
    expect_wire(std::string(), kInflexible, "0000");
    expect_wire(std::optional<std::string>("ab"), kInflexible, "00026162");
    expect_wire(std::optional<std::string>(), kInflexible, "ffff");
    std::string written;
    Writer(written, 0, kInflexible)(as_bytes("ab"), std::optional<Bytes>());
    EXPECT_EQ(to_hex(written), "000000026162ffffffff");
}

TEST(KafkaWire, CompactLengthsAreOneMoreAndNullIsZero) {
    expect_wire(std::string("ab"), kFlexible, "036162");
    expect_wire(std::string(), kFlexible, "01");
    expect_wire(std::optional<std::string>(), kFlexible, "00");
    expect_wire(std::string(200, 'x'), kFlexible, "c901" + to_hex(std::string(200, 'x')));
    std::string written;
    Writer(written, 0, kFlexible)(as_bytes("ab"), std::optional<Bytes>());
    EXPECT_EQ(to_hex(written), "03616200");
}

TEST(KafkaWire, ArraysCountTheirElements) {
    using Numbers = std::vector<std::int16_t>;
    expect_wire(Numbers{1, 2}, kInflexible, "0000000200010002");
    expect_wire(Numbers{}, kInflexible, "00000000");
    expect_wire(std::optional<Numbers>(), kInflexible, "ffffffff");
    expect_wire(Numbers{1, 2}, kFlexible, "0300010002");
    expect_wire(std::optional<Numbers>(), kFlexible, "00");
    expect_wire(std::optional<Numbers>(Numbers{}), kFlexible, "01");
}

TEST(KafkaWire, StructsOfFlexibleVersionsEndWithTaggedFields) {
    expect_wire(Pair{7, "a"}, kInflexible, "07000161");
    expect_wire(Pair{7, "a"}, kFlexible, "07026100");
    expect_wire(std::vector<Pair>{{7, "a"}, {8, "b"}}, kFlexible, "030702610008026200");
}

TEST(KafkaWire, UnknownTaggedFieldsAreSkipped) {
    Pair pair;
    // Two tags: number 0 with 2 bytes, number 200 with none.
    EXPECT_TRUE(read_into(pair, from_hex("070261 02 0002ffff c80100"), kFlexible));
    EXPECT_EQ(pair, (Pair{7, "a"}));
}

TEST(KafkaWire, AUuidIsSixteenBytes) {
    Uuid uuid{};
    uuid[0] = std::byte{1};
    uuid[15] = std::byte{2};
    expect_wire(uuid, kFlexible, "01000000000000000000000000000002");
    expect_malformed<Uuid>(kFlexible, "010000000000000000000000000000", "ends within");
}

// --- error paths ---

TEST(KafkaWire, WhatEndsWithinAFieldIsRefused) {
    expect_malformed<std::int32_t>(kInflexible, "000000", "ends within");
    expect_malformed<std::string>(kInflexible, "00", "ends within");
    expect_malformed<std::string>(kInflexible, "000361", "length or count");
    expect_malformed<Bytes>(kInflexible, "0000000361", "length or count");
    expect_malformed<std::string>(kFlexible, "", "ends within");
    expect_malformed<std::string>(kFlexible, "0361", "length or count");
    expect_malformed<Pair>(kFlexible, "070261", "ends within");
    expect_malformed<Pair>(kFlexible, "070261010005ff", "ends within");
}

TEST(KafkaWire, NullWhereAValueMustBeIsRefused) {
    expect_malformed<std::string>(kInflexible, "ffff", "null");
    expect_malformed<std::string>(kFlexible, "00", "null");
    expect_malformed<Bytes>(kInflexible, "ffffffff", "null");
    expect_malformed<std::vector<std::int8_t>>(kInflexible, "ffffffff", "null");
}

TEST(KafkaWire, LengthsBelowNullAreRefused) {
    expect_malformed<std::optional<std::string>>(kInflexible, "fffe", "length or count");
    expect_malformed<std::optional<Bytes>>(kInflexible, "80000000", "length or count");
    expect_malformed<std::vector<Pair>>(kInflexible, "fffffffe", "length or count");
}

TEST(KafkaWire, MalformedNumbersAreRefused) {
    expect_malformed<std::string>(kFlexible, "ffffffffff01", "malformed");
    expect_malformed<std::string>(kFlexible, "80", "malformed");
}

TEST(KafkaWire, BytesBehindTheEndAreRefused) {
    expect_malformed<std::int8_t>(kInflexible, "0101", "behind its end");
}

TEST(KafkaWire, ACountThatTheBytesCannotHoldAllocatesNothing) {
    expect_malformed<std::vector<Pair>>(kInflexible, "7fffffff07000161", "length or count");
    expect_malformed<std::vector<Pair>>(kFlexible, "ffffffff0f07026100", "length or count");
    // A count of as many as there are bytes: reading ends where the bytes do.
    std::vector<std::int64_t> numbers;
    EXPECT_FALSE(read_into(numbers, from_hex("0000000a") + std::string(10, 'x'), kInflexible));
    EXPECT_LE(numbers.size(), 2U);
}

}  // namespace
}  // namespace walrus::protocol::kafka
