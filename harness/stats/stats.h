// Statistics of repeated measurements: medians, and how sure a ratio is.
#pragma once

#include <cstdint>
#include <vector>

namespace walrus::harness {

// The middle value, or the mean of the two middle ones.  0 for an empty list.
double median(std::vector<double> values);

// A ratio with the interval that holds it with `confidence`.
struct Ratio {
    double value = 0;
    double low = 0;
    double high = 0;
    double confidence = 0;
    std::uint32_t pairs = 0;  // Rounds in which both sides were measured.

    bool valid() const { return pairs > 0; }
};

// The ratio of the medians of `ours` over `theirs`.  The two are paired: element i of both was
// measured in the same round.  The interval is a percentile bootstrap over rounds, so that drift
// that hits both sides of a round cancels.  The same input and seed give the same interval.
Ratio paired_ratio(const std::vector<double>& ours, const std::vector<double>& theirs,
                   std::uint64_t seed, double confidence = 0.95);

}  // namespace walrus::harness
