// Appending and fetching through a LocalBroker on a simulated disk.
#include "walrus/broker/local_broker.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "walrus/broker/test_broker.h"

namespace walrus::broker {
namespace {

using testing::CrashKind;
using testing::Unsynced;

class LocalBrokerTest : public ::testing::Test {
protected:
    void SetUp() override { broker_.open(); }

    TestBroker broker_;
};

TEST_F(LocalBrokerTest, BatchesComeBackAsTheyWereSentButForTheirPlace) {
    ASSERT_TRUE(broker_.create("t"));
    const std::string first = make_batch("a", 3);
    const std::string second = make_batch("b", 1);
    EXPECT_EQ(broker_.must_append("t", first), 0U);
    EXPECT_EQ(broker_.must_append("t", second), 3U);
    const FetchedBatches fetched = broker_.fetch("t", 0);
    EXPECT_EQ(fetched.high_watermark, Offset{4});
    const std::vector<FetchedBatch> batches = split(fetched);
    ASSERT_EQ(batches.size(), 2U);
    EXPECT_EQ(batches[0].bytes, placed(first, 0));
    EXPECT_EQ(batches[1].bytes, placed(second, 3));
    EXPECT_EQ(broker_.partition("t").info().high_watermark, Offset{4});
}

TEST_F(LocalBrokerTest, AFetchFromInsideABatchGetsTheWholeBatch) {
    ASSERT_TRUE(broker_.create("t"));
    std::vector<std::string> sent;
    std::uint64_t end = 0;
    std::vector<std::uint64_t> holder;  // Offset -> which batch.
    for (std::uint32_t i = 0; i < 12; ++i) {
        // Some of them are large, so that they are not copied.
        sent.push_back(make_batch(std::string(i % 4 == 3 ? 4000 : 10, 'x'), 1 + i % 5));
        EXPECT_EQ(broker_.must_append("t", sent.back()), end);
        for (std::uint32_t k = 0; k < 1 + i % 5; ++k) holder.push_back(i);
        end += 1 + i % 5;
    }
    for (std::uint64_t from = 0; from < end; ++from) {
        const std::vector<FetchedBatch> batches = split(broker_.fetch("t", from));
        ASSERT_EQ(batches.size(), sent.size() - holder[from]) << from;
        std::uint64_t at = batches[0].base_offset;
        EXPECT_LE(at, from);
        for (std::size_t i = 0; i < batches.size(); ++i) {
            const std::size_t which = holder[from] + i;
            EXPECT_EQ(batches[i].bytes, placed(sent[which], at));
            at += 1 + which % 5;
        }
    }
    EXPECT_EQ(broker_.fetch("t", end).size_bytes, 0U);
    EXPECT_TRUE(broker_.fetch("t", end).status);
    EXPECT_EQ(broker_.fetch("t", end + 1).status.error().code, Errc::kOutOfRange);
}

TEST_F(LocalBrokerTest, AFetchKeepsToItsLimitButGivesOneBatch) {
    ASSERT_TRUE(broker_.create("t"));
    const std::string batch = make_batch(std::string(500, 'x'));
    for (int i = 0; i < 10; ++i) broker_.must_append("t", batch);
    EXPECT_EQ(split(broker_.fetch("t", 0, 1)).size(), 1U);
    EXPECT_EQ(split(broker_.fetch("t", 0, 3 * batch.size())).size(), 3U);
}

TEST_F(LocalBrokerTest, WhatLiesBackIsReadByAWorker) {
    ASSERT_TRUE(broker_.create("t"));
    const std::string batch = make_batch(std::string(10'000, 'x'));
    for (int i = 0; i < 100; ++i) broker_.must_append("t", batch);
    std::uint64_t at = 0;
    while (at < 100) {
        const std::vector<FetchedBatch> batches = split(broker_.fetch("t", at, 50'000));
        ASSERT_FALSE(batches.empty());
        for (const FetchedBatch& each : batches) EXPECT_EQ(each.bytes, placed(batch, at++));
    }
    const BrokerCounters counters = broker_->counters();
    EXPECT_GT(counters.cold_fetches, 0U);
    EXPECT_LT(counters.cold_fetches, counters.fetches);
    EXPECT_EQ(counters.appends, 100U);
    EXPECT_EQ(counters.append_latency.count(), 100U);
    EXPECT_EQ(counters.fetched_bytes, counters.append_bytes);
}

TEST_F(LocalBrokerTest, EveryClassKeepsWhatItPromises) {
    for (const char* durability : {"disk", "os-interval", "process"})
        ASSERT_TRUE(broker_.create(durability, {{"walrus.durability", durability}}));
    for (const char* durability : {"disk", "os-interval", "process"})
        for (std::uint64_t i = 0; i < 5; ++i)
            EXPECT_EQ(broker_.must_append(durability, make_batch("x", 2)), 2 * i);
    broker_.kill();
    for (const char* durability : {"disk", "os-interval", "process"})
        EXPECT_EQ(split(broker_.fetch(durability, 0)).size(), 5U) << durability;
    broker_.crash({CrashKind::kPower, Unsynced::kDrop, 1});
    EXPECT_EQ(split(broker_.fetch("disk", 0)).size(), 5U);
    EXPECT_LE(split(broker_.fetch("process", 0)).size(), 5U);
    // Whatever was lost, all go on.
    for (const char* durability : {"disk", "os-interval", "process"})
        broker_.must_append(durability, make_batch("x"));
}

TEST_F(LocalBrokerTest, AppendsWithoutAcknowledgementAreAnsweredAtOnce) {
    ASSERT_TRUE(broker_.create("t"));
    const std::string batch = make_batch("x");
    Answer answer;
    broker_.partition("t").append(as_bytes(batch), Acks::kNone, answer.callback());
    EXPECT_EQ(answer.times, 1);
    EXPECT_EQ(answer.result.outcome, AppendOutcome::kAppended);
    broker_.loop().run_until(
        [&] { return broker_.partition("t").info().high_watermark == Offset{1}; });
    EXPECT_EQ(answer.times, 1);
}

TEST_F(LocalBrokerTest, WhatTheLogHasBeyondTheHighWatermarkIsNotRead) {
    for (const char* durability : {"process", "disk"}) {
        ASSERT_TRUE(broker_.create(durability, {{"walrus.durability", durability}}));
        broker_.must_append(durability, make_batch("a"));
        const std::string second = make_batch("b");
        Answer answer;
        broker_.partition(durability).append(as_bytes(second), Acks::kNone, answer.callback());
        // The log has it by now or soon, whether the loop was told or not.
        for (int i = 0; i < 1000; ++i) {
            FetchedBatches fetched;
            broker_.partition(durability).fetch(Offset{0}, 1 << 20, [&](FetchedBatches batches) {
                fetched = std::move(batches);
            });
            ASSERT_TRUE(fetched.status);
            ASSERT_EQ(split(fetched).size(), fetched.high_watermark.value) << durability << i;
        }
    }
}

TEST_F(LocalBrokerTest, LogAppendTimeIsPutIntoTheBatch) {
    ASSERT_TRUE(broker_.create("t", {{"message.timestamp.type", "LogAppendTime"}}));
    const auto before = static_cast<std::int64_t>(broker_.loop().wall_ms());
    broker_.must_append("t", make_batch("x", 1, {}, 5));
    const std::vector<FetchedBatch> batches = split(broker_.fetch("t", 0));
    ASSERT_EQ(batches.size(), 1U);
    const auto view = protocol::RecordBatchView::parse(as_bytes(batches[0].bytes));
    EXPECT_TRUE(view->has_append_time());
    EXPECT_EQ(view->max_timestamp(), before);
}

TEST_F(LocalBrokerTest, AWatcherIsCalledOnceWhenThereIsMore) {
    ASSERT_TRUE(broker_.create("t"));
    Partition& partition = broker_.partition("t");
    int called = 0;
    int other = 0;
    EXPECT_NE(partition.watch(Offset{0}, [&] { ++called; }), 0U);
    EXPECT_NE(partition.watch(Offset{1}, [&] { ++other; }), 0U);
    const WatchId gone = partition.watch(Offset{0}, [] { FAIL(); });
    partition.unwatch(gone);
    EXPECT_EQ(called, 0);
    broker_.must_append("t", make_batch("x"));
    EXPECT_EQ(called, 1);
    EXPECT_EQ(other, 0);
    broker_.must_append("t", make_batch("x"));
    EXPECT_EQ(called, 1);
    EXPECT_EQ(other, 1);
    EXPECT_EQ(partition.watch(Offset{1}, [&] { ++called; }), 0U);
    EXPECT_EQ(called, 2);
}

TEST_F(LocalBrokerTest, AWatcherMayTakeAnotherAway) {
    ASSERT_TRUE(broker_.create("t"));
    Partition& partition = broker_.partition("t");
    WatchId ids[2] = {};
    int called = 0;
    for (const int i : {0, 1})
        ids[i] = partition.watch(Offset{0}, [&, i] {
            ++called;
            partition.unwatch(ids[1 - i]);
        });
    broker_.must_append("t", make_batch("x"));
    EXPECT_EQ(called, 1);
}

TEST_F(LocalBrokerTest, OffsetsAreFoundByTime) {
    ASSERT_TRUE(broker_.create("t"));
    for (std::uint32_t i = 0; i < 20; ++i)
        broker_.must_append("t", make_batch("x", 1 + i % 3, {}, 1000 + 10 * i));
    std::vector<std::uint64_t> starts;
    std::uint64_t at = 0;
    for (std::uint32_t i = 0; i < 20; ++i) {
        starts.push_back(at);
        at += 1 + i % 3;
    }
    EXPECT_EQ(broker_.offset_at("t", 0).value().value, 0U);
    for (std::uint32_t i = 0; i < 20; ++i) {
        EXPECT_EQ(broker_.offset_at("t", 1000 + 10 * i).value().value, starts[i]);
        EXPECT_EQ(broker_.offset_at("t", 991 + 10 * i).value().value, starts[i]);
    }
    EXPECT_EQ(broker_.offset_at("t", 1191).value().value, at);
}

TEST_F(LocalBrokerTest, DeletedRecordsAreOutOfRange) {
    ASSERT_TRUE(broker_.create("t"));
    for (int i = 0; i < 3; ++i) broker_.must_append("t", make_batch("x", 4));
    const auto remove_to = [&](std::uint64_t to) {
        return broker_.wait<Status>(
            [&](auto done) { broker_.partition("t").delete_records(Offset{to}, done); });
    };
    EXPECT_EQ(remove_to(13).error().code, Errc::kOutOfRange);
    ASSERT_TRUE(remove_to(6));
    EXPECT_EQ(broker_.partition("t").info().log_start_offset, Offset{6});
    EXPECT_EQ(broker_.fetch("t", 5).status.error().code, Errc::kOutOfRange);
    const std::vector<FetchedBatch> batches = split(broker_.fetch("t", 6));
    ASSERT_EQ(batches.size(), 2U);
    EXPECT_EQ(batches[0].base_offset, 4U);
}

TEST_F(LocalBrokerTest, CloseAnswersWhatIsInFlightAndKeepsIt) {
    ASSERT_TRUE(broker_.create("t"));
    const std::string batch = make_batch("x", 2);
    std::vector<Answer> answers(10);
    for (Answer& answer : answers)
        broker_.partition("t").append(as_bytes(batch), Acks::kAll, answer.callback());
    ASSERT_TRUE(broker_->close());
    for (const Answer& answer : answers) {
        EXPECT_EQ(answer.times, 1);
        EXPECT_EQ(answer.result.outcome, AppendOutcome::kAppended);
    }
    EXPECT_EQ(broker_->close().error().code, Errc::kClosed);
    Answer late;
    broker_.partition("t").append(as_bytes(batch), Acks::kAll, late.callback());
    EXPECT_EQ(late.result.status.error().code, Errc::kClosed);
    EXPECT_EQ(broker_.create("u").error().code, Errc::kClosed);
    broker_.drop();
    broker_.open();
    EXPECT_EQ(split(broker_.fetch("t", 0)).size(), 10U);
}

TEST_F(LocalBrokerTest, DroppingABusyBrokerCallsNobodyAnyMore) {
    ASSERT_TRUE(broker_.create("t"));
    const std::string batch = make_batch("x", 2);
    {
        std::vector<Answer> answers(50);
        for (Answer& answer : answers)
            broker_.partition("t").append(as_bytes(batch), Acks::kAll, answer.callback());
        broker_.drop();
    }
    broker_.loop().run();
    broker_.open();
    broker_.must_append("t", batch);
}

// --- error paths ---

TEST_F(LocalBrokerTest, BatchesThatCannotBeAreRefused) {
    ASSERT_TRUE(broker_.create("t", {{"max.message.bytes", "1000"}}));
    const auto refusal = [&](const std::string& batch) {
        const AppendResult result = broker_.append("t", batch);
        EXPECT_EQ(result.outcome, AppendOutcome::kFailed);
        return result.status ? Errc::kBusy : result.status.error().code;
    };
    std::string damaged = make_batch("x");
    damaged.back() ^= 1;
    EXPECT_EQ(refusal(damaged), Errc::kCorruption);
    EXPECT_EQ(refusal(""), Errc::kCorruption);
    std::string old = make_batch("x");
    old[16] = 1;
    EXPECT_EQ(refusal(old), Errc::kUnsupported);
    EXPECT_EQ(refusal(make_batch("x") + make_batch("y")), Errc::kInvalidArgument);
    EXPECT_EQ(refusal(make_batch("x", 1, {7, 0, 0, true})), Errc::kInvalidArgument);
    EXPECT_EQ(refusal(make_batch("x", 1, {0, 0, 0})), Errc::kInvalidArgument);
    EXPECT_EQ(refusal(make_batch("x", 1, {7, 0, -1})), Errc::kInvalidArgument);
    EXPECT_EQ(refusal(make_batch(std::string(1000, 'x'))), Errc::kTooLarge);
    EXPECT_EQ(broker_.partition("t").info().log_end_offset, Offset{0});
    EXPECT_EQ(broker_->counters().refused, 8U);
}

TEST_F(LocalBrokerTest, AFullDiskRefusesAppendsAndTakesThemAgainWhenSpaceReturns) {
    ASSERT_TRUE(broker_.create("t"));
    const std::string batch = make_batch(std::string(20'000, 'x'));
    broker_.env().set_capacity(broker_.env().used_bytes() + (300 << 10));
    std::uint64_t appended = 0;
    AppendResult result = broker_.append("t", batch);
    while (result.outcome == AppendOutcome::kAppended && appended < 1000) {
        ++appended;
        // An append that waits for a file is tried again by a timer.
        Answer answer;
        broker_.partition("t").append(as_bytes(batch), Acks::kAll, answer.callback());
        while (answer.times == 0) broker_.loop().advance_ms(1);
        result = answer.result;
    }
    ASSERT_EQ(result.status.error().code, Errc::kNoSpace);
    EXPECT_EQ(split(broker_.fetch("t", 0)).size(), appended);
    EXPECT_EQ(broker_.partition("t").info().high_watermark, Offset{appended});
    broker_.env().set_capacity(~std::uint64_t{0});
    for (bool again = true; again;) {
        Answer answer;
        broker_.partition("t").append(as_bytes(batch), Acks::kAll, answer.callback());
        while (answer.times == 0) broker_.loop().advance_ms(1);
        again = answer.result.outcome != AppendOutcome::kAppended;
        if (again) {
            ASSERT_EQ(answer.result.status.error().code, Errc::kNoSpace);
        } else {
            EXPECT_EQ(answer.result.base_offset, Offset{appended});
        }
    }
}

TEST_F(LocalBrokerTest, AFailedWriteBreaksTheClassAndLeavesItsReads) {
    ASSERT_TRUE(broker_.create("t"));
    ASSERT_TRUE(broker_.create("other", {{"walrus.durability", "process"}}));
    const std::string batch = make_batch("x");
    broker_.must_append("t", batch);
    broker_.env().fail_when(
        testing::fault_on(testing::SimOperation::Kind::kDurableWrite, "disk/shard-000"), Errc::kIo);
    std::vector<Answer> answers(3);
    for (Answer& answer : answers)
        broker_.partition("t").append(as_bytes(batch), Acks::kAll, answer.callback());
    broker_.loop().run_until([&] {
        return std::ranges::all_of(answers, [](const Answer& each) { return each.times > 0; });
    });
    for (const Answer& answer : answers) {
        EXPECT_EQ(answer.times, 1);
        EXPECT_EQ(answer.result.status.error().code, Errc::kPoisoned);
    }
    EXPECT_EQ(broker_.append("t", batch).status.error().code, Errc::kPoisoned);
    EXPECT_EQ(split(broker_.fetch("t", 0)).size(), 1U);
    broker_.must_append("other", batch);
    broker_.env().clear_faults();
    broker_.kill();
    broker_.must_append("t", batch);
}

TEST_F(LocalBrokerTest, DamagedBytesAreReportedAndNeverServed) {
    ASSERT_TRUE(broker_.create("t"));
    const std::string batch = make_batch(std::string(10'000, 'x'));
    for (int i = 0; i < 100; ++i) broker_.must_append("t", batch);
    // Far back, in a file that was left; the ring has passed it.
    broker_.env().flip_bit("broker/disk/shard-000/0000000000000000.log", 8 * 100'000);
    std::uint64_t at = 0;
    FetchedBatches fetched = broker_.fetch("t", at, 1);
    for (; fetched.status && at < 100; fetched = broker_.fetch("t", at, 1)) {
        const std::vector<FetchedBatch> batches = split(fetched);
        ASSERT_EQ(batches.size(), 1U);
        EXPECT_EQ(batches[0].bytes, placed(batch, at++));
    }
    EXPECT_EQ(at, 7U);  // Each takes three blocks of 4 KiB, in class disk.
    EXPECT_EQ(fetched.status.error().code, Errc::kCorruption);
    EXPECT_EQ(split(broker_.fetch("t", at + 1, 1)).size(), 1U);
}

// A log that takes less than it is given: the appends wait, in order, and no more of them than may.
TEST_F(LocalBrokerTest, AppendsWaitForRoomInOrderAndWithinALimit) {
    broker_.close();
    broker_.options().max_waiting_bytes = 400'000;
    broker_.open();
    ASSERT_TRUE(broker_.create("t"));
    std::vector<Answer> answers(40);
    const std::string batch = make_batch(std::string(30'000, 'x'));
    for (Answer& answer : answers)
        broker_.partition("t").append(as_bytes(batch), Acks::kAll, answer.callback());
    const auto all = [&] {
        return std::ranges::all_of(answers, [](const Answer& each) { return each.times == 1; });
    };
    while (!all()) broker_.loop().advance_ms(1);
    std::uint64_t at = 0;
    std::uint64_t refused = 0;
    for (const Answer& answer : answers) {
        if (answer.result.outcome == AppendOutcome::kAppended) {
            EXPECT_EQ(answer.result.base_offset, Offset{at++});
        } else {
            EXPECT_EQ(answer.result.status.error().code, Errc::kResourceExhausted);
            ++refused;
        }
    }
    EXPECT_GT(at, 13U);  // As many as may wait.
    EXPECT_EQ(at + refused, answers.size());
    EXPECT_GT(broker_->counters().appends_waited, 0U);
}

}  // namespace
}  // namespace walrus::broker
