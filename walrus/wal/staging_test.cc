// What Staging builds, FrameCursor walks.
#include "walrus/wal/staging.h"

#include <gtest/gtest.h>

#include "walrus/base/random.h"
#include "walrus/testing/seed.h"
#include "walrus/wal/test_frames.h"

namespace walrus::wal {
namespace {

TEST(Staging, WhatItBuildsIsWalkedBack) {
    SeededRandom random(testing::test_seed());
    StagedLog log(4 << 20, 64 << 20);
    struct Expected {
        std::uint32_t topic;
        std::uint64_t offset;
        std::vector<std::string> records;
    };
    std::vector<Expected> expected;
    std::uint64_t ends[3] = {};
    while (log.staging().end() < Lsn{2 << 20}) {
        const auto topic = static_cast<std::uint32_t>(random.below(3));
        std::vector<std::string> records(random.chance(1, 4) ? 1 + random.below(5) : 1);
        for (std::string& record : records)
            record.assign(random.below(random.chance(1, 20) ? 50'000 : 300), 'a');
        log.append(topic, ends[topic], records);
        expected.push_back({topic, ends[topic], records});
        ends[topic] += records.size();
        if (random.chance(1, 10)) log.staging().pad_to_block();
        if (random.chance(1, 10)) log.control(ControlKind::kMark, "", topic);
    }
    std::size_t i = 0;
    for (const Frame& frame : log.walk()) {
        if (frame.header.type != FrameType::kBatch) continue;
        ASSERT_LT(i, expected.size());
        EXPECT_EQ(frame.header.topic_id, expected[i].topic);
        EXPECT_EQ(frame.header.first_offset, Offset{expected[i].offset});
        const auto body = BatchBody::parse(frame);
        ASSERT_TRUE(body);
        ASSERT_EQ(body->size(), expected[i].records.size());
        body->for_each(0, [&](std::uint32_t n, Bytes record) {
            EXPECT_EQ(as_text(record), expected[i].records[n]);
            return true;
        });
        ++i;
    }
    EXPECT_EQ(i, expected.size());
    EXPECT_EQ(log.walked(), log.staging().end());
}

TEST(Staging, AFrameThatWrapsTheRingIsContiguous) {
    constexpr std::uint64_t kRing = 64 << 10;
    StagedLog log(kRing);
    log.start(Lsn{kRing - 40});
    log.append(1, 0, {std::string(1000, 'w')});
    log.append(1, 1, {"next"});
    const std::vector<Frame> frames = log.walk();
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(as_text(frames[0].body), std::string(1000, 'w'));
    // The second half of the header is at the ring's beginning.
    EXPECT_EQ(log.at(Lsn{kRing}), log.at(Lsn{2 * kRing}));
}

TEST(Staging, HoldsOnlyTheLastLap) {
    constexpr std::uint64_t kRing = 64 << 10;
    StagedLog log(kRing);
    for (std::uint64_t i = 0; i < 100; ++i) log.append(1, i, {std::string(1000, 'x')});
    const Lsn end = log.staging().end();
    EXPECT_TRUE(log.staging().holds(Lsn{end.value - kRing}));
    EXPECT_FALSE(log.staging().holds(Lsn{end.value - kRing - 8}));
    EXPECT_FALSE(log.staging().holds(end));
}

TEST(Staging, SealsAtEveryRemainingSize) {
    constexpr std::uint64_t kFile = 64 << 10;
    for (std::uint64_t left = 0; left <= 4096 + 128; left += 8) {
        SCOPED_TRACE("left " + std::to_string(left));
        StagedLog log(256 << 10, kFile);
        const std::uint64_t body = kFile - kFileHeaderSize - kFullHeaderSize - left;
        log.append(1, 0, {std::string(body, 's')});
        ASSERT_EQ(log.staging().left_in_file(), left);
        const Lsn written = log.staging().seal(Lsn{});
        EXPECT_EQ(log.staging().end(), Lsn{kFile});
        EXPECT_EQ(written.value % env::kBlockSize, 0U);
        EXPECT_LE(written, Lsn{kFile});
        EXPECT_GE(written.value + left, kFile);  // The last frame's block is written whole.
        const std::vector<Frame> frames = log.walk();
        EXPECT_EQ(log.walked(), Lsn{kFile});
        ASSERT_EQ(frames.size(), left == 0 ? 1U : 2U);
        if (left == 0) continue;
        EXPECT_EQ(frames[1].header.type,
                  left < kFullHeaderSize ? FrameType::kPad : FrameType::kSeal);
    }
}

TEST(Staging, GoesOnBehindTheHeaderOfTheNextFile) {
    constexpr std::uint64_t kFile = 64 << 10;
    StagedLog log(256 << 10, kFile);
    log.append(1, 0, {"in file 0"});
    log.staging().seal(Lsn{});
    log.staging().enter_file(kTestEpoch);
    const Staging::Placed placed = log.append(1, 1, {"in file 1"});
    EXPECT_EQ(placed.lsn, Lsn{kFile + kFileHeaderSize});
    EXPECT_TRUE(placed.anchor);  // No run reaches over a file's end.
    EXPECT_EQ(log.walk().size(), 3U);
}

TEST(Staging, PadsToABlockOnlyWhenItMust) {
    StagedLog log(512 << 10);
    log.staging().pad_to_block();
    EXPECT_EQ(log.staging().end(), Lsn{kFileHeaderSize});
    for (std::uint64_t size = 0; size < 80; ++size) {
        log.append(1, size, {std::string(4096 - 64 - size, 'p')});
        log.staging().pad_to_block();
        EXPECT_EQ(log.staging().end().value % env::kBlockSize, 0U);
    }
    log.walk();
    EXPECT_EQ(log.walked(), log.staging().end());
}

TEST(Staging, AFullHeaderComesAtLeastOncePerAnchorInterval) {
    StagedLog log(4 << 20, 64 << 20);
    for (std::uint64_t i = 0; i < 3000; ++i) log.append(1, i, {std::string(800, 'x')});
    Lsn anchor{kFileHeaderSize};
    for (const Frame& frame : log.walk()) {
        EXPECT_LE(frame.header.lsn - anchor, kAnchorInterval + short_frame_size(800));
        if (!frame.is_short) anchor = frame.header.lsn;
    }
}

TEST(Staging, OverheadOfSingleAppendsOf800BytesIsUnderTwoPercent) {
    StagedLog log(4 << 20, 64 << 20);
    constexpr std::uint64_t kAppends = 4000;
    for (std::uint64_t i = 0; i < kAppends; ++i) log.append(1, i, {std::string(800, 'x')});
    const std::uint64_t taken = log.staging().end() - Lsn{kFileHeaderSize};
    EXPECT_LT(static_cast<double>(taken), 1.02 * 800 * kAppends);
}

TEST(Staging, AnotherTopicAGapOrALargeBatchNeedsAFullHeader) {
    StagedLog log;
    EXPECT_TRUE(log.append(1, 0, {"a"}).anchor);
    EXPECT_FALSE(log.append(1, 1, {"b"}).anchor);
    EXPECT_TRUE(log.append(2, 0, {"other topic"}).anchor);
    EXPECT_TRUE(log.append(2, 7, {"other offset"}).anchor);
    EXPECT_TRUE(log.append(2, 8, {"two", "records"}).anchor);
    EXPECT_FALSE(log.append(2, 10, {"goes on"}).anchor);
    log.control(ControlKind::kMark, "", 2);
    EXPECT_TRUE(log.append(2, 11, {"behind a control frame"}).anchor);
}

}  // namespace
}  // namespace walrus::wal
