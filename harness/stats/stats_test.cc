#include "harness/stats/stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "harness/stats/rank_test.h"
#include "walrus/base/random.h"
#include "walrus/testing/seed.h"

namespace walrus::harness {
namespace {

// Noise as benchmarks have it: a drift that both systems of a round share, a few percent of noise
// of their own, and now and then a repetition that somebody else's work made much slower.
class NoisyMachine {
public:
    explicit NoisyMachine(Random& random) : random_(random) {}

    void next_round() { drift_ = 0.85 * drift_ + 0.08 * normal(); }
    double measure(double rate) {
        double figure = rate * std::exp(drift_ + 0.015 * normal());
        if (random_.chance(1, 15)) figure /= 1 + 2 * uniform();
        return figure;
    }

private:
    double uniform() { return static_cast<double>(random_.below(1'000'000) + 1) / 1'000'001; }
    double normal() {
        return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform());
    }

    Random& random_;
    double drift_ = 0;
};

struct Pairs {
    std::vector<double> ours;
    std::vector<double> theirs;
};

Pairs measure_pairs(Random& random, std::size_t rounds, double true_ratio) {
    NoisyMachine machine(random);
    Pairs pairs;
    for (std::size_t round = 0; round < rounds; ++round) {
        machine.next_round();
        pairs.ours.push_back(machine.measure(1000 * true_ratio));
        pairs.theirs.push_back(machine.measure(1000));
    }
    return pairs;
}

// Of `trials` comparisons, how many ended with `judgement`.
int count_judgements(Random& random, std::size_t rounds, double true_ratio, Judgement judgement,
                     int trials) {
    int count = 0;
    for (int trial = 0; trial < trials; ++trial) {
        const Pairs pairs = measure_pairs(random, rounds, true_ratio);
        count += judge(paired_ratio(pairs.ours, pairs.theirs, random.next())) == judgement;
    }
    return count;
}

TEST(Median, IsTheMiddleOrTheMeanOfTheTwoMiddleOnes) {
    EXPECT_EQ(median({}), 0);
    EXPECT_EQ(median({7}), 7);
    EXPECT_EQ(median({9, 1, 5}), 5);
    EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
}

TEST(GeometricMean, TreatsDoublingAndHalvingAlike) {
    EXPECT_DOUBLE_EQ(geometric_mean({2, 0.5}), 1);
    EXPECT_DOUBLE_EQ(geometric_mean({4, 9}), 6);
    EXPECT_EQ(geometric_mean({}), 0);
    EXPECT_EQ(geometric_mean({1, 0}), 0);
}

TEST(PairedRatio, IsTheMedianOfTheRatiosAndTheSameForTheSameSeed) {
    const std::vector<double> ours = {10, 12, 11, 13, 9};
    const std::vector<double> theirs = {5, 6, 5.5, 6.5, 3};
    const Ratio first = paired_ratio(ours, theirs, 42);
    const Ratio second = paired_ratio(ours, theirs, 42);
    EXPECT_EQ(first.value, 2.0);
    EXPECT_EQ(first.low, second.low);
    EXPECT_EQ(first.high, second.high);
    EXPECT_EQ(first.low, 2.0);
    EXPECT_EQ(first.high, 3.0);
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
    EXPECT_DOUBLE_EQ(ratio.detectable(), 0);
}

// 600 trials: the true share is at least 93.75 % for five pairs and 95 % above; the bar is more
// than five standard deviations below.
TEST(PairedRatio, TheIntervalHoldsTheTrueRatioAtLeastAsOftenAsItSays) {
    SeededRandom random(testing::test_seed());
    constexpr int kTrials = 600;
    for (const std::size_t rounds : {5, 6, 7, 9, 11, 15}) {
        int held = 0;
        for (int trial = 0; trial < kTrials; ++trial) {
            const Pairs pairs = measure_pairs(random, rounds, 3);
            const Ratio ratio = paired_ratio(pairs.ours, pairs.theirs, random.next());
            if (ratio.low <= 3.0 && ratio.high >= 3.0) ++held;
        }
        EXPECT_GE(held, kTrials * 88 / 100) << rounds << " rounds";
    }
}

TEST(PairedRatio, MorePairsMakeTheIntervalNarrower) {
    SeededRandom random(testing::test_seed());
    const auto typical_width = [&](std::size_t rounds) {
        std::vector<double> widths;
        for (int trial = 0; trial < 100; ++trial) {
            const Pairs pairs = measure_pairs(random, rounds, 1);
            widths.push_back(paired_ratio(pairs.ours, pairs.theirs, 1).detectable());
        }
        return median(widths);
    };
    EXPECT_LT(typical_width(30), typical_width(7));
}

TEST(PairedRatio, NothingToCompareIsNotValid) {
    EXPECT_FALSE(paired_ratio({}, {}, 1).valid());
    EXPECT_FALSE(paired_ratio({1, 2}, {0, 0}, 1).valid());
    EXPECT_EQ(paired_ratio({1, 2, 3}, {1, 0, 3}, 1).pairs, 2u);
}

TEST(UnpairedRatio, ComparesMediansOfTwoRuns) {
    const Ratio ratio = unpaired_ratio({20, 22, 24}, {10, 11, 12, 13, 9}, 7);
    EXPECT_DOUBLE_EQ(ratio.value, 2.0);
    EXPECT_LE(ratio.low, 2.0);
    EXPECT_GE(ratio.high, 2.0);
    EXPECT_EQ(ratio.pairs, 3u);
    EXPECT_FALSE(unpaired_ratio({}, {1}, 1).valid());
    EXPECT_FALSE(unpaired_ratio({1}, {}, 1).valid());
}

TEST(UnpairedRatio, TheIntervalHoldsTheTrueRatioInSteadyNoise) {
    SeededRandom random(testing::test_seed());
    constexpr int kTrials = 300;
    int held = 0;
    for (int trial = 0; trial < kTrials; ++trial) {
        std::vector<double> ours, theirs;
        for (int i = 0; i < 9; ++i) {
            ours.push_back(300.0 + static_cast<double>(random.below(4001)) / 100 - 20);
            theirs.push_back(100.0 + static_cast<double>(random.below(2001)) / 100 - 10);
        }
        const Ratio ratio = unpaired_ratio(ours, theirs, random.next());
        if (ratio.low <= 3.0 && ratio.high >= 3.0) ++held;
    }
    EXPECT_GE(held, kTrials * 88 / 100);
}

// The promise of the house is 19 of 20; the bar leaves five standard deviations of 400 trials.
TEST(Judge, AgainstItselfASystemIsNeitherFasterNorSlower) {
    SeededRandom random(testing::test_seed());
    constexpr int kTrials = 400;
    for (const std::size_t rounds : {5, 7, 11}) {
        const int right = count_judgements(random, rounds, 1.0, Judgement::kNoDifference, kTrials);
        EXPECT_GE(right, kTrials * 19 / 20) << rounds << " rounds";
    }
}

TEST(Judge, ASlowdownOfTenPercentIsFound) {
    SeededRandom random(testing::test_seed());
    constexpr int kTrials = 100;
    EXPECT_GE(count_judgements(random, 15, 0.90, Judgement::kSlower, kTrials), 80);
    EXPECT_EQ(count_judgements(random, 15, 0.90, Judgement::kFaster, kTrials), 0);
    EXPECT_GE(count_judgements(random, 15, 1.10, Judgement::kFaster, kTrials), 75);
}

TEST(Judge, NeedsPairsAndAnEffectThatMatters) {
    const auto ratio = [](double low, double high, std::uint32_t pairs) {
        return Ratio{.value = (low + high) / 2,
                     .low = low,
                     .high = high,
                     .confidence = 0.95,
                     .pairs = pairs};
    };
    EXPECT_EQ(judge(ratio(1.5, 1.6, 4)), Judgement::kNone);
    EXPECT_EQ(why_no_judgement(ratio(1.5, 1.6, 4)), "4 usable pairs, a verdict needs 5");
    EXPECT_EQ(judge(ratio(1.5, 1.6, 5)), Judgement::kFaster);
    EXPECT_EQ(why_no_judgement(ratio(1.5, 1.6, 5)), "");
    EXPECT_EQ(judge(ratio(0.5, 0.6, 5)), Judgement::kSlower);
    EXPECT_EQ(judge(ratio(1.001, 1.002, 50)), Judgement::kNoDifference);
    EXPECT_EQ(judge(ratio(0.9, 1.1, 50)), Judgement::kNoDifference);
    EXPECT_EQ(judge(ratio(1.05, 1.2, 9), {.min_effect = 0.1}), Judgement::kNoDifference);
}

TEST(MannWhitney, AgreesWithThePublishedTables) {
    // Complete separation of n and m values: p = 2 / C(n + m, n).
    EXPECT_NEAR(mann_whitney_p({1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}), 2.0 / 252, 1e-12);
    EXPECT_NEAR(mann_whitney_p({6, 7, 8}, {1, 2, 3, 4}), 2.0 / 35, 1e-12);
    // U = 3: of 252 arrangements 1 + 1 + 2 + 3 have U = 0, 1, 2 and 3.
    EXPECT_NEAR(mann_whitney_p({1, 2, 3, 5, 7}, {4, 6, 8, 9, 10}), 2.0 * 7 / 252, 1e-12);
    EXPECT_EQ(mann_whitney_p({}, {1}), 1);
}

TEST(MannWhitney, TiesAndManyValuesUseTheNormalApproximation) {
    EXPECT_EQ(mann_whitney_p({3, 3, 3}, {3, 3, 3}), 1);
    std::vector<double> low, high;
    for (int i = 0; i < 40; ++i) {
        low.push_back(i);
        high.push_back(i + 30);
    }
    EXPECT_LT(mann_whitney_p(low, high), 1e-6);
    EXPECT_GT(mann_whitney_p(low, low), 0.9);
}

}  // namespace
}  // namespace walrus::harness
