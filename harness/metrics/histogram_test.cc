#include "harness/metrics/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "walrus/base/random.h"
#include "walrus/testing/seed.h"

namespace walrus::harness {
namespace {

// Spread over many orders of magnitude, as latencies are.
std::vector<std::uint64_t> random_values(std::size_t count, Random& random) {
    std::vector<std::uint64_t> values;
    for (std::size_t i = 0; i < count; ++i) values.push_back(random.next() >> random.below(60));
    return values;
}

std::uint64_t exact_quantile(const std::vector<std::uint64_t>& sorted, double q) {
    const auto rank =
        static_cast<std::size_t>(std::max(1.0, std::ceil(q * static_cast<double>(sorted.size()))));
    return sorted[rank - 1];
}

TEST(Histogram, QuantilesAreWithinTheStatedErrorOfTheExactOnes) {
    SeededRandom random(testing::test_seed());
    for (const std::size_t count : {1, 2, 10, 1'000, 100'000}) {
        std::vector<std::uint64_t> values = random_values(count, random);
        Histogram histogram;
        for (const std::uint64_t value : values) histogram.record(value);
        std::ranges::sort(values);
        for (const double q : {0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
            const auto exact = static_cast<double>(exact_quantile(values, q));
            const auto reported = static_cast<double>(histogram.quantile(q));
            EXPECT_LE(std::abs(reported - exact), exact * Histogram::kMaxRelativeError)
                << "q=" << q << " of " << count;
        }
        EXPECT_EQ(histogram.min(), values.front());
        EXPECT_EQ(histogram.max(), values.back());
    }
}

TEST(Histogram, SmallValuesAreExact) {
    for (std::uint64_t value = 0; value < 256; ++value) {
        Histogram histogram;
        histogram.record(value);
        histogram.record(1'000'000);
        EXPECT_EQ(histogram.quantile(0.5), value);
    }
}

TEST(Histogram, EveryValueHasABucketThatHoldsIt) {
    SeededRandom random(testing::test_seed());
    std::vector<std::uint64_t> values = random_values(10'000, random);
    values.push_back(0);
    values.push_back(std::numeric_limits<std::uint64_t>::max());
    for (const std::uint64_t value : values) {
        Histogram histogram;
        histogram.record(value);
        const auto [lowest, highest] = Histogram::bucket_range(histogram.buckets().front().first);
        EXPECT_LE(lowest, value);
        EXPECT_GE(highest, value);
    }
}

TEST(Histogram, MergingIsTheSameAsRecordingInOne) {
    SeededRandom random(testing::test_seed());
    Histogram one, two, both;
    for (const std::uint64_t value : random_values(5'000, random)) {
        (random.chance(1, 2) ? one : two).record(value);
        both.record(value);
    }
    one.merge(two);
    EXPECT_EQ(one.buckets(), both.buckets());
    EXPECT_EQ(one.count(), both.count());
    EXPECT_EQ(one.min(), both.min());
    EXPECT_EQ(one.max(), both.max());
}

TEST(Histogram, RestoredFromItsBucketsItSaysTheSame) {
    SeededRandom random(testing::test_seed());
    Histogram histogram;
    for (const std::uint64_t value : random_values(1'000, random)) histogram.record(value);
    Histogram restored;
    ASSERT_TRUE(
        restored.restore(histogram.buckets(), histogram.min(), histogram.max(), histogram.sum()));
    EXPECT_EQ(restored.quantile(0.99), histogram.quantile(0.99));
    EXPECT_EQ(restored.count(), histogram.count());
}

TEST(Histogram, AClearedOneIsAsGoodAsNew) {
    SeededRandom random(testing::test_seed());
    Histogram used;
    for (int round = 0; round < 3; ++round) {
        Histogram fresh;
        for (const std::uint64_t value : random_values(100, random)) {
            used.record(value);
            fresh.record(value);
        }
        EXPECT_EQ(used.buckets(), fresh.buckets());
        EXPECT_EQ(used.min(), fresh.min());
        EXPECT_EQ(used.max(), fresh.max());
        EXPECT_EQ(used.mean(), fresh.mean());
        used.clear();
        EXPECT_EQ(used.count(), 0u);
        EXPECT_TRUE(used.buckets().empty());
    }
}

TEST(Histogram, WhatCannotHaveBeenRecordedIsNotRestored) {
    Histogram histogram;
    EXPECT_FALSE(histogram.restore({{1'000'000, 1}}, 0, 0, 0));
    EXPECT_FALSE(histogram.restore({{5, 1}, {9, 1}}, 5, 10, 15));
    EXPECT_FALSE(histogram.restore({{5, 1}, {9, 1}}, 6, 9, 15));
    EXPECT_EQ(histogram.count(), 0u);
}

TEST(Histogram, AnEmptyOneReportsZeros) {
    const Histogram histogram;
    EXPECT_EQ(histogram.quantile(0.5), 0u);
    EXPECT_EQ(histogram.min(), 0u);
    EXPECT_EQ(histogram.mean(), 0.0);
}

}  // namespace
}  // namespace walrus::harness
