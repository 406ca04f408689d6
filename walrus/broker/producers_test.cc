// Idempotent producers of a LocalBroker: in flight, across restarts, with and without snapshots.
#include <gtest/gtest.h>

#include "walrus/broker/producer_snapshot.h"
#include "walrus/broker/test_broker.h"

namespace walrus::broker {
namespace {

using testing::CrashKind;
using testing::Unsynced;

class ProducersTest : public ::testing::Test {
protected:
    void SetUp() override {
        broker_.open();
        ASSERT_TRUE(broker_.create("t"));
        const Result<std::int64_t> id = broker_.producer_id();
        ASSERT_TRUE(id);
        id_ = *id;
    }

    std::string batch(std::int32_t sequence, std::uint32_t records = 1, std::int16_t epoch = 0,
                      std::size_t size = 1) const {
        return make_batch(std::string(size, 'x'), records, {id_, epoch, sequence});
    }
    AppendOutcome outcome(const std::string& batch) { return broker_.append("t", batch).outcome; }

    TestBroker broker_;
    std::int64_t id_ = 0;
};

TEST_F(ProducersTest, ADuplicateGetsTheOffsetOfTheOriginal) {
    EXPECT_EQ(broker_.must_append("t", batch(0, 3)), 0U);
    EXPECT_EQ(broker_.must_append("t", batch(3, 2)), 3U);
    for (int i = 0; i < 2; ++i) {
        const AppendResult again = broker_.append("t", batch(3, 2));
        EXPECT_EQ(again.outcome, AppendOutcome::kDuplicate);
        EXPECT_EQ(again.base_offset, Offset{3});
    }
    EXPECT_EQ(broker_.partition("t").info().log_end_offset, Offset{5});
    EXPECT_EQ(broker_->counters().duplicates, 2U);
}

TEST_F(ProducersTest, WhatCannotFollowIsRefused) {
    EXPECT_EQ(outcome(batch(4)), AppendOutcome::kUnknownProducer);
    for (int i = 0; i < 7; ++i) broker_.must_append("t", batch(i));
    EXPECT_EQ(outcome(batch(9)), AppendOutcome::kOutOfOrderSequence);
    EXPECT_EQ(outcome(batch(0)), AppendOutcome::kForgottenDuplicate);
    EXPECT_EQ(outcome(batch(2)), AppendOutcome::kDuplicate);
    EXPECT_EQ(outcome(batch(0, 1, 1)), AppendOutcome::kAppended);
    EXPECT_EQ(outcome(batch(7)), AppendOutcome::kProducerFenced);
}

// The answer to the copy must not come before the original is safe.
TEST_F(ProducersTest, ADuplicateOfABatchInFlightIsAnsweredWithIt) {
    const std::string sent = batch(0, 2);
    Answer original;
    std::vector<Answer> copies(3);
    broker_.partition("t").append(as_bytes(sent), Acks::kAll, original.callback());
    for (Answer& copy : copies)
        broker_.partition("t").append(as_bytes(sent), Acks::kAll, copy.callback());
    for (const Answer& copy : copies) EXPECT_EQ(copy.times, 0);
    broker_.loop().run_until([&] { return original.times == 1; });
    for (const Answer& copy : copies) {
        EXPECT_EQ(copy.times, 1);
        EXPECT_EQ(copy.result.outcome, AppendOutcome::kDuplicate);
        EXPECT_EQ(copy.result.base_offset, Offset{0});
    }
}

TEST_F(ProducersTest, ADuplicateOfABatchThatFailsFailsWithIt) {
    broker_.env().fail_when(
        testing::fault_on(testing::SimOperation::Kind::kDurableWrite, "disk/shard-000"), Errc::kIo);
    const std::string sent = batch(0);
    Answer original;
    Answer copy;
    broker_.partition("t").append(as_bytes(sent), Acks::kAll, original.callback());
    broker_.partition("t").append(as_bytes(sent), Acks::kAll, copy.callback());
    broker_.loop().run_until([&] { return original.times == 1 && copy.times == 1; });
    EXPECT_EQ(original.result.status.error().code, Errc::kPoisoned);
    EXPECT_EQ(copy.result.status.error().code, Errc::kPoisoned);
    EXPECT_EQ(broker_.append("t", sent).status.error().code, Errc::kPoisoned);
}

TEST_F(ProducersTest, DuplicatesAreKnownAcrossEveryKindOfStart) {
    for (int i = 0; i < 8; ++i) broker_.must_append("t", batch(2 * i, 2));
    const auto check = [&] {
        const AppendResult again = broker_.append("t", batch(14, 2));
        EXPECT_EQ(again.outcome, AppendOutcome::kDuplicate);
        EXPECT_EQ(again.base_offset, Offset{14});
        EXPECT_EQ(outcome(batch(0, 2)), AppendOutcome::kForgottenDuplicate);
        EXPECT_EQ(outcome(batch(18, 2)), AppendOutcome::kOutOfOrderSequence);
    };
    broker_.kill();
    check();
    broker_.close();
    broker_.open();
    check();
    broker_.crash({CrashKind::kPower, Unsynced::kDrop, 1});
    check();
    EXPECT_EQ(broker_.must_append("t", batch(16, 2)), 16U);
}

// A long log with a snapshot now and then: what a start has to read stays bounded.
TEST_F(ProducersTest, ARestartReadsOnlyWhatNoSnapshotCovers) {
    broker_.close();
    broker_.options().producer_snapshot_bytes = 200'000;
    broker_.open();
    for (int i = 0; i < 200; ++i) broker_.must_append("t", batch(i, 1, 0, 10'000));
    const Result<std::vector<std::string>> files = broker_.env().list("broker/producers");
    ASSERT_TRUE(files);
    EXPECT_EQ(files->size(), 2U);
    broker_.kill();
    const SnapshotPlace place{&broker_.env(), "broker/producers", 1, 0};
    const Result<ProducerSnapshot> newest = load_snapshot(place, Offset{200});
    ASSERT_TRUE(newest);
    EXPECT_GT(newest->upto, Offset{160});
    EXPECT_GT(newest->sequence, 5U);
    EXPECT_EQ(outcome(batch(199, 1, 0, 10'000)), AppendOutcome::kDuplicate);
    EXPECT_EQ(outcome(batch(100, 1, 0, 10'000)), AppendOutcome::kForgottenDuplicate);
    // Without any, the log says the same.
    for (const char* turn : {"a", "b"})
        broker_.env().remove_file("broker/producers/1.0." + std::string(turn));
    broker_.kill();
    EXPECT_EQ(outcome(batch(199, 1, 0, 10'000)), AppendOutcome::kDuplicate);
    broker_.must_append("t", batch(200));
}

// Class process after a power cut: the log lost its end, so the snapshot knows of batches that are
// not there; they are to be taken again.
TEST_F(ProducersTest, ASnapshotAheadOfTheLogIsNotBelieved) {
    ASSERT_TRUE(broker_.create("p", {{"walrus.durability", "process"}}));
    for (int i = 0; i < 5; ++i) broker_.must_append("p", batch(i));
    ProducerSnapshot ahead;
    ahead.upto = Offset{9};
    ahead.table.record({static_cast<std::uint64_t>(id_), 0, 8}, 1, Offset{8});
    const SnapshotPlace place{&broker_.env(), "broker/producers", 2, 0};
    ASSERT_TRUE(store_snapshot(place, 7, ahead.upto, ahead.table.encode()));
    broker_.kill();
    EXPECT_EQ(broker_.must_append("p", batch(5)), 5U);
    EXPECT_FALSE(broker_.env().exists("broker/producers/2.0.b"));
}

TEST(ProducerSnapshot, ADamagedOrTornOneIsPassedOverForTheOneBefore) {
    testing::SimEnv env;
    ASSERT_TRUE(env.create_dirs("d"));
    const SnapshotPlace place{&env, "d", 3, 1};
    EXPECT_EQ(load_snapshot(place, Offset{100})->sequence, 0U);
    ProducerSnapshot made;
    for (std::uint64_t i = 1; i <= 3; ++i) {
        made.table.record({i, 0, 0}, 1, Offset{i});
        ASSERT_TRUE(store_snapshot(place, i, Offset{10 * i}, made.table.encode()));
    }
    EXPECT_EQ(load_snapshot(place, Offset{100})->upto, Offset{30});
    EXPECT_EQ(load_snapshot(place, Offset{100})->table, made.table);
    const auto whole = env.read_file("d/3.1.b");
    ASSERT_TRUE(whole);
    for (std::size_t byte = 0; byte < whole->size(); ++byte) {
        env.flip_bit("d/3.1.b", 8 * byte + 3);
        EXPECT_EQ(load_snapshot(place, Offset{100})->upto, Offset{20}) << "byte " << byte;
        env.write_file("d/3.1.b", Bytes{*whole}.first(byte));
        EXPECT_EQ(load_snapshot(place, Offset{100})->upto, Offset{20}) << "cut at " << byte;
        env.write_file("d/3.1.b", *whole);
    }
    EXPECT_EQ(load_snapshot(place, Offset{30})->upto, Offset{30});
    EXPECT_EQ(load_snapshot(place, Offset{29})->upto, Offset{20});
    EXPECT_FALSE(env.exists("d/3.1.b"));
}

}  // namespace
}  // namespace walrus::broker
