#include "walrus/cluster/lease.h"

#include <algorithm>

namespace walrus::cluster {

std::uint64_t ReadRounds::begin() {
    ++round_;
    if (!waiting_.empty()) asked_.push_back({round_, std::move(waiting_)});
    waiting_.clear();
    return round_;
}

std::vector<std::uint64_t> ReadRounds::confirm(NodeId node, std::uint64_t round) {
    if (round > round_) return {};  // An answer to nobody's question.
    std::uint64_t& highest = confirmed_[node];
    highest = std::max(highest, round);

    std::vector<std::uint64_t> done;
    while (!asked_.empty()) {
        const auto answers = std::ranges::count_if(
            confirmed_, [&](const auto& entry) { return entry.second >= asked_.front().round; });
        if (answers < static_cast<std::ptrdiff_t>(ack_quorum_)) break;
        done.insert(done.end(), asked_.front().reads.begin(), asked_.front().reads.end());
        asked_.erase(asked_.begin());
    }
    return done;
}

std::vector<std::uint64_t> ReadRounds::abandon() {
    std::vector<std::uint64_t> all = std::move(waiting_);
    waiting_.clear();
    for (const Asked& asked : asked_) all.insert(all.end(), asked.reads.begin(), asked.reads.end());
    asked_.clear();
    return all;
}

std::uint64_t lease_expires_ms(const LeaseOptions& options, std::uint64_t sent_ms) {
    return sent_ms + options.ttl_ms;
}

std::uint64_t lease_over_ms(const LeaseOptions& options, std::uint64_t granted_ms) {
    return granted_ms + options.ttl_ms + options.ttl_ms * options.drift_per_mille / 1000 +
           options.margin_ms;
}

}  // namespace walrus::cluster
