#include "harness/stats/stats.h"

#include <gtest/gtest.h>

#include "walrus/base/random.h"
#include "walrus/testing/seed.h"

namespace walrus::harness {
namespace {

TEST(Median, IsTheMiddleOrTheMeanOfTheTwoMiddleOnes) {
    EXPECT_EQ(median({}), 0);
    EXPECT_EQ(median({7}), 7);
    EXPECT_EQ(median({9, 1, 5}), 5);
    EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
}

TEST(PairedRatio, TheSameSeedGivesTheSameInterval) {
    const std::vector<double> ours = {10, 12, 11, 13, 9};
    const std::vector<double> theirs = {5, 6, 5.5, 6.5, 4.6};
    const Ratio first = paired_ratio(ours, theirs, 42);
    const Ratio second = paired_ratio(ours, theirs, 42);
    EXPECT_EQ(first.value, 2.0);
    EXPECT_EQ(first.low, second.low);
    EXPECT_EQ(first.high, second.high);
    EXPECT_LE(first.low, first.value);
    EXPECT_GE(first.high, first.value);
    EXPECT_EQ(first.pairs, 5u);
}

TEST(PairedRatio, DriftThatHitsBothSidesCancels) {
    // Every round is slower than the last, but the ratio is 2 in each.
    std::vector<double> ours, theirs;
    for (int round = 1; round <= 5; ++round) {
        theirs.push_back(100.0 / round);
        ours.push_back(200.0 / round);
    }
    const Ratio ratio = paired_ratio(ours, theirs, 1);
    EXPECT_DOUBLE_EQ(ratio.low, 2.0);
    EXPECT_DOUBLE_EQ(ratio.high, 2.0);
}

TEST(PairedRatio, TheIntervalHoldsTheTrueRatioAboutAsOftenAsItSays) {
    SeededRandom random(testing::test_seed());
    int held = 0;
    constexpr int kTrials = 200;
    for (int trial = 0; trial < kTrials; ++trial) {
        std::vector<double> ours, theirs;
        for (int i = 0; i < 11; ++i) {
            ours.push_back(300.0 + static_cast<double>(random.below(41)) - 20);
            theirs.push_back(100.0 + static_cast<double>(random.below(21)) - 10);
        }
        const Ratio ratio = paired_ratio(ours, theirs, random.next());
        if (ratio.low <= 3.0 && ratio.high >= 3.0) ++held;
    }
    EXPECT_GE(held, kTrials * 85 / 100);
}

TEST(PairedRatio, NothingToCompareIsNotValid) {
    EXPECT_FALSE(paired_ratio({}, {}, 1).valid());
    EXPECT_FALSE(paired_ratio({1, 2}, {0, 0}, 1).valid());
}

}  // namespace
}  // namespace walrus::harness
