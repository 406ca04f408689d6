#include "walrus/raft/quorum.h"

#include <functional>
#include <limits>

namespace walrus::raft {

std::uint64_t majority_reached(std::span<std::uint64_t> values) {
    if (values.empty()) return std::numeric_limits<std::uint64_t>::max();
    std::sort(values.begin(), values.end(), std::greater<>());
    return values[values.size() / 2];
}

VoteResult majority_vote(std::size_t voters, std::size_t granted, std::size_t refused) {
    if (voters == 0) return VoteResult::kWon;
    const std::size_t needed = voters / 2 + 1;
    if (granted >= needed) return VoteResult::kWon;
    return voters - refused < needed ? VoteResult::kLost : VoteResult::kPending;
}

VoteResult combine(VoteResult a, VoteResult b) {
    if (a == VoteResult::kLost || b == VoteResult::kLost) return VoteResult::kLost;
    if (a == VoteResult::kPending || b == VoteResult::kPending) return VoteResult::kPending;
    return VoteResult::kWon;
}

}  // namespace walrus::raft
