// The table of topics: snapshots there and back, and frames that contradict it.
#include "walrus/wal/topic_table.h"

#include <gtest/gtest.h>

#include <string>

namespace walrus::wal {
namespace {

// A frame as a walker would hand it over; the body lives as long as the object.
struct MadeFrame {
    Frame frame;
    std::string body;
    const Frame& get() {
        frame.body = as_bytes(body);
        return frame;
    }
};

MadeFrame control(ControlKind kind, std::uint32_t topic, std::uint64_t operand = 0,
                  std::string body = {}) {
    MadeFrame made;
    made.frame.header.type = FrameType::kControl;
    made.frame.header.control = kind;
    made.frame.header.topic_id = topic;
    made.frame.header.first_offset = Offset{operand};
    made.body = std::move(body);
    return made;
}

MadeFrame batch(std::uint32_t topic, std::uint64_t offset, std::uint32_t count) {
    MadeFrame made;
    made.frame.header.topic_id = topic;
    made.frame.header.first_offset = Offset{offset};
    made.frame.header.record_count = count;
    made.frame.size = 72;
    return made;
}

std::string number(std::uint64_t value) {
    std::byte bytes[8];
    store_le(bytes, value);
    return std::string(as_text(bytes));
}

// The frames of a snapshot.
std::vector<MadeFrame> snapshot_of(const TopicTable& table) {
    std::vector<MadeFrame> frames;
    table.write_snapshot(4711, [&](std::uint8_t flags, std::uint32_t count, Bytes body) {
        MadeFrame made =
            control(ControlKind::kSnapshot, 0, table.next_id(), std::string(as_text(body)));
        made.frame.header.flags = flags;
        made.frame.header.record_count = count;
        frames.push_back(std::move(made));
    });
    return frames;
}

class TopicTableTest : public ::testing::Test {
protected:
    void apply(MadeFrame made) {
        const Status applied = table_.apply(made.get());
        EXPECT_TRUE(applied) << applied.error().message;
    }
    void refused(MadeFrame made) {
        const Status applied = table_.apply(made.get());
        ASSERT_FALSE(applied);
        EXPECT_EQ(applied.error().code, Errc::kCorruption);
    }
    TopicTable table_;
};

TEST_F(TopicTableTest, ReplaysWhatHappenedToATopic) {
    apply(control(ControlKind::kCreateTopic, 1, 0, "t"));
    apply(batch(1, 0, 3));
    apply(batch(1, 3, 1));
    const TopicPtr topic = table_.find("t");
    ASSERT_NE(topic, nullptr);
    EXPECT_EQ(topic->log_end, Offset{4});
    EXPECT_EQ(topic->end_bytes, 144U);
    EXPECT_FALSE(topic->clean);
    apply(control(ControlKind::kMark, 1, 1));
    EXPECT_TRUE(topic->clean);
    apply(control(ControlKind::kCommitCursor, 1, 2, "consumer"));
    EXPECT_EQ(topic->cursors.at("consumer")->committed, Offset{2});
    apply(control(ControlKind::kTruncateHead, 1, 3, number(72)));
    EXPECT_EQ(topic->log_start, Offset{3});
    EXPECT_EQ(topic->start_bytes, 72U);
    apply(control(ControlKind::kSetRetention, 1, 0, number(1) + number(2) + number(3) + number(1)));
    EXPECT_EQ(topic->retention->max_records, 3U);
    apply(control(ControlKind::kDeleteCursor, 1, 0, "consumer"));
    EXPECT_TRUE(topic->cursors.empty());
    apply(control(ControlKind::kDeleteTopic, 1));
    EXPECT_EQ(table_.find("t"), nullptr);
    EXPECT_TRUE(topic->deleted);
    EXPECT_EQ(table_.next_id(), 2U);  // Never given twice.
}

TEST_F(TopicTableTest, ASnapshotOfManyTopicsComesBackFromSeveralFrames) {
    TopicTable before;
    for (std::uint32_t id = 1; id <= 5000; ++id) {
        const TopicPtr topic = before.create(id, "topic-" + std::to_string(id));
        topic->log_start = Offset{id};
        topic->log_end = Offset{2 * id};
        topic->end_bytes = 100 * id;
        topic->start_bytes = id;
        topic->clean = id % 2 == 0;
        if (id % 3 == 0) topic->retention = Retention{id, 2, 3, id % 2 == 0};
        for (std::uint32_t c = 0; c < id % 4; ++c)
            before.cursor(*topic, std::string(c, 'c'))->committed = Offset{id + c};
    }
    before.erase(77);
    std::vector<MadeFrame> frames = snapshot_of(before);
    ASSERT_GT(frames.size(), 2U);
    std::uint64_t bytes = 0;
    for (MadeFrame& made : frames) {
        EXPECT_FALSE(table_.complete());
        bytes += full_frame_size(made.body.size());
        apply(made);
    }
    EXPECT_LE(bytes, before.snapshot_bytes());
    EXPECT_TRUE(table_.complete());
    EXPECT_EQ(table_.size(), before.size());
    EXPECT_EQ(table_.next_id(), before.next_id());
    EXPECT_EQ(table_.entered_wall_ms(), 4711U);
    EXPECT_EQ(table_.snapshot_bytes(), before.snapshot_bytes());

    const std::vector<MadeFrame> again = snapshot_of(table_);
    ASSERT_EQ(again.size(), frames.size());
    for (std::size_t i = 0; i < again.size(); ++i) EXPECT_EQ(again[i].body, frames[i].body);
}

TEST_F(TopicTableTest, ASnapshotReplacesTheTableOnlyWhenItIsWhole) {
    apply(control(ControlKind::kCreateTopic, 1, 0, "before"));
    TopicTable other;
    for (std::uint32_t id = 1; id <= 3000; ++id)
        other.create(id, std::string(60, 'n') + std::to_string(id));
    std::vector<MadeFrame> frames = snapshot_of(other);
    ASSERT_GT(frames.size(), 1U);
    apply(frames[0]);
    EXPECT_NE(table_.find("before"), nullptr);
    // Broken off, and begun again.
    for (MadeFrame& made : frames) apply(made);
    EXPECT_EQ(table_.find("before"), nullptr);
    EXPECT_EQ(table_.size(), 3000U);
}

TEST_F(TopicTableTest, AnEmptyTableHasASnapshotToo) {
    std::vector<MadeFrame> frames = snapshot_of(table_);
    ASSERT_EQ(frames.size(), 1U);
    apply(frames[0]);
    EXPECT_TRUE(table_.complete());
    EXPECT_EQ(table_.size(), 0U);
}

// --- error paths ---

TEST_F(TopicTableTest, RefusesFramesOfTopicsThatNeverWere) {
    refused(batch(1, 0, 1));
    for (const ControlKind kind :
         {ControlKind::kDeleteTopic, ControlKind::kCommitCursor, ControlKind::kDeleteCursor,
          ControlKind::kTruncateHead, ControlKind::kMark, ControlKind::kSetRetention})
        refused(control(kind, 1, 0, number(0)));
}

TEST_F(TopicTableTest, RefusesABatchThatDoesNotContinueItsTopic) {
    apply(control(ControlKind::kCreateTopic, 1, 0, "t"));
    apply(batch(1, 0, 3));
    refused(batch(1, 2, 1));
    refused(batch(1, 4, 1));
    apply(batch(1, 3, 1));
}

TEST_F(TopicTableTest, RefusesATopicThatExistsAlready) {
    apply(control(ControlKind::kCreateTopic, 1, 0, "t"));
    refused(control(ControlKind::kCreateTopic, 2, 0, "t"));
    refused(control(ControlKind::kCreateTopic, 1, 0, "other"));
    refused(control(ControlKind::kCreateTopic, 2, 0, ""));
    refused(control(ControlKind::kCreateTopic, 2, 0, std::string(256, 'n')));
    EXPECT_EQ(table_.size(), 1U);
}

TEST_F(TopicTableTest, RefusesPositionsPastTheEndAndBodiesOfBadLength) {
    apply(control(ControlKind::kCreateTopic, 1, 0, "t"));
    apply(batch(1, 0, 3));
    apply(control(ControlKind::kCommitCursor, 1, 3, "c"));
    refused(control(ControlKind::kCommitCursor, 1, 4, "c"));
    refused(control(ControlKind::kCommitCursor, 1, 3, std::string(256, 'c')));
    refused(control(ControlKind::kTruncateHead, 1, 4, number(0)));
    refused(control(ControlKind::kTruncateHead, 1, 3, "short"));
    refused(control(ControlKind::kSetRetention, 1, 0, number(0)));
    refused(control(static_cast<ControlKind>(99), 1));
    refused(control(ControlKind::kNone, 1));
}

TEST_F(TopicTableTest, RefusesADamagedSnapshot) {
    TopicTable other;
    const TopicPtr topic = other.create(1, "topic");
    topic->retention = Retention{};
    other.cursor(*topic, "consumer");
    const MadeFrame good = snapshot_of(other).front();
    // Cut anywhere, and longer than its entries.
    for (std::size_t size = 0; size < good.body.size(); ++size) {
        MadeFrame cut = good;
        cut.body.resize(size);
        refused(cut);
        EXPECT_FALSE(table_.complete());
    }
    MadeFrame longer = good;
    longer.body += "x";
    refused(longer);
    // An entry twice.
    MadeFrame twice = good;
    twice.body += good.body.substr(8);
    twice.frame.header.record_count = 2;
    refused(twice);
    // Without its first frame.
    MadeFrame headless = good;
    headless.frame.header.flags = kSnapshotLast;
    TopicTable fresh;
    EXPECT_FALSE(fresh.apply(headless.get()));
    // A log that starts behind its end.
    MadeFrame reversed = good;
    reversed.body[8 + 8] = 1;
    refused(reversed);
    apply(good);
}

}  // namespace
}  // namespace walrus::wal
