// Histogram: counts of latencies in log-linear buckets, merged without loss.
//
// Values below 256 have a bucket each; above, every power of two is split into 128 buckets.  A
// quantile is reported as the middle of its bucket, so it is off by at most 1/256 (0.4 %) of the
// exact order statistic (kMaxRelativeError; tested).  Nothing is clipped: all 64-bit values fit.
#pragma once

#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

namespace walrus::harness {

// Used by one thread at a time: each writer has its own, merged at the end.
class Histogram {
public:
    static constexpr double kMaxRelativeError = 1.0 / 256;

    Histogram() : counts_(kBuckets, 0) {}

    void record(std::uint64_t value) {
        ++counts_[bucket_of(value)];
        ++count_;
        sum_ += static_cast<double>(value);
        if (value < min_) min_ = value;
        if (value > max_) max_ = value;
    }

    // Both take time in proportion to the range of values that were recorded.
    void merge(const Histogram& other);
    void clear();

    std::uint64_t count() const { return count_; }
    // 0 when empty.  min and max are exact.
    std::uint64_t min() const { return count_ == 0 ? 0 : min_; }
    std::uint64_t max() const { return max_; }
    double mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }
    // The smallest recorded value with at least `q` of all values at or below it, within the
    // stated error; 0 when empty.  `q` in [0, 1].
    std::uint64_t quantile(double q) const;

    // The buckets that are not empty: (index, count), by index; enough to build it again together
    // with min, max and sum.
    using Bucket = std::pair<std::uint32_t, std::uint64_t>;
    std::vector<Bucket> buckets() const;
    double sum() const { return sum_; }
    // False, and nothing changes, when an index does not exist, the counts overflow, or min and max
    // are not in the first and the last bucket.
    bool restore(const std::vector<Bucket>& buckets, std::uint64_t min, std::uint64_t max,
                 double sum);

    // [lowest, highest] value of a bucket.
    static std::pair<std::uint64_t, std::uint64_t> bucket_range(std::uint32_t bucket);

private:
    static constexpr unsigned kSubBits = 7;
    static constexpr std::uint64_t kSubBuckets = std::uint64_t{1} << kSubBits;
    static constexpr std::size_t kBuckets = (64 - kSubBits + 1) * kSubBuckets;

    static std::uint32_t bucket_of(std::uint64_t value) {
        if (value < kSubBuckets) return static_cast<std::uint32_t>(value);
        const auto shift = static_cast<unsigned>(63 - std::countl_zero(value)) - kSubBits;
        return static_cast<std::uint32_t>(shift * kSubBuckets + (value >> shift));
    }

    std::vector<std::uint64_t> counts_;
    std::uint64_t count_ = 0;
    double sum_ = 0;
    std::uint64_t min_ = ~std::uint64_t{0};
    std::uint64_t max_ = 0;
};

}  // namespace walrus::harness
