// Statistics of repeated measurements: medians, how sure a ratio is, and what may be said of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace walrus::harness {

// The middle value, or the mean of the two middle ones.  0 for an empty list.
double median(std::vector<double> values);
// The value below which the share `q` of all lies, interpolated.  0 for an empty list.
double quantile(std::vector<double> values, double q);
// Of positive values; 0 for an empty list or when one is not positive.
double geometric_mean(const std::vector<double>& values);

// A ratio with the interval that holds it with `confidence`.
struct Ratio {
    double value = 0;
    double low = 0;
    double high = 0;
    double confidence = 0;
    std::uint32_t pairs = 0;  // Rounds in which both sides were measured.

    bool valid() const { return pairs > 0; }
    // Half the interval, as a share of the value: a smaller change would not have been seen.
    double detectable() const { return value == 0 ? 0 : (high - low) / 2 / value; }
};

// The median of the ratios ours[i] / theirs[i].  The two are paired: element i of both was
// measured in the same round, so that drift that hits both sides of a round cancels.
//
// The interval is a percentile bootstrap over pairs, never narrower than the exact order-statistic
// (sign-test) interval of a median, because the bootstrap alone is too sure of itself below about
// ten pairs.  From 6 pairs on it holds the true ratio at least as often as `confidence` says; five
// pairs give 93.75 %.  Pairs with a zero are left out.  Same input and seed, same interval.
Ratio paired_ratio(const std::vector<double>& ours, const std::vector<double>& theirs,
                   std::uint64_t seed, double confidence = 0.95);

// The ratio of the medians of two lists measured apart from each other (two runs), with a
// percentile bootstrap that resamples each side on its own.  `pairs` is the size of the smaller.
Ratio unpaired_ratio(const std::vector<double>& ours, const std::vector<double>& theirs,
                     std::uint64_t seed, double confidence = 0.95);

// What may be said about a ratio.
enum class Judgement {
    kNone,          // Too few pairs: nothing may be said.
    kFaster,        // The whole interval is better by at least the smallest effect that matters.
    kSlower,        // ... worse ...
    kNoDifference,  // Neither was shown.
};
// "no verdict", "faster", "slower", "no difference".
std::string_view judgement_name(Judgement judgement);

struct JudgementRules {
    double min_effect = 0.02;     // A difference below this share is none.
    std::uint32_t min_pairs = 5;  // With fewer even a clean sweep may be chance.
};

// `ratio` says how many times better: above 1 is faster.
Judgement judge(const Ratio& ratio, const JudgementRules& rules = {});
// Why judge() said kNone; "" otherwise.
std::string why_no_judgement(const Ratio& ratio, const JudgementRules& rules = {});

}  // namespace walrus::harness
