#include "walrus/raft/read_index.h"

#include <algorithm>

namespace walrus::raft {

void ReadQueue::add(ReadId id, NodeId from, Index commit_index) {
    reads_.push_back({id, from, commit_index, current_round_ + 1});
}

bool ReadQueue::wants_round() const {
    return !reads_.empty() && reads_.back().round > current_round_ &&
           confirmed_round_ == current_round_;
}

std::vector<PendingRead> ReadQueue::confirm(std::uint64_t round) {
    confirmed_round_ = std::max(confirmed_round_, std::min(round, current_round_));
    std::vector<PendingRead> result;
    while (!reads_.empty() && reads_.front().round <= confirmed_round_) {
        result.push_back(reads_.front());
        reads_.pop_front();
    }
    return result;
}

std::vector<PendingRead> ReadQueue::abandon() {
    std::vector<PendingRead> result(reads_.begin(), reads_.end());
    reads_.clear();
    current_round_ = confirmed_round_ = 0;
    return result;
}

}  // namespace walrus::raft
