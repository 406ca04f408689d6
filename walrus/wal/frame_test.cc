// Walking frames: every kind, and everything that must not be taken for a frame.
#include "walrus/wal/frame.h"

#include <gtest/gtest.h>

#include "walrus/base/crc32c.h"
#include "walrus/wal/test_frames.h"

namespace walrus::wal {
namespace {

FrameStatus parse(const FrameCursor& cursor, Bytes bytes) {
    Frame frame;
    std::uint64_t needed = 0;
    return cursor.parse(bytes, frame, needed);
}

std::vector<std::string> records_of(const Frame& frame) {
    std::vector<std::string> records;
    const auto body = BatchBody::parse(frame);
    EXPECT_TRUE(body);
    if (body)
        body->for_each(0, [&](std::uint32_t, Bytes record) {
            records.emplace_back(as_text(record));
            return true;
        });
    return records;
}

TEST(FrameCursor, WalksEveryKindOfFrame) {
    StagedLog log;
    log.control(ControlKind::kCreateTopic, "t", 1);
    log.append(1, 0, {"one"});
    log.append(1, 1, {"two"});
    log.append(1, 2, {"a", "", "b"});
    log.append(1, 5, {"six"});
    log.staging().pad_to_block();
    log.append(1, 6, {""});
    log.staging().seal(Lsn{77});

    const std::vector<Frame> frames = log.walk();
    ASSERT_EQ(frames.size(), 8U);
    EXPECT_EQ(log.walked(), log.staging().end());
    EXPECT_EQ(frames[0].header.control, ControlKind::kCreateTopic);
    EXPECT_EQ(as_text(frames[0].body), "t");
    EXPECT_FALSE(frames[1].is_short);
    EXPECT_TRUE(frames[2].is_short);
    EXPECT_EQ(frames[2].header.first_offset, Offset{1});
    EXPECT_EQ(frames[2].header.topic_id, 1U);
    EXPECT_EQ(records_of(frames[2]), std::vector<std::string>{"two"});
    EXPECT_EQ(records_of(frames[3]), (std::vector<std::string>{"a", "", "b"}));
    EXPECT_TRUE(frames[4].is_short);  // A batch of three is continued as well.
    EXPECT_EQ(frames[4].header.first_offset, Offset{5});
    EXPECT_EQ(frames[5].header.type, FrameType::kPad);
    EXPECT_FALSE(frames[6].is_short);  // Behind a pad.
    EXPECT_EQ(records_of(frames[6]), std::vector<std::string>{""});
    EXPECT_EQ(frames[7].header.type, FrameType::kSeal);
    EXPECT_EQ(frames[7].header.durable_upto, Lsn{77});
    EXPECT_EQ(frames[7].header.lsn + frames[7].size, Lsn{1 << 20});
}

TEST(FrameCursor, AReignSwitchesTheEpochOfWhatFollows) {
    StagedLog log;
    log.append(1, 0, {"old"});
    std::byte epoch[4];
    store_le<std::uint32_t>(epoch, 0xFEEDFACE);
    log.control(ControlKind::kReign, as_text(epoch));
    log.append(1, 1, {"new"});
    log.append(1, 2, {"newer"});
    const std::vector<Frame> frames = log.walk();
    ASSERT_EQ(frames.size(), 4U);
    EXPECT_EQ(frames[1].header.epoch, kTestEpoch);
    EXPECT_EQ(frames[2].header.epoch, 0xFEEDFACE);
    EXPECT_EQ(frames[3].header.epoch, 0xFEEDFACE);

    // A walker that missed the reign believes nothing behind it.
    const FrameCursor unaware(frames[2].header.lsn, kTestEpoch, 1 << 20);
    EXPECT_EQ(parse(unaware, log.bytes(frames[2].header.lsn)), FrameStatus::kInvalid);
}

TEST(FrameCursor, AsksForTheBytesThatAreMissing) {
    StagedLog log;
    log.append(1, 0, {std::string(100, 'x')});
    const Bytes whole = log.bytes(Lsn{kFileHeaderSize});
    for (std::size_t had = 0; had < whole.size(); ++had) {
        Frame frame;
        std::uint64_t needed = 0;
        const FrameStatus status = log.cursor().parse(whole.first(had), frame, needed);
        if (had >= kFullHeaderSize + 100) {
            EXPECT_EQ(status, FrameStatus::kOk);  // The rest is alignment.
        } else {
            ASSERT_EQ(status, FrameStatus::kNeedMore) << had;
            EXPECT_GT(needed, had);
            EXPECT_LE(needed, whole.size());
        }
    }
}

TEST(FrameCursor, ZeroLengthRecordsAreRecords) {
    StagedLog log;
    log.append(1, 0, {""});
    log.append(1, 1, {""});
    log.append(1, 2, {"", "", ""});
    const std::vector<Frame> frames = log.walk();
    ASSERT_EQ(frames.size(), 3U);
    EXPECT_EQ(frames[1].size, kShortHeaderSize);
    EXPECT_EQ(records_of(frames[2]).size(), 3U);
}

// --- error paths ---

TEST(FrameCursor, AFullFrameWithAnyHeaderOrBodyBitFlippedIsInvalid) {
    StagedLog log;
    log.append(1, 0, {"hello", "world"});
    const Bytes whole = log.bytes(Lsn{kFileHeaderSize});
    std::vector<std::byte> bytes(whole.begin(), whole.end());
    const std::size_t checked = kFullHeaderSize + 4 * 2 + 10;
    for (std::size_t bit = 0; bit < 8 * checked; ++bit) {
        bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
        EXPECT_EQ(parse(log.cursor(), bytes), FrameStatus::kInvalid) << "bit " << bit;
        bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    }
    EXPECT_EQ(parse(log.cursor(), bytes), FrameStatus::kOk);
}

TEST(FrameCursor, AShortFrameWithAnyBitFlippedIsNotTaken) {
    StagedLog log;
    log.append(1, 0, {"first"});
    const Staging::Placed placed = log.append(1, 1, {"second"});
    FrameCursor cursor = log.cursor();
    cursor.advance(log.walk()[0]);
    const Bytes whole = log.bytes(placed.lsn);
    std::vector<std::byte> bytes(whole.begin(), whole.end());
    ASSERT_EQ(parse(cursor, bytes), FrameStatus::kOk);
    for (std::size_t bit = 0; bit < 8 * (kShortHeaderSize + 6); ++bit) {
        bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
        EXPECT_NE(parse(cursor, bytes), FrameStatus::kOk) << "bit " << bit;
        bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    }
}

TEST(FrameCursor, AFrameIsValidOnlyWhereItStandsAndInItsEpoch) {
    StagedLog log;
    log.append(1, 0, {"here"});
    const Bytes bytes = log.bytes(Lsn{kFileHeaderSize});
    EXPECT_EQ(parse(FrameCursor(Lsn{kFileHeaderSize}, kTestEpoch, 1 << 20), bytes),
              FrameStatus::kOk);
    EXPECT_EQ(parse(FrameCursor(Lsn{kFileHeaderSize + 8}, kTestEpoch, 1 << 20), bytes),
              FrameStatus::kInvalid);
    EXPECT_EQ(parse(FrameCursor(Lsn{kFileHeaderSize + (1 << 20)}, kTestEpoch, 1 << 20), bytes),
              FrameStatus::kInvalid);
    EXPECT_EQ(parse(FrameCursor(Lsn{kFileHeaderSize}, kTestEpoch + 1, 1 << 20), bytes),
              FrameStatus::kInvalid);
}

TEST(FrameCursor, AShortFrameNeedsTheBatchItContinues) {
    StagedLog log;
    log.append(1, 0, {"first"});
    const Staging::Placed placed = log.append(1, 1, {"second"});
    const FrameCursor entered(placed.lsn, kTestEpoch, 1 << 20);  // In the middle of a run.
    EXPECT_EQ(parse(entered, log.bytes(placed.lsn)), FrameStatus::kInvalid);
}

TEST(FrameCursor, LengthsThatLeaveTheFileAreNeverFollowed) {
    constexpr std::uint64_t kFile = 64 << 10;
    const FrameCursor cursor(Lsn{kFile - 128}, kTestEpoch, kFile);
    std::byte bytes[256] = {};
    FrameHeader header;
    header.epoch = kTestEpoch;
    header.lsn = cursor.lsn();
    header.record_count = 1;
    for (const std::uint32_t length : {65U, 1U << 20, 0xFFFFFFFFU}) {
        header.body_length = length;
        encode_full_header(header, bytes);
        EXPECT_EQ(parse(cursor, bytes), FrameStatus::kInvalid) << length;
    }
    header.body_length = 64;
    header.body_crc = crc32c(Bytes{bytes}.subspan(64, 64));
    encode_full_header(header, bytes);
    EXPECT_EQ(parse(cursor, bytes), FrameStatus::kOk);

    encode_short_header(kShortPadMark, {kTestEpoch, cursor.lsn(), 0, Offset{}}, 121, 0, bytes);
    EXPECT_EQ(parse(cursor, bytes), FrameStatus::kInvalid);
    encode_short_header(kShortPadMark, {kTestEpoch, cursor.lsn(), 0, Offset{}}, 120, 0, bytes);
    EXPECT_EQ(parse(cursor, bytes), FrameStatus::kOk);

    // No room for a full header at all.
    const FrameCursor last(Lsn{kFile - 56}, kTestEpoch, kFile);
    header.lsn = last.lsn();
    encode_full_header(header, bytes);
    EXPECT_EQ(parse(last, bytes), FrameStatus::kInvalid);
}

TEST(FrameCursor, ABatchWithoutRecordsIsInvalid) {
    std::byte bytes[kFullHeaderSize];
    FrameHeader header;
    header.epoch = kTestEpoch;
    header.lsn = Lsn{kFileHeaderSize};
    encode_full_header(header, bytes);
    EXPECT_EQ(parse(FrameCursor(header.lsn, kTestEpoch, 1 << 20), bytes), FrameStatus::kInvalid);
}

TEST(FrameCursor, AnUncheckedBodyIsStillOfTheRightLength) {
    StagedLog log;
    log.append(1, 0, {"hello", "world"});
    const Bytes whole = log.bytes(Lsn{kFileHeaderSize});
    std::vector<std::byte> bytes(whole.begin(), whole.end());
    bytes[kFullHeaderSize + 12] ^= std::byte{1};
    Frame frame;
    std::uint64_t needed = 0;
    EXPECT_EQ(log.cursor().parse(bytes, frame, needed, false), FrameStatus::kOk);
    EXPECT_EQ(log.cursor().parse(bytes, frame, needed, true), FrameStatus::kInvalid);
}

TEST(BatchBody, RefusesLengthsThatDoNotAddUp) {
    std::byte body[24] = {};
    Frame frame;
    frame.body = body;
    frame.header.record_count = 2;
    const auto parsed = [&](std::uint32_t a, std::uint32_t b) {
        store_le(body, a);
        store_le(body + 4, b);
        return BatchBody::parse(frame).has_value();
    };
    EXPECT_TRUE(parsed(7, 9));
    EXPECT_TRUE(parsed(0, 16));
    EXPECT_FALSE(parsed(7, 8));
    EXPECT_FALSE(parsed(7, 10));
    EXPECT_FALSE(parsed(0xFFFFFFFF, 17));
    frame.header.record_count = 7;  // The table alone is longer than the body.
    EXPECT_FALSE(BatchBody::parse(frame));
    frame.header.record_count = 0xFFFFFFFF;
    EXPECT_FALSE(BatchBody::parse(frame));
}

TEST(BatchBody, VisitsFromTheRecordAskedForUntilToldToStop) {
    StagedLog log;
    log.append(1, 0, {"a", "b", "c", "d"});
    const auto body = BatchBody::parse(log.walk()[0]);
    ASSERT_TRUE(body);
    std::string seen;
    body->for_each(1, [&](std::uint32_t i, Bytes record) {
        seen += as_text(record);
        return i < 2;
    });
    EXPECT_EQ(seen, "bc");
}

}  // namespace
}  // namespace walrus::wal
