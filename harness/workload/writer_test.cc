#include "harness/workload/writer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "harness/check/checker.h"
#include "harness/workload/test_clock.h"
#include "harness/workload/test_producers.h"
#include "walrus/testing/seed.h"

namespace walrus::harness {
namespace {

constexpr std::uint64_t kRunId = 1;

// One writer on a virtual clock; the window is the second from 100 ms on.
class WriterTest : public ::testing::Test {
protected:
    static WriterPlan plan_of(Load load, std::uint32_t outstanding = 1) {
        WriterPlan plan;
        plan.load = load;
        plan.outstanding = outstanding;
        plan.window = {.begin_ns = 100 * kMs, .end_ns = 1'100 * kMs, .interval_ns = 100 * kMs};
        return plan;
    }
    static WriterPlan open_plan(double appends_per_s, std::uint32_t outstanding = 1) {
        WriterPlan plan = plan_of(Load::kOpen, outstanding);
        plan.late_after_ns = 1 * kMs;
        plan.schedule.appends_per_s = appends_per_s;
        return plan;
    }

    WriterReport run(Producer& producer, const WriterPlan& plan) {
        PayloadStream payload(
            {.seed = testing::test_seed(), .run_id = kRunId, .bytes = 100, .batch = plan.batch});
        return run_writer({.producer = producer,
                           .payload = payload,
                           .clock = clock_,
                           .journal = journal_,
                           .latency = latency_},
                          plan);
    }

    // What the producer stored is what the journal says.
    Verdict check(const FakeProducer& producer) const {
        const Journal journal = {journal_};
        Checker checker(kRunId, journal);
        for (const auto& record : producer.stored) checker.observe(record);
        return checker.finish();
    }

    std::vector<std::uint64_t> series() const {
        std::vector<std::uint64_t> counts;
        for (std::size_t i = 0; i < latency_.intervals(); ++i) {
            counts.push_back(latency_.at(i).count());
        }
        return counts;
    }

    VirtualClock clock_;
    WriterJournal journal_;
    LatencySeries latency_;
};

using ClosedLoop = WriterTest;
using WindowLoop = WriterTest;
using BurstLoop = WriterTest;
using OpenLoop = WriterTest;

TEST_F(ClosedLoop, CountsOnlyWhatIsAcknowledgedWithinTheWindow) {
    FakeProducer producer(clock_, 1 * kMs);
    const WriterReport report = run(producer, plan_of(Load::kClosed));
    EXPECT_EQ(report.appends, 1'000u);
    EXPECT_EQ(report.records_before, 99u);
    EXPECT_EQ(report.in_flight_at_end, 1u);
    EXPECT_EQ(journal_.sent, 1'100u);
    EXPECT_EQ(latency_.total().min(), 1 * kMs);
    EXPECT_EQ(latency_.total().max(), 1 * kMs);
    EXPECT_EQ(series(), std::vector<std::uint64_t>(10, 100));
    EXPECT_TRUE(check(producer).ok());
}

TEST_F(ClosedLoop, BatchesCountTheirRecords) {
    FakeProducer producer(clock_, 1 * kMs);
    WriterPlan plan = plan_of(Load::kClosed);
    plan.batch = 16;
    const WriterReport report = run(producer, plan);
    EXPECT_EQ(report.appends, 1'000u);
    EXPECT_EQ(report.records, 16'000u);
    EXPECT_TRUE(check(producer).ok());
}

TEST_F(ClosedLoop, TopicsGetEqualShares) {
    FakeProducer producer(clock_, 1 * kMs);
    WriterPlan plan = plan_of(Load::kClosed);
    plan.first_topic = 1;
    plan.topic_step = 3;
    plan.topics = 9;
    plan.max_appends = 7;
    run(producer, plan);
    EXPECT_EQ(producer.topics, (std::vector<std::uint32_t>{1, 4, 7, 1, 4, 7, 1}));
}

TEST_F(ClosedLoop, StopsAtTheFirstFailureAndKeepsItInTheJournal) {
    FakeProducer producer(clock_, 1 * kMs);
    producer.fail_at = 5;
    const WriterReport report = run(producer, plan_of(Load::kClosed));
    EXPECT_EQ(report.status.error().code, Errc::kNoSpace);
    EXPECT_EQ(journal_.sent, 5u);
    EXPECT_EQ(journal_.acknowledged(), 4u);
    EXPECT_EQ(journal_.outcome_of(4), Outcome::kFailed);
    EXPECT_TRUE(check(producer).ok());
}

TEST_F(ClosedLoop, ATimeoutLeavesTheOutcomeUnknown) {
    FakeProducer producer(clock_, 1 * kMs);
    producer.fail_at = 1;
    producer.fail_with = {Errc::kTimeout, "late"};
    run(producer, plan_of(Load::kClosed));
    EXPECT_EQ(journal_.outcome_of(0), Outcome::kUnknown);
}

TEST_F(WindowLoop, NeverHasMoreInFlightThanAllowed) {
    FakeProducer producer(clock_, 1 * kMs, 7);
    const WriterReport report = run(producer, plan_of(Load::kWindow, 8));
    EXPECT_EQ(producer.most_waiting, 8u);
    EXPECT_TRUE(report.status);
    EXPECT_EQ(journal_.acknowledged(), journal_.sent);
    // Sent when the append began, acknowledged when the seventh after it had been taken.
    EXPECT_EQ(latency_.total().quantile(0.5) / kMs, 8u);
    EXPECT_TRUE(check(producer).ok());
}

TEST_F(WindowLoop, WhatIsInFlightAtTheEndIsWaitedForButNotCounted) {
    FakeProducer producer(clock_, 10 * kMs, 63);
    const WriterReport report = run(producer, plan_of(Load::kWindow, 64));
    EXPECT_EQ(journal_.sent, 110u);
    EXPECT_EQ(journal_.acknowledged(), 110u);
    EXPECT_EQ(report.appends, 46u);
    EXPECT_EQ(report.in_flight_at_end, 64u);
}

TEST_F(WindowLoop, ARefusedAppendEndsTheWriterAndTheRestIsDrained) {
    FakeProducer producer(clock_, 1 * kMs, 3);
    producer.fail_at = 10;
    const WriterReport report = run(producer, plan_of(Load::kWindow, 4));
    EXPECT_EQ(report.status.error().code, Errc::kNoSpace);
    EXPECT_EQ(journal_.sent, 10u);
    EXPECT_EQ(journal_.acknowledged(), 9u);
    EXPECT_TRUE(check(producer).ok());
}

TEST_F(BurstLoop, BurstsGrowAndBeginAgainWithPausesBetween) {
    FakeProducer producer(clock_, 1 * kMs);
    WriterPlan plan = plan_of(Load::kBurst);
    plan.batch = 2;
    plan.bursts = {.records = 4, .growth_records = 4, .most_records = 8, .pause_ns = 100 * kMs};
    plan.max_appends = 8;
    run(producer, plan);
    std::vector<std::uint64_t> calls_ms;
    for (const std::uint64_t at : producer.calls_ns) calls_ms.push_back(at / kMs);
    // 4 records, 8 records, and 4 again; each append has two.
    EXPECT_EQ(calls_ms, (std::vector<std::uint64_t>{0, 1, 102, 103, 104, 105, 206, 207}));
}

TEST_F(BurstLoop, ALongPauseDoesNotOutlastTheWindow) {
    FakeProducer producer(clock_, 1 * kMs);
    WriterPlan plan = plan_of(Load::kBurst);
    plan.bursts = {.records = 1, .pause_ns = 3'600 * kSecond};
    const WriterReport report = run(producer, plan);
    EXPECT_EQ(producer.calls_ns.size(), 1u);
    EXPECT_EQ(clock_.monotonic_ns(), plan.window.end_ns);
    EXPECT_EQ(report.appends, 0u);
}

TEST_F(OpenLoop, SendsAtTheMomentsOfTheSchedule) {
    FakeProducer producer(clock_, 1 * kMs);
    const WriterReport report = run(producer, open_plan(100));
    ASSERT_EQ(producer.calls_ns.size(), 110u);
    for (std::size_t i = 0; i < producer.calls_ns.size(); ++i) {
        EXPECT_EQ(producer.calls_ns[i], i * 10 * kMs);
    }
    EXPECT_EQ(report.appends, 100u);
    EXPECT_EQ(report.delay_ns.count(), 100u);
    EXPECT_EQ(report.delay_ns.max(), 0u);
    EXPECT_EQ(report.late_sends, 0u);
    EXPECT_EQ(report.unsent_at_end, 0u);
    EXPECT_EQ(report.due_before, 10u);
    EXPECT_EQ(report.due, std::vector<std::uint64_t>(10, 10));
    EXPECT_EQ(latency_.total().max(), 1 * kMs);
}

// 200 ms of silence in every second.  An append is due at any moment of the second with the same
// probability, so its latency l > 0 has P(latency > l) = (200 ms - l) / 1 s: the p99 is 190 ms.
TEST_F(OpenLoop, AStallOfTheSystemIsInTheLatencyOfEverythingThatWasDue) {
    StallingProducer producer(clock_, 10 * kUs, 200 * kMs, kSecond);
    WriterPlan plan = open_plan(1'000);
    plan.window = {.begin_ns = kSecond, .end_ns = 11 * kSecond, .interval_ns = kSecond};
    const WriterReport report = run(producer, plan);
    const Histogram latency = latency_.total();
    constexpr double kAnalytic = 190.0 * kMs;
    EXPECT_NEAR(static_cast<double>(latency.quantile(0.99)), kAnalytic, 0.05 * kAnalytic);
    EXPECT_NEAR(static_cast<double>(latency.max()), 200.0 * kMs, 2.0 * kMs);
    EXPECT_LT(latency.quantile(0.5), 1 * kMs);
    // The calls themselves are quick, but for one in each second: that is what a tool sees that
    // counts from the call.
    EXPECT_LT(report.service_ns.quantile(0.99), 1 * kMs);
    // A fifth of the sends came late.
    EXPECT_NEAR(static_cast<double>(report.late_sends) / 10'000.0, 0.2, 0.01);
    EXPECT_EQ(report.appends, 10'000u);
}

TEST_F(ClosedLoop, DoesNotSeeTheSameStall) {
    StallingProducer producer(clock_, 10 * kUs, 200 * kMs, kSecond);
    WriterPlan plan = plan_of(Load::kClosed);
    plan.window = {.begin_ns = kSecond, .end_ns = 11 * kSecond, .interval_ns = kSecond};
    run(producer, plan);
    EXPECT_LT(latency_.total().quantile(0.999), 1 * kMs);
    EXPECT_GE(latency_.total().max(), 199 * kMs);
}

TEST_F(OpenLoop, WhatTheSystemCannotTakeIsNeitherForgottenNorMoved) {
    FakeProducer producer(clock_, 20 * kMs);  // Half of what is asked for.
    const WriterReport report = run(producer, open_plan(100));
    EXPECT_EQ(report.appends, 50u);
    EXPECT_EQ(report.due, std::vector<std::uint64_t>(10, 10));
    // 110 were due, 55 were sent.
    EXPECT_EQ(report.unsent_at_end, 55u);
    // The append that would have come next was due at 550 ms.
    EXPECT_EQ(report.lag_ns, 550 * kMs);
    // Appends are late by as much as they are sent after their moment: the n-th by n x 10 ms.
    EXPECT_EQ(report.delay_ns.max() / kMs, 540u);
    EXPECT_GT(report.late_sends, 45u);
    EXPECT_TRUE(check(producer).ok());
}

TEST_F(OpenLoop, AFullWindowOfAppendsInFlightDoesNotShiftTheSchedule) {
    FakeProducer producer(clock_, 20 * kMs, 3);
    const WriterReport report = run(producer, open_plan(100, 4));
    EXPECT_EQ(producer.most_waiting, 4u);
    EXPECT_EQ(report.unsent_at_end, 55u);
    // Four appends of 20 ms each go by until one is acknowledged.
    EXPECT_EQ(report.service_ns.quantile(0.5) / kMs, 80u);
    // From the due moment: as late as the send was, and the 80 ms.
    EXPECT_NEAR(static_cast<double>(latency_.total().max()),
                static_cast<double>(report.delay_ns.max() + 80 * kMs), 45.0 * kMs);
    EXPECT_EQ(journal_.acknowledged(), journal_.sent);
}

TEST_F(OpenLoop, PoissonArrivalsHaveTheRateAndComeFromTheSeed) {
    FakeProducer producer(clock_, 1 * kUs);
    WriterPlan plan = open_plan(10'000);
    plan.schedule.arrivals = Arrivals::kPoisson;
    plan.schedule.seed = testing::test_seed();
    const WriterReport report = run(producer, plan);
    // 10,000 expected, standard deviation 100.
    EXPECT_NEAR(static_cast<double>(report.appends), 10'000.0, 500.0);

    Schedule again(plan.schedule);
    for (std::size_t i = 0; i < 100; ++i) {
        EXPECT_LE(again.next(), producer.calls_ns[i]) << i;
    }
}

TEST(Schedule, PoissonGapsAreExponential) {
    Schedule schedule(
        {.arrivals = Arrivals::kPoisson, .appends_per_s = 1'000, .seed = testing::test_seed()});
    constexpr int kGaps = 100'000;
    int longer_than_mean = 0;
    std::uint64_t last_ns = 0;
    for (int i = 0; i < kGaps; ++i) {
        const std::uint64_t due_ns = schedule.next();
        ASSERT_GE(due_ns, last_ns);
        if (due_ns - last_ns > 1 * kMs) ++longer_than_mean;
        last_ns = due_ns;
    }
    EXPECT_NEAR(static_cast<double>(last_ns) / kGaps, 1.0 * kMs, 0.02 * kMs);
    EXPECT_NEAR(static_cast<double>(longer_than_mean) / kGaps, std::exp(-1.0), 0.01);
}

TEST(Schedule, UniformMomentsDoNotDrift) {
    Schedule schedule({.appends_per_s = 3, .begin_ns = 7 * kSecond, .phase = 0.5});
    EXPECT_EQ(schedule.next(), 7 * kSecond + kSecond / 6);
    std::uint64_t due_ns = 0;
    for (int i = 1; i <= 3'000'000; ++i) due_ns = schedule.next();
    EXPECT_EQ(due_ns, 7 * kSecond + 1'000'000 * kSecond + kSecond / 6);
}

TEST(LatencySeries, IntervalsOfAllWritersAddUpToTheTotalWithoutLoss) {
    const Window window{.begin_ns = 100, .end_ns = 400, .interval_ns = 100};
    LatencySeries series;
    {
        IntervalRecorder one(window, series);
        IntervalRecorder two(window, series);
        one.record(100, 1);
        two.record(199, 2);
        one.record(310, 3);
        one.record(150, 4);  // Late to be told, and still where it belongs.
        two.record(399, 5);
    }
    ASSERT_EQ(series.intervals(), 3u);
    EXPECT_EQ(series.at(0).count(), 3u);
    EXPECT_EQ(series.at(0).max(), 4u);
    EXPECT_EQ(series.at(1).count(), 0u);
    EXPECT_EQ(series.at(2).count(), 2u);
    EXPECT_EQ(series.total().count(), 5u);
    EXPECT_EQ(series.total().quantile(0.5), 3u);
}

}  // namespace
}  // namespace walrus::harness
