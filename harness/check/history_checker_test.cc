// Hand-written histories: each anomaly that must be found, and its near misses that must not.
#include "harness/check/history_checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/check/test_history.h"

namespace walrus::harness {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// "lost-write 2, duplicate 1": what was found; "" for nothing.
std::string anomalies_of(HandWritten& written) {
    const HistoryVerdict verdict = judge_history(written.done());
    std::string text;
    for (const AnomalyKind kind : verdict.found()) {
        text += (text.empty() ? "" : ", ") + std::string(anomaly_name(kind)) + " " +
                std::to_string(verdict[kind].count);
    }
    return text;
}

TEST(HistoryChecker, AHistoryInWhichAllWentWellHasNoAnomaly) {
    HandWritten written(2);
    written.ok(0).ok(1, 1).ok(0, 0, 1).poll({{0, 0, 0, 1}, {1, 1, 0, 1}}).poll({{0, 0, 1, 1}}, 1);
    written.final_read({{0, 0, 0, 1}, {1, 1, 0, 1}}).final_read({{0, 0, 1, 1}}, 1);
    EXPECT_EQ(anomalies_of(written), "");
    const HistoryVerdict verdict = judge_history(written.history());
    EXPECT_EQ(verdict.acknowledged, 3u);
    EXPECT_EQ(verdict.in_log, 3u);
    EXPECT_THAT(verdict.unread_topics, IsEmpty());
}

// --- lost-write ---

TEST(HistoryChecker, AnAcknowledgedRecordThatIsNotInTheLogIsLost) {
    HandWritten written;
    written.ok(0).ok(1).ok(2).poll({{0, 0, 0, 1}}).final_read({{0, 0, 0, 1}});
    EXPECT_EQ(anomalies_of(written), "lost-write 2");
    EXPECT_THAT(judge_history(written.history())[AnomalyKind::kLostWrite].examples,
                ElementsAre("writer 0 record 1", "writer 0 record 2"));
}

TEST(HistoryChecker, ARecordThatAConsumerGotAndTheLogHasNoMoreIsLost) {
    HandWritten written;
    written.ok(0).poll({{0, 0, 0, 1}}).final_read({});
    EXPECT_EQ(anomalies_of(written), "lost-write 1");
}

TEST(HistoryChecker, UnknownAndFailedRecordsThatAreNotThereAreNotLost) {
    HandWritten written;
    written.unknown().fail().ok(0).poll({{0, 0, 2, 1}}).final_read({{0, 0, 2, 1}});
    EXPECT_EQ(anomalies_of(written), "");
}

TEST(HistoryChecker, WithoutAFinalReadToTheEndNothingCountsAsLost) {
    HandWritten written;
    written.ok(0).final_read({});
    written.history().polls.back().reached_end = false;
    EXPECT_EQ(anomalies_of(written), "");
    EXPECT_THAT(judge_history(written.history()).unread_topics, ElementsAre(0u));
}

// --- duplicate ---

TEST(HistoryChecker, ARecordAtTwoOffsetsIsADuplicate) {
    HandWritten written;
    written.ok(0).poll({{0, 0, 0, 1}, {1, 0, 0, 1}}).final_read({{0, 0, 0, 1}, {1, 0, 0, 1}});
    EXPECT_EQ(anomalies_of(written), "duplicate 1");
}

TEST(HistoryChecker, AnUnknownRecordThatIsThereTwiceIsADuplicate) {
    HandWritten written;
    written.unknown().poll({{0, 0, 0, 1}, {1, 0, 0, 1}});
    written.final_read({{0, 0, 0, 1}, {1, 0, 0, 1}});
    EXPECT_EQ(anomalies_of(written), "duplicate 1");
}

TEST(HistoryChecker, ARecordThatIsReadByManyAtOneOffsetIsNoDuplicate) {
    HandWritten written(1, 2);
    written.ok(0).poll({{0, 0, 0, 1}}, 0, 0).poll({{0, 0, 0, 1}}, 0, 1);
    written.final_read({{0, 0, 0, 1}});
    EXPECT_EQ(anomalies_of(written), "");
}

// --- inconsistent-offsets ---

TEST(HistoryChecker, TwoRecordsAtOneOffsetAreInconsistent) {
    HandWritten written;
    written.unknown().ok(0).poll({{0, 0, 0, 1}}).final_read({{0, 0, 1, 1}});
    EXPECT_EQ(anomalies_of(written), "inconsistent-offsets 1");
}

TEST(HistoryChecker, AnAcknowledgementWithAnotherOffsetThanTheLogsIsInconsistent) {
    HandWritten written;
    written.ok(0).ok(0).poll({{0, 0, 0, 2}}).final_read({{0, 0, 0, 2}});
    EXPECT_THAT(anomalies_of(written), HasSubstr("inconsistent-offsets 1"));
}

TEST(HistoryChecker, TheSameOffsetOfTwoTopicsMayHoldTwoRecords) {
    HandWritten written(2);
    written.ok(0, 0, 0).ok(0, 0, 1).poll({{0, 0, 0, 1}}, 0).poll({{0, 0, 1, 1}}, 1);
    written.final_read({{0, 0, 0, 1}}, 0).final_read({{0, 0, 1, 1}}, 1);
    EXPECT_EQ(anomalies_of(written), "");
}

// --- phantom ---

TEST(HistoryChecker, ARecordThatWasNeverSentIsAPhantom) {
    HandWritten written;
    written.ok(0).poll({{0, 0, 0, 2}}).final_read({{0, 0, 0, 2}});
    EXPECT_EQ(anomalies_of(written), "phantom 1");
}

TEST(HistoryChecker, ARecordOfAnotherRunOrTopicIsAPhantom) {
    HandWritten written(2);
    written.ok(0, 0, 0).final_read({{0, 0, 0, 1}}, 0).final_read({{0, 0, 0, 1}}, 1);
    written.poll({{0, 0, 0, 1}}, 0);
    written.history().polls.back().foreign = {1};
    EXPECT_EQ(anomalies_of(written), "phantom 2");
}

TEST(HistoryChecker, WhatAKilledHarnessMayHaveSentIsNoPhantom) {
    HandWritten written;
    written.ok(0).poll({{0, 0, 0, 2}});
    written.history().complete = false;
    EXPECT_EQ(anomalies_of(written), "");
}

// --- nonmonotonic-poll ---

TEST(HistoryChecker, AConsumerThatGoesBackIsNonmonotonic) {
    HandWritten written;
    written.ok(0).ok(1).poll({{0, 0, 0, 2}}).poll({{1, 0, 1, 1}}).final_read({{0, 0, 0, 2}});
    EXPECT_EQ(anomalies_of(written), "nonmonotonic-poll 1");
}

TEST(HistoryChecker, AWritersRecordsInAnotherOrderAreNonmonotonic) {
    HandWritten written;
    written.ok(1).ok(0).poll({{0, 0, 1, 1}, {1, 0, 0, 1}});
    written.final_read({{0, 0, 1, 1}, {1, 0, 0, 1}});
    EXPECT_EQ(anomalies_of(written), "nonmonotonic-poll 1");
}

TEST(HistoryChecker, WritersMayInterleaveAndUnknownRecordsMayComeLate) {
    HandWritten written;
    written.unknown(0).ok(0, 0).ok(1, 1).poll({{0, 0, 1, 1}, {1, 1, 0, 1}, {2, 0, 0, 1}});
    written.final_read({{0, 0, 1, 1}, {1, 1, 0, 1}, {2, 0, 0, 1}});
    EXPECT_EQ(anomalies_of(written), "");
    EXPECT_EQ(judge_history(written.history()).unknown_found, 1u);
}

TEST(HistoryChecker, ANewConsumerBeginsAtTheStart) {
    HandWritten written;
    written.ok(0).poll({{0, 0, 0, 1}}, 0, 0).poll({{0, 0, 0, 1}}, 0, 1);
    written.final_read({{0, 0, 0, 1}});
    EXPECT_EQ(anomalies_of(written), "");
}

// --- poll-skip ---

TEST(HistoryChecker, AConsumerThatIsLedPastARecordHasSkippedIt) {
    HandWritten written;
    written.ok(0).ok(1).ok(2).poll({{0, 0, 0, 1}}).poll({{2, 0, 2, 1}});
    written.final_read({{0, 0, 0, 3}});
    EXPECT_EQ(anomalies_of(written), "poll-skip 1");
}

TEST(HistoryChecker, OffsetsThatHoldNoRecordForAnybodyAreNoSkip) {
    HandWritten written;
    written.ok(0).ok(5).poll({{0, 0, 0, 1}}).poll({{5, 0, 1, 1}});
    written.final_read({{0, 0, 0, 1}, {5, 0, 1, 1}});
    EXPECT_EQ(anomalies_of(written), "");
}

// --- G1a ---

TEST(HistoryChecker, AFailedRecordThatIsThereIsG1a) {
    HandWritten written;
    written.fail().poll({{0, 0, 0, 1}}).final_read({{0, 0, 0, 1}});
    EXPECT_EQ(anomalies_of(written), "G1a 1");
}

TEST(HistoryChecker, AnUnknownRecordThatIsThereOnceIsFine) {
    HandWritten written;
    written.unknown().poll({{0, 0, 0, 1}}).final_read({{0, 0, 0, 1}});
    EXPECT_EQ(anomalies_of(written), "");
}

// --- unseen ---

TEST(HistoryChecker, ARecordThatAConsumerNeverGotIsUnseen) {
    HandWritten written(1, 2);
    written.ok(0).ok(1).poll({{0, 0, 0, 2}}, 0, 0).poll({{0, 0, 0, 1}}, 0, 1);
    written.final_read({{0, 0, 0, 2}});
    EXPECT_EQ(anomalies_of(written), "unseen 1");
}

TEST(HistoryChecker, ALostRecordIsLostAndNotUnseenToo) {
    HandWritten written;
    written.ok(0).ok(1).poll({{0, 0, 0, 1}}).final_read({{0, 0, 0, 1}});
    EXPECT_EQ(anomalies_of(written), "lost-write 1");
}

TEST(HistoryChecker, WithoutConsumersNothingIsUnseen) {
    HandWritten written(1, 0);
    written.ok(0).final_read({{0, 0, 0, 1}});
    EXPECT_EQ(anomalies_of(written), "");
}

// --- corrupt ---

TEST(HistoryChecker, ADamagedRecordIsCorruptAndNotLostToo) {
    HandWritten written;
    written.ok(0).poll({}).final_read({});
    written.history().polls.back().damaged = {0};
    EXPECT_EQ(anomalies_of(written), "corrupt 1");
}

TEST(HistoryChecker, DamageThatOnlyOneReaderGotIsCorrupt) {
    HandWritten written;
    written.ok(0).poll({{0, 0, 0, 1}}).final_read({{0, 0, 0, 1}});
    written.history().polls.front().runs.clear();
    written.history().polls.front().damaged = {0};
    EXPECT_EQ(anomalies_of(written), "corrupt 1");
}

// --- replica-divergence ---

TEST(HistoryChecker, NodesWithDifferentLogsDiverge) {
    HandWritten written(1, 0);
    written.ok(0).unknown(1).final_read({{0, 0, 0, 1}, {1, 1, 0, 1}}, 0, "n1");
    written.final_read({{0, 0, 0, 1}}, 0, "n2");
    EXPECT_EQ(anomalies_of(written), "replica-divergence 1");
    EXPECT_THAT(judge_history(written.history())[AnomalyKind::kReplicaDivergence].examples,
                ElementsAre("topic 0 from offset 1: n1 has 2 records, n2 has 1"));
}

TEST(HistoryChecker, NodesWithTheSameLogAgreeHoweverTheyWereRead) {
    HandWritten written(1, 0);
    written.ok(0).ok(1).final_read({{0, 0, 0, 2}}, 0, "n1");
    written.final_read({{0, 0, 0, 1}, {1, 0, 1, 1}}, 0, "n2");
    EXPECT_EQ(anomalies_of(written), "");
}

// --- validity ---

std::vector<std::string> reasons_of(HandWritten& written) {
    return reasons_for_invalidity(written.done());
}

TEST(HistoryValidity, AWitnessedAndHealedFaultWithWorkInItCounts) {
    HandWritten written;
    written.ok(0).begun().witnessed().unknown().healing().healed().ok(1);
    EXPECT_THAT(reasons_of(written), IsEmpty());
}

TEST(HistoryValidity, AFaultNobodySawProvesNothing) {
    HandWritten written;
    written.ok(0).begun().unknown().healing().healed();
    written.history().faults.back().what = {"still there"};
    EXPECT_THAT(reasons_of(written),
                ElementsAre("fault 0 (kill of n1) was not witnessed: still there"));
}

TEST(HistoryValidity, AFaultWithoutWorkInItProvesNothing) {
    HandWritten written;
    written.ok(0).begun().witnessed().healing().healed().ok(1);
    EXPECT_THAT(reasons_of(written),
                ElementsAre("fault 0 (kill of n1): nothing was attempted while it lasted"));
}

TEST(HistoryValidity, AFaultThatWasNotHealedProvesNothing) {
    HandWritten written;
    written.ok(0).begun().witnessed().unknown().healing();
    EXPECT_THAT(reasons_of(written), ElementsAre("fault 0 (kill of n1) was not healed"));
}

TEST(HistoryValidity, WithoutAnAcknowledgementBeforeTheFaultThereIsNothingToLose) {
    HandWritten written;
    written.unknown().begun().witnessed().unknown().healing().healed().ok(0);
    EXPECT_THAT(reasons_of(written),
                ElementsAre("nothing was acknowledged before the first fault"));
    HandWritten idle;
    EXPECT_THAT(reasons_of(idle), ElementsAre("nothing was acknowledged"));
}

TEST(HistoryValidity, AnIncompleteHistoryProvesNothing) {
    HandWritten written;
    written.ok(0);
    written.history().complete = false;
    EXPECT_THAT(reasons_of(written),
                ElementsAre("the history has no end: the harness ended early"));
}

}  // namespace
}  // namespace walrus::harness
