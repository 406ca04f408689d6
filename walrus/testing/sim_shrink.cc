#include "walrus/testing/sim_shrink.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace walrus::testing {

// Delta debugging: drop a half, a quarter, ... as long as it still fails.
std::vector<std::uint32_t> shrink_faults(
    std::uint32_t planned, const std::function<bool(const std::vector<std::uint32_t>&)>& fails,
    std::size_t runs) {
    std::vector<std::uint32_t> kept(planned);
    std::iota(kept.begin(), kept.end(), 0U);
    for (std::size_t piece = (kept.size() + 1) / 2; piece > 0;) {
        bool dropped = false;
        for (std::size_t at = 0; at < kept.size() && runs > 0;) {
            std::vector<std::uint32_t> less = kept;
            const auto begin = less.begin() + static_cast<std::ptrdiff_t>(at);
            less.erase(begin,
                       begin + static_cast<std::ptrdiff_t>(std::min(piece, less.size() - at)));
            --runs;
            if (fails(less)) {
                kept = std::move(less);
                dropped = true;
            } else {
                at += piece;
            }
        }
        if (runs == 0 || (piece == 1 && !dropped)) break;
        if (piece > 1) piece /= 2;
    }
    return kept;
}

std::string join(const std::vector<std::uint32_t>& numbers) {
    std::string text;
    for (const std::uint32_t number : numbers) {
        if (!text.empty()) text += ',';
        text += std::to_string(number);
    }
    return text;
}

}  // namespace walrus::testing
