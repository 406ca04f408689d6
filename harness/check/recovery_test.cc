#include "harness/check/recovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/check/test_history.h"

namespace walrus::harness {
namespace {

using ::testing::ElementsAre;

constexpr std::uint64_t kMs = 1'000'000;

// Appends and polls take two ticks of 1 ms each, everything else one.
TEST(Recovery, TimesAreFromTheFaultAndFromTheBeginningOfTheHeal) {
    HandWritten written;
    written.ok(0).poll({{0, 0, 0, 1}});                     // .. 4 ms
    written.begun().witnessed().unknown();                  // 5, 6, 7-8
    written.after_ms(100).healing().after_ms(50).healed();  // 109, 160
    written.ok(1).poll({{1, 0, 2, 1}});                     // 161-162, 163-164
    const RecoveryFigures figures = measure_recovery(written.done());
    ASSERT_EQ(figures.faults.size(), 1u);
    const FaultFigures& fault = figures.faults.front();
    EXPECT_EQ(fault.attempts, 1u);
    EXPECT_EQ(fault.acknowledged, 0u);
    EXPECT_EQ(fault.down_ns, 155 * kMs);
    EXPECT_EQ(fault.first_ack_ns, 157 * kMs);
    EXPECT_EQ(fault.recovered_ns, 55 * kMs);  // The consumer had it at 164.
}

TEST(Recovery, TheTopicThatWaitsLongestDecides) {
    HandWritten written(2, 0);
    written.ok(0, 0, 0).ok(0, 1, 1).begun().witnessed().unknown().healing().healed();
    written.ok(1, 0, 0).after_ms(500).ok(1, 1, 1);
    const RecoveryFigures figures = measure_recovery(written.done());
    EXPECT_GT(figures.faults.at(0).first_ack_ns.value_or(0), 500 * kMs);
    EXPECT_GT(figures.faults.at(0).recovered_ns.value_or(0), 500 * kMs);
}

TEST(Recovery, ATopicThatNeverAnswersAgainHasNoRecovery) {
    HandWritten written(2, 0);
    written.ok(0, 0, 0).ok(0, 1, 1).begun().witnessed().unknown().healing().healed();
    written.ok(1, 0, 0).unknown(1, 1);
    const RecoveryFigures figures = measure_recovery(written.done());
    EXPECT_FALSE(figures.faults.at(0).first_ack_ns);
    EXPECT_FALSE(figures.faults.at(0).recovered_ns);
}

TEST(Recovery, AConsumerThatIsStuckHasNotRecovered) {
    HandWritten written;
    written.ok(0).poll({{0, 0, 0, 1}}).begun().witnessed().unknown().healing().healed();
    written.ok(1).final_read({{0, 0, 0, 1}, {1, 0, 2, 1}});
    const RecoveryFigures figures = measure_recovery(written.done());
    EXPECT_TRUE(figures.faults.at(0).first_ack_ns);
    EXPECT_FALSE(figures.faults.at(0).recovered_ns);
}

TEST(Recovery, ErrorsAndMissingOutcomesArePartOfThePhasesLatency) {
    HandWritten written;
    written.phase("steady").ok(0).fail().unknown().after_ms(1'000).phase("healed");
    const RecoveryFigures figures = measure_recovery(written.done());
    const PhaseFigures& steady = figures.phases.at(0);
    EXPECT_EQ(steady.appends, 3u);
    EXPECT_EQ(steady.acknowledged, 1u);
    EXPECT_EQ(steady.failed, 1u);
    EXPECT_EQ(steady.unknown, 1u);
    EXPECT_EQ(steady.latency_ns.count(), 3u);
    EXPECT_GE(steady.latency_ns.max(), 1'000 * kMs);  // Until the end of the history.
}

TEST(Recovery, GapsBetweenAcknowledgementsAreUnavailability) {
    HandWritten written;
    written.ok(0).phase("steady").ok(1).after_ms(40).ok(2).after_ms(700).ok(3).phase("healed");
    written.phase("final");
    const RecoveryFigures figures = measure_recovery(written.done());
    ASSERT_EQ(figures.topics.size(), 1u);
    EXPECT_EQ(figures.topics[0].longest_gap_ns, 702 * kMs);
    EXPECT_EQ(figures.topics[0].unavailable_ns, 702 * kMs);  // 42 ms are no outage.
}

TEST(Recovery, UnreadIsWhatTheSlowestConsumerHasNotGot) {
    HandWritten written(1, 2);
    written.ok(0).ok(1);                              // Until 4 ms.
    written.poll({{0, 0, 0, 2}}, 0, 0);               // 6 ms.
    written.after_ms(10).poll({{0, 0, 0, 2}}, 0, 1);  // 18 ms.
    EXPECT_THAT(unread_over_time(written.done(), 0, 20 * kMs, 5 * kMs),
                ElementsAre(2u, 2u, 2u, 0u));
}

}  // namespace
}  // namespace walrus::harness
