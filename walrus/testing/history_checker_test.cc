// A checker that cannot fail proves nothing: each anomaly, made by hand, has its name.
#include "walrus/testing/history_checker.h"

#include <gtest/gtest.h>

#include "walrus/testing/linearizability.h"

namespace walrus::testing {
namespace {

constexpr const char* kTopic = "t";

class HistoryTest : public ::testing::Test {
protected:
    // Two acknowledged batches of one record.
    HistoryTest() {
        append("a.x", ClientOutcome::kOk, 0);
        append("b.x", ClientOutcome::kOk, 1);
    }
    void append(const std::string& value, ClientOutcome outcome,
                std::optional<std::uint64_t> offset, std::uint64_t completed_ns = 5) {
        checker_.append({.topic = kTopic,
                         .value = value,
                         .outcome = outcome,
                         .offset = offset,
                         .completed_ns = completed_ns});
    }
    std::string anomaly(std::vector<SeenBatch> final_log) {
        checker_.final_log(kTopic, {.batches = std::move(final_log)});
        const auto violation = checker_.check();
        return violation ? violation->substr(0, violation->find(':')) : "";
    }
    std::vector<SeenBatch> both() const { return {{0, 1, "a.x"}, {1, 1, "b.x"}}; }

    HistoryChecker checker_;
};

TEST_F(HistoryTest, ASoundHistoryHasNoAnomaly) {
    append("c.x", ClientOutcome::kUnknown, {});
    append("d.x", ClientOutcome::kFailed, {});
    checker_.poll({.topic = kTopic, .next = 0, .seen = both()});
    checker_.end_seen({kTopic, 9, 2});
    checker_.get({kTopic, 0, 1, ClientOutcome::kOk});
    checker_.get({kTopic, 1, 2, ClientOutcome::kUnknown});
    EXPECT_EQ(anomaly({{0, 1, "a.x"}, {1, 1, "b.x"}, {2, 1, "c.x"}}), "");
}

TEST_F(HistoryTest, AnAcknowledgedBatchThatIsGoneIsALostWrite) {
    EXPECT_EQ(anomaly({{0, 1, "a.x"}}), "lost-write");
}

TEST_F(HistoryTest, ABatchThatWasReadAndIsGoneIsALostWrite) {
    append("c.x", ClientOutcome::kUnknown, {});
    checker_.poll({.topic = kTopic, .next = 2, .seen = {{2, 1, "c.x"}}});
    EXPECT_EQ(anomaly(both()), "lost-write");
}

TEST_F(HistoryTest, ABatchThatIsThereTwiceIsADuplicate) {
    append("c.x", ClientOutcome::kUnknown, {});
    EXPECT_EQ(anomaly({{0, 1, "a.x"}, {1, 1, "b.x"}, {2, 1, "c.x"}, {3, 1, "c.x"}}), "duplicate");
}

TEST_F(HistoryTest, AnotherOffsetThanTheAcknowledgedOneIsInconsistent) {
    EXPECT_EQ(anomaly({{0, 1, "b.x"}, {1, 1, "a.x"}}), "inconsistent-offsets");
}

TEST_F(HistoryTest, TwoValuesReadAtOneOffsetAreInconsistent) {
    checker_.poll({.topic = kTopic, .next = 0, .seen = {{0, 1, "a.x"}}});
    checker_.poll({.topic = kTopic, .next = 0, .seen = {{0, 1, "b.x"}}});
    EXPECT_EQ(anomaly(both()), "inconsistent-offsets");
}

TEST_F(HistoryTest, WhatNobodyAppendedIsAPhantomAndWhatIsDamagedIsCorrupt) {
    EXPECT_EQ(anomaly({{0, 1, "a.x"}, {1, 1, "b.x"}, {2, 1, "z.x"}}), "phantom");
    checker_ = {};
    append("a.x", ClientOutcome::kOk, 0);
    EXPECT_EQ(anomaly({{0, 1, "a.y"}}), "corrupt");
}

TEST_F(HistoryTest, WhatWasRefusedAndIsThereIsG1a) {
    append("c.x", ClientOutcome::kFailed, {});
    EXPECT_EQ(anomaly({{0, 1, "a.x"}, {1, 1, "b.x"}, {2, 1, "c.x"}}), "G1a");
}

TEST_F(HistoryTest, PollsGoForwardWithoutGaps) {
    checker_.poll({.topic = kTopic, .next = 0, .seen = {{1, 1, "b.x"}}});
    EXPECT_EQ(checker_.violation()->substr(0, 9), "poll-skip");
    checker_ = {};
    checker_.poll({.topic = kTopic, .next = 1, .seen = {{0, 1, "a.x"}}});
    EXPECT_EQ(checker_.violation()->substr(0, 17), "nonmonotonic-poll");
}

TEST_F(HistoryTest, AnEndThatHidesAnAcknowledgedBatchIsUnseen) {
    checker_.end_seen({kTopic, 4, 1});  // Asked before the acknowledgement.
    checker_.end_seen({kTopic, 6, 1});
    EXPECT_EQ(anomaly(both()), "unseen");
}

TEST_F(HistoryTest, ASharedCursorHandsOutEverythingOnce) {
    checker_.get({kTopic, 0, 2, ClientOutcome::kOk});
    checker_.get({kTopic, 1, 2, ClientOutcome::kOk});
    EXPECT_EQ(anomaly(both()), "nonmonotonic-poll");
    checker_ = {};
    checker_.get({kTopic, 0, 1, ClientOutcome::kOk});
    checker_.get({kTopic, 1, 2, ClientOutcome::kFailed});
    checker_.get({kTopic, 2, 3, ClientOutcome::kOk});
    EXPECT_EQ(checker_.check()->substr(0, 9), "poll-skip");
}

TEST_F(HistoryTest, CopiesThatDifferDiverge) {
    append("c.x", ClientOutcome::kUnknown, {});
    checker_.final_log(kTopic, {.batches = both()});
    EXPECT_EQ(anomaly({{0, 1, "a.x"}, {1, 1, "c.x"}}), "replica-divergence");
}

// --- linearizability ---

TopicEvent create(std::uint64_t began, std::uint64_t ended, std::uint64_t id,
                  ClientOutcome outcome = ClientOutcome::kOk) {
    return {.began_ns = began,
            .ended_ns = ended,
            .outcome = outcome,
            .result_topic = id,
            .result_version = id};
}

// Of topic 5.
TopicEvent change(TopicOp op, std::uint64_t began, std::uint64_t ended, std::uint64_t expect,
                  std::uint64_t made) {
    return {.op = op,
            .topic = 5,
            .expect_version = expect,
            .began_ns = began,
            .ended_ns = ended,
            .outcome = ClientOutcome::kOk,
            .result_topic = 5,
            .result_version = made};
}

TopicEvent with(ClientOutcome outcome, TopicEvent event) {
    event.outcome = outcome;
    return event;
}

TEST(Linearizability, OperationsThatOverlapMayTakeEffectInAnyOrder) {
    EXPECT_FALSE(check_linearizable({create(1, 10, 5), create(1, 10, 5, ClientOutcome::kFailed),
                                     change(TopicOp::kDelete, 2, 9, 5, 0)}));
    EXPECT_FALSE(check_linearizable({}));
}

TEST(Linearizability, TwoCreationsWithoutADeletionAreNot) {
    EXPECT_TRUE(check_linearizable({create(1, 2, 5), create(3, 4, 6)}));
    EXPECT_FALSE(check_linearizable(
        {create(1, 2, 5), change(TopicOp::kDelete, 3, 4, 5, 0), create(5, 6, 6)}));
}

TEST(Linearizability, AnUnknownDeletionMayHaveHappenedOrNot) {
    const TopicEvent unknown =
        with(ClientOutcome::kUnknown, change(TopicOp::kDelete, 3, ~std::uint64_t{0}, 5, 0));
    EXPECT_FALSE(check_linearizable({create(1, 2, 5), unknown, create(9, 10, 6)}));
    EXPECT_FALSE(
        check_linearizable({create(1, 2, 5), unknown, create(9, 10, 5, ClientOutcome::kFailed)}));
}

TEST(Linearizability, TwoChangesOfOneVersionAreNot) {
    EXPECT_TRUE(check_linearizable({create(1, 2, 5), change(TopicOp::kUpdate, 3, 9, 5, 7),
                                    change(TopicOp::kUpdate, 3, 9, 5, 8)}));
    EXPECT_FALSE(check_linearizable({create(1, 2, 5), change(TopicOp::kUpdate, 3, 9, 5, 7),
                                     change(TopicOp::kUpdate, 3, 9, 7, 8)}));
}

TEST(Linearizability, ARefusalOfWhatSurelyStoodIsNot) {
    EXPECT_TRUE(check_linearizable(
        {create(1, 2, 5), with(ClientOutcome::kFailed, change(TopicOp::kUpdate, 3, 4, 5, 0))}));
}

TEST(Linearizability, AnOperationMayNotTakeEffectBeforeItBegan) {
    EXPECT_TRUE(check_linearizable({create(5, 6, 5), change(TopicOp::kDelete, 1, 2, 5, 0)}));
}

}  // namespace
}  // namespace walrus::testing
