#include "walrus/broker/offset_record.h"

#include <gtest/gtest.h>

#include "walrus/broker/group_offsets.h"

namespace walrus::broker {
namespace {

std::string hex_of(std::string_view bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    for (const char c : bytes) {
        hex += kDigits[static_cast<unsigned char>(c) >> 4];
        hex += kDigits[static_cast<unsigned char>(c) & 15];
    }
    return hex;
}

OffsetCommit at(std::string topic, std::int32_t partition, std::uint64_t offset) {
    return {std::move(topic), partition, {.offset = Offset{offset}}};
}

OffsetRecord sample() {
    return {.kind = OffsetRecordKind::kCommit,
            .name = "g1",
            .offsets = {{"t",
                         3,
                         {.offset = Offset{258},
                          .leader_epoch = 7,
                          .metadata = "me",
                          .commit_time_ms = 1'700'000'000'000}}}};
}

// walrus/spec/offset_store.md
constexpr std::string_view kGolden =
    "0101"
    "00026731"
    "00000001"
    "000174"
    "00000003"
    "0000000000000102"
    "00000007"
    "0000018bcfe56800"
    "00026d65";

TEST(OffsetRecord, ACommitHasTheBytesOfTheSpecification) {
    EXPECT_EQ(hex_of(encode(sample())), kGolden);
}

TEST(OffsetRecord, ForgettingHasTheBytesOfTheSpecification) {
    EXPECT_EQ(hex_of(encode({.kind = OffsetRecordKind::kForgetGroup, .name = "g"})),
              "010200016700000000");
    EXPECT_EQ(hex_of(encode({.kind = OffsetRecordKind::kForgetTopic, .name = "t"})),
              "010300017400000000");
}

TEST(OffsetRecord, WhatIsWrittenIsRead) {
    const auto read = decode_offset_record(as_bytes(encode(sample())));
    ASSERT_TRUE(read) << read.error().to_string();
    EXPECT_EQ(read->kind, OffsetRecordKind::kCommit);
    EXPECT_EQ(read->name, "g1");
    ASSERT_EQ(read->offsets.size(), 1u);
    EXPECT_EQ(read->offsets[0].topic, "t");
    EXPECT_EQ(read->offsets[0].partition, 3);
    EXPECT_EQ(read->offsets[0].committed.offset, Offset{258});
    EXPECT_EQ(read->offsets[0].committed.leader_epoch, 7);
    EXPECT_EQ(read->offsets[0].committed.metadata, "me");
    EXPECT_EQ(read->offsets[0].committed.commit_time_ms, 1'700'000'000'000u);
}

TEST(OffsetRecord, OneOffsetTakesNoMoreThanIsReckoned) {
    const OffsetRecord one = sample();
    OffsetRecord none = one;
    none.offsets.clear();
    EXPECT_LE(encode(one).size() - encode(none).size(), encoded_bytes(one.offsets[0]));
}

// --- error paths ---

TEST(OffsetRecord, EveryCutAndEveryByteTooManyIsCorruption) {
    const std::string whole = encode(sample());
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_EQ(decode_offset_record(as_bytes(whole).first(size)).error().code, Errc::kCorruption)
            << size;
    EXPECT_EQ(decode_offset_record(as_bytes(whole + '\0')).error().code, Errc::kCorruption);
}

TEST(OffsetRecord, ANewerVersionIsNamed) {
    std::string other = encode(sample());
    other[0] = 2;
    const auto read = decode_offset_record(as_bytes(other));
    EXPECT_EQ(read.error().code, Errc::kUnsupported);
    EXPECT_NE(read.error().message.find("version 2"), std::string::npos);
}

TEST(OffsetRecord, UnknownKindsAndNegativeNumbersAreCorruption) {
    const auto damaged = [](std::size_t position, char value) {
        std::string bytes = encode(sample());
        bytes[position] = value;
        return decode_offset_record(as_bytes(bytes));
    };
    EXPECT_EQ(damaged(1, 4).error().code, Errc::kCorruption);    // A kind.
    EXPECT_EQ(damaged(1, 2).error().code, Errc::kCorruption);    // Forgetting with offsets.
    EXPECT_EQ(damaged(13, -1).error().code, Errc::kCorruption);  // Its partition.
    EXPECT_EQ(damaged(17, -1).error().code, Errc::kCorruption);  // Its offset.
    EXPECT_TRUE(damaged(25, -1)) << "an epoch may be -1: not known";
}

TEST(OffsetRecord, WhatCannotBeStoredIsRefused) {
    const auto refused = [](OffsetRecord record) {
        const Status status = check(record);
        return !status && status.error().code == Errc::kInvalidArgument;
    };
    OffsetRecord record = sample();
    EXPECT_FALSE(refused(record));
    record.name.assign(kMaxOffsetNameBytes + 1, 'x');
    EXPECT_TRUE(refused(record));
    record = sample();
    record.offsets[0].topic.clear();
    EXPECT_TRUE(refused(record));
    record = sample();
    record.offsets[0].partition = -1;
    EXPECT_TRUE(refused(record));
    record = sample();
    record.offsets[0].committed.offset = Offset{std::uint64_t{1} << 63};
    EXPECT_TRUE(refused(record));
    record = sample();
    record.offsets[0].committed.metadata.assign(kMaxOffsetMetadataBytes + 1, 'x');
    EXPECT_TRUE(refused(record));
}

// --- what the records say together ---

TEST(GroupOffsets, TheLastCommitOfAPartitionCounts) {
    GroupOffsets offsets;
    offsets.apply({.name = "g", .offsets = {at("t", 0, 5), at("t", 1, 6)}});
    offsets.apply({.name = "g", .offsets = {at("t", 0, 2)}});
    EXPECT_EQ(offsets.find("g", "t", 0)->offset, Offset{2});
    EXPECT_EQ(offsets.find("g", "t", 1)->offset, Offset{6});
    EXPECT_EQ(offsets.size(), 2u);
    EXPECT_FALSE(offsets.find("g", "t", 2));
    EXPECT_FALSE(offsets.find("h", "t", 0));
}

TEST(GroupOffsets, AForgottenTopicIsGoneFromEveryGroup) {
    GroupOffsets offsets;
    offsets.apply({.name = "g", .offsets = {at("t", 0, 5), at("t", 7, 5), at("ta", 0, 6)}});
    offsets.apply({.name = "h", .offsets = {at("t", 0, 5)}});
    offsets.apply({.kind = OffsetRecordKind::kForgetTopic, .name = "t"});
    EXPECT_EQ(offsets.groups(), std::vector<std::string>{"g"});
    ASSERT_EQ(offsets.of_group("g").size(), 1u);
    EXPECT_EQ(offsets.of_group("g")[0].topic, "ta");
    EXPECT_EQ(offsets.size(), 1u);
}

TEST(GroupOffsets, RecordsSayTheSameAgainInPiecesOfTheGivenSize) {
    GroupOffsets offsets;
    for (std::uint64_t i = 0; i < 1000; ++i)
        offsets.apply(
            {.name = "g" + std::to_string(i % 7),
             .offsets = {at("t" + std::to_string(i % 13), static_cast<std::int32_t>(i), i)}});
    GroupOffsets again;
    for (const OffsetRecord& record : offsets.records(500)) {
        EXPECT_LE(encode(record).size(), 600u);
        again.apply(record);
    }
    EXPECT_EQ(again.groups(), offsets.groups());
    EXPECT_EQ(again.size(), 1000u);
    for (const std::string& group : offsets.groups()) {
        const auto left = offsets.of_group(group);
        const auto right = again.of_group(group);
        ASSERT_EQ(left.size(), right.size());
        for (std::size_t i = 0; i < left.size(); ++i)
            EXPECT_EQ(left[i].committed.offset, right[i].committed.offset);
    }
}

}  // namespace
}  // namespace walrus::broker
