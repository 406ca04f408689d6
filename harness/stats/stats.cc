#include "harness/stats/stats.h"

#include <algorithm>
#include <cmath>

#include "walrus/base/assert.h"
#include "walrus/base/random.h"

namespace walrus::harness {
namespace {

constexpr std::size_t kResamples = 4000;

// The value below which `q` of the sorted list lies, interpolated.
double quantile_of_sorted(const std::vector<double>& sorted, double q) {
    const double position = q * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(std::floor(position));
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    const double part = position - static_cast<double>(below);
    return sorted[below] * (1 - part) + sorted[above] * part;
}

}  // namespace

double median(std::vector<double> values) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    return quantile_of_sorted(values, 0.5);
}

Ratio paired_ratio(const std::vector<double>& ours, const std::vector<double>& theirs,
                   std::uint64_t seed, double confidence) {
    WALRUS_ASSERT(ours.size() == theirs.size());
    const double base = median(theirs);
    if (ours.empty() || base == 0) return {};

    SeededRandom random(seed);
    std::vector<double> ratios;
    std::vector<double> our_sample(ours.size());
    std::vector<double> their_sample(theirs.size());
    for (std::size_t resample = 0; resample < kResamples; ++resample) {
        for (std::size_t i = 0; i < ours.size(); ++i) {
            const std::size_t round = random.below(ours.size());
            our_sample[i] = ours[round];
            their_sample[i] = theirs[round];
        }
        const double denominator = median(their_sample);
        if (denominator != 0) ratios.push_back(median(our_sample) / denominator);
    }
    if (ratios.empty()) return {};
    std::ranges::sort(ratios);
    const double tail = (1 - confidence) / 2;
    return {.value = median(ours) / base,
            .low = quantile_of_sorted(ratios, tail),
            .high = quantile_of_sorted(ratios, 1 - tail),
            .confidence = confidence,
            .pairs = static_cast<std::uint32_t>(ours.size())};
}

}  // namespace walrus::harness
