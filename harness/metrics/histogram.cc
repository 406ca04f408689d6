#include "harness/metrics/histogram.h"

#include <algorithm>
#include <cmath>

namespace walrus::harness {

void Histogram::merge(const Histogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    sum_ += other.sum_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
}

std::uint64_t Histogram::quantile(double q) const {
    if (count_ == 0) return 0;
    const double wanted = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(count_));
    const std::uint64_t rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        seen += counts_[i];
        if (seen < rank) continue;
        const auto [lowest, highest] = bucket_range(static_cast<std::uint32_t>(i));
        return std::clamp(lowest + (highest - lowest) / 2, min_, max_);
    }
    return max_;
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
    std::vector<Bucket> filled;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        if (counts_[i] != 0) filled.emplace_back(static_cast<std::uint32_t>(i), counts_[i]);
    }
    return filled;
}

bool Histogram::restore(const std::vector<Bucket>& buckets, std::uint64_t min, std::uint64_t max,
                        double sum) {
    *this = Histogram();
    for (const auto& [index, count] : buckets) {
        if (index >= kBuckets || count_ + count < count_) {
            *this = Histogram();
            return false;
        }
        counts_[index] += count;
        count_ += count;
    }
    if (count_ == 0) return true;
    min_ = min;
    max_ = max;
    sum_ = sum;
    return true;
}

std::pair<std::uint64_t, std::uint64_t> Histogram::bucket_range(std::uint32_t bucket) {
    if (bucket < 2 * kSubBuckets) return {bucket, bucket};
    const std::uint64_t shift = bucket / kSubBuckets - 1;
    const std::uint64_t lowest = (bucket - shift * kSubBuckets) << shift;
    return {lowest, lowest + ((std::uint64_t{1} << shift) - 1)};
}

}  // namespace walrus::harness
