#include "harness/stats/rank_test.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <utility>

namespace walrus::harness {
namespace {

constexpr std::size_t kExactLimit = 30;

// How many of the arrangements of n and m values have U = u, for every u: the coefficients of the
// Gaussian binomial, built up one value at a time.
std::vector<double> arrangements_by_u(std::size_t n, std::size_t m) {
    std::vector<double> counts(n * m + 1, 0);
    counts[0] = 1;
    for (std::size_t i = 1; i <= n; ++i) {
        // Multiply by (1 - x^(m+i)), then divide by (1 - x^i).
        for (std::size_t u = counts.size(); u-- > m + i;) counts[u] -= counts[u - m - i];
        for (std::size_t u = i; u < counts.size(); ++u) counts[u] += counts[u - i];
    }
    return counts;
}

double exact_p(double u, std::size_t n, std::size_t m) {
    const std::vector<double> counts = arrangements_by_u(n, m);
    double all = 0;
    double extreme = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        all += counts[i];
        if (static_cast<double>(i) <= u) extreme += counts[i];
    }
    return std::min(1.0, 2 * extreme / all);
}

struct Ranks {
    double sum_of_a = 0;
    double tie_term = 0;  // Sum of t^3 - t over groups of t equal values.
};

Ranks rank(const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<std::pair<double, bool>> all;
    for (const double value : a) all.emplace_back(value, true);
    for (const double value : b) all.emplace_back(value, false);
    std::ranges::sort(all);
    Ranks ranks;
    for (std::size_t begin = 0; begin < all.size();) {
        std::size_t end = begin;
        while (end < all.size() && all[end].first == all[begin].first) ++end;
        const auto ties = static_cast<double>(end - begin);
        const double shared = static_cast<double>(begin + end + 1) / 2;
        for (std::size_t i = begin; i < end; ++i) ranks.sum_of_a += all[i].second ? shared : 0;
        ranks.tie_term += ties * ties * ties - ties;
        begin = end;
    }
    return ranks;
}

}  // namespace

double mann_whitney_p(const std::vector<double>& a, const std::vector<double>& b) {
    if (a.empty() || b.empty()) return 1;
    const auto n = static_cast<double>(a.size());
    const auto m = static_cast<double>(b.size());
    const Ranks ranks = rank(a, b);
    const double u_of_a = ranks.sum_of_a - n * (n + 1) / 2;
    const double smaller = std::min(u_of_a, n * m - u_of_a);
    if (ranks.tie_term == 0 && a.size() <= kExactLimit && b.size() <= kExactLimit) {
        return exact_p(smaller, a.size(), b.size());
    }
    const double all = n + m;
    const double variance = n * m / 12 * (all + 1 - ranks.tie_term / (all * (all - 1)));
    if (variance <= 0) return 1;
    const double distance = std::max(0.0, n * m / 2 - smaller - 0.5);
    return std::erfc(distance / std::sqrt(variance) / std::numbers::sqrt2);
}

}  // namespace walrus::harness
