#include "harness/metrics/histogram.h"

#include <algorithm>
#include <cmath>

namespace walrus::harness {

void Histogram::merge(const Histogram& other) {
    if (other.count_ == 0) return;
    const std::size_t last = bucket_of(other.max_);
    for (std::size_t i = bucket_of(other.min_); i <= last; ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    sum_ += other.sum_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
}

void Histogram::clear() {
    if (count_ == 0) return;
    std::fill(counts_.begin() + bucket_of(min_), counts_.begin() + bucket_of(max_) + 1, 0);
    count_ = 0;
    sum_ = 0;
    min_ = ~std::uint64_t{0};
    max_ = 0;
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
    Histogram restored;
    std::uint32_t first = kBuckets;
    std::uint32_t last = 0;
    for (const auto& [index, count] : buckets) {
        if (index >= kBuckets || restored.count_ + count < restored.count_) return false;
        if (count == 0) continue;
        restored.counts_[index] += count;
        restored.count_ += count;
        first = std::min(first, index);
        last = std::max(last, index);
    }
    if (restored.count_ > 0) {
        if (bucket_of(min) != first || bucket_of(max) != last) return false;
        restored.min_ = min;
        restored.max_ = max;
        restored.sum_ = sum;
    }
    *this = std::move(restored);
    return true;
}

std::pair<std::uint64_t, std::uint64_t> Histogram::bucket_range(std::uint32_t bucket) {
    if (bucket < 2 * kSubBuckets) return {bucket, bucket};
    const std::uint64_t shift = bucket / kSubBuckets - 1;
    const std::uint64_t lowest = (bucket - shift * kSubBuckets) << shift;
    return {lowest, lowest + ((std::uint64_t{1} << shift) - 1)};
}

}  // namespace walrus::harness
