// LatencyHistogram: how often something took how long, in buckets that double.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace walrus::broker {

// Bucket i counts what took at most 2^i microseconds and more than half of that; the last one
// everything above.  Reaches to 33 s.
class LatencyHistogram {
public:
    static constexpr std::size_t kBuckets = 27;

    void add(std::uint64_t latency_ns) {
        const std::uint64_t us = (latency_ns + 999) / 1000;
        const auto bucket = static_cast<std::size_t>(us <= 1 ? 0 : std::bit_width(us - 1));
        ++counts_[std::min(bucket, kBuckets - 1)];
        ++count_;
        sum_ns_ += latency_ns;
    }

    // The upper bound of bucket `i`, inclusive; the last has none.
    static constexpr std::uint64_t bound_us(std::size_t i) { return std::uint64_t{1} << i; }
    std::uint64_t in_bucket(std::size_t i) const { return counts_[i]; }
    std::uint64_t count() const { return count_; }
    std::uint64_t sum_ns() const { return sum_ns_; }

private:
    std::array<std::uint64_t, kBuckets> counts_ = {};
    std::uint64_t count_ = 0;
    std::uint64_t sum_ns_ = 0;
};

}  // namespace walrus::broker
