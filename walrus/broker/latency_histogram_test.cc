#include "walrus/broker/latency_histogram.h"

#include <gtest/gtest.h>

namespace walrus::broker {
namespace {

TEST(LatencyHistogram, CountsEachLatencyInTheFirstBucketThatReachesIt) {
    LatencyHistogram histogram;
    for (const std::uint64_t ns : {0, 1, 1'000, 1'001, 2'000, 2'001, 4'000}) histogram.add(ns);
    EXPECT_EQ(histogram.in_bucket(0), 3U);
    EXPECT_EQ(histogram.in_bucket(1), 2U);
    EXPECT_EQ(histogram.in_bucket(2), 2U);
    EXPECT_EQ(histogram.count(), 7U);
    EXPECT_EQ(histogram.sum_ns(), 10'003U);
}

TEST(LatencyHistogram, KeepsWhatIsBeyondItsReachInTheLastBucket) {
    LatencyHistogram histogram;
    histogram.add(~std::uint64_t{0} - 2'000);
    EXPECT_EQ(histogram.in_bucket(LatencyHistogram::kBuckets - 1), 1U);
}

}  // namespace
}  // namespace walrus::broker
