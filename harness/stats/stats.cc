#include "harness/stats/stats.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "walrus/base/assert.h"
#include "walrus/base/random.h"

namespace walrus::harness {
namespace {

constexpr std::size_t kResamples = 4000;

double quantile_of_sorted(const std::vector<double>& sorted, double q) {
    const double position = q * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(std::floor(position));
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    const double part = position - static_cast<double>(below);
    return sorted[below] * (1 - part) + sorted[above] * part;
}

// Draws as many elements as there are, with replacement.
void resample(const std::vector<double>& values, Random& random, std::vector<double>& sample) {
    sample.clear();
    for (std::size_t i = 0; i < values.size(); ++i) {
        sample.push_back(values[random.below(values.size())]);
    }
}

// How many values to leave out at each end of `n` sorted ones so that the rest still spans the
// true median with `confidence`: P(at most k of n fair coins fall on one side) must stay within
// the tail.  0 also when no choice is sure enough.
std::size_t order_statistic_trim(std::size_t n, double confidence) {
    const double tail = (1 - confidence) / 2;
    double term = std::pow(0.5, static_cast<double>(n));  // P(exactly 0 of n).
    double below = term;
    std::size_t trim = 0;
    for (std::size_t k = 1; k < n / 2; ++k) {
        term *= static_cast<double>(n - k + 1) / static_cast<double>(k);
        if (below + term > tail) break;
        below += term;
        trim = k;
    }
    return trim;
}

}  // namespace

double median(std::vector<double> values) {
    return quantile(std::move(values), 0.5);
}

double quantile(std::vector<double> values, double q) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    return quantile_of_sorted(values, q);
}

double geometric_mean(const std::vector<double>& values) {
    if (values.empty() || std::ranges::any_of(values, [](double v) { return v <= 0; })) return 0;
    double logarithms = 0;
    for (const double value : values) logarithms += std::log(value);
    return std::exp(logarithms / static_cast<double>(values.size()));
}

Ratio paired_ratio(const std::vector<double>& ours, const std::vector<double>& theirs,
                   std::uint64_t seed, double confidence) {
    WALRUS_ASSERT(ours.size() == theirs.size());
    std::vector<double> ratios;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        if (ours[i] > 0 && theirs[i] > 0) ratios.push_back(ours[i] / theirs[i]);
    }
    if (ratios.empty()) return {};
    SeededRandom random(seed);
    std::vector<double> medians;
    std::vector<double> sample;
    for (std::size_t i = 0; i < kResamples; ++i) {
        resample(ratios, random, sample);
        medians.push_back(median(sample));
    }
    std::ranges::sort(medians);
    std::ranges::sort(ratios);
    const double tail = (1 - confidence) / 2;
    const std::size_t trim = order_statistic_trim(ratios.size(), confidence);
    return {
        .value = quantile_of_sorted(ratios, 0.5),
        .low = std::min(quantile_of_sorted(medians, tail), ratios[trim]),
        .high = std::max(quantile_of_sorted(medians, 1 - tail), ratios[ratios.size() - 1 - trim]),
        .confidence = confidence,
        .pairs = static_cast<std::uint32_t>(ratios.size())};
}

Ratio unpaired_ratio(const std::vector<double>& ours, const std::vector<double>& theirs,
                     std::uint64_t seed, double confidence) {
    const double base = median(theirs);
    if (ours.empty() || base <= 0) return {};
    SeededRandom random(seed);
    std::vector<double> ratios;
    std::vector<double> our_sample;
    std::vector<double> their_sample;
    for (std::size_t i = 0; i < kResamples; ++i) {
        resample(ours, random, our_sample);
        resample(theirs, random, their_sample);
        const double denominator = median(their_sample);
        if (denominator > 0) ratios.push_back(median(our_sample) / denominator);
    }
    if (ratios.empty()) return {};
    std::ranges::sort(ratios);
    const double tail = (1 - confidence) / 2;
    return {.value = median(ours) / base,
            .low = quantile_of_sorted(ratios, tail),
            .high = quantile_of_sorted(ratios, 1 - tail),
            .confidence = confidence,
            .pairs = static_cast<std::uint32_t>(std::min(ours.size(), theirs.size()))};
}

std::string_view judgement_name(Judgement judgement) {
    switch (judgement) {
        case Judgement::kNone: return "no verdict";
        case Judgement::kFaster: return "faster";
        case Judgement::kSlower: return "slower";
        case Judgement::kNoDifference: return "no difference";
    }
    return "";
}

Judgement judge(const Ratio& ratio, const JudgementRules& rules) {
    if (ratio.pairs < rules.min_pairs) return Judgement::kNone;
    if (ratio.low > 1 + rules.min_effect) return Judgement::kFaster;
    if (ratio.high < 1 - rules.min_effect) return Judgement::kSlower;
    return Judgement::kNoDifference;
}

std::string why_no_judgement(const Ratio& ratio, const JudgementRules& rules) {
    if (ratio.pairs >= rules.min_pairs) return "";
    return std::to_string(ratio.pairs) + " usable pairs, a verdict needs " +
           std::to_string(rules.min_pairs);
}

}  // namespace walrus::harness
