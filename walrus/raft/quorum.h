// Majorities, of one set of voters or of both sets in joint consensus ([D] 4.3).
//
// Learners never count.  Templates, because they run on every acknowledgement: no allocation.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "walrus/raft/message.h"
#include "walrus/raft/mutants.h"

namespace walrus::raft {

enum class VoteResult : std::uint8_t { kPending, kWon, kLost };

// The largest value that a majority of `values` has reached; reorders `values`.  Without voters
// there is nobody to disagree: the largest number, so that an absent outgoing set never limits.
std::uint64_t majority_reached(std::span<std::uint64_t> values);

// Outcome of an election among `voters` with so many votes for and against.
VoteResult majority_vote(std::size_t voters, std::size_t granted, std::size_t refused);

// Both must win; one loss loses.
VoteResult combine(VoteResult a, VoteResult b);

// The voters whose consent is needed besides that of conf.voters.
inline std::span<const NodeId> other_voters(const ConfState& conf) {
    if (mutant_on(Mutant::kJointCountsNewOnly)) return {};
    return conf.outgoing;
}

template <class ValueOf>
std::uint64_t reached_by(std::span<const NodeId> voters, std::span<const NodeId> more,
                         ValueOf&& value_of) {
    std::array<std::uint64_t, kMaxMembers> values;
    std::size_t count = 0;
    for (const NodeId id : voters) values[count++] = value_of(id);
    for (const NodeId id : more) values[count++] = value_of(id);
    return majority_reached({values.data(), count});
}

// Largest value that the quorum of `conf` has reached, where value_of(id) is what each voter has
// reached: with match indexes the committed index, with read rounds the confirmed round.
template <class ValueOf>
std::uint64_t quorum_reached(const ConfState& conf, ValueOf&& value_of) {
    std::span<const NodeId> learners;
    if (mutant_on(Mutant::kLearnersVote)) learners = conf.learners;
    return std::min(reached_by(conf.voters, learners, value_of),
                    reached_by(other_voters(conf), {}, value_of));
}

// vote_of(id) is +1 (granted), -1 (refused) or 0 (no answer yet).
template <class VoteOf>
VoteResult vote_result(const ConfState& conf, VoteOf&& vote_of) {
    const auto count = [&](std::span<const NodeId> voters) {
        std::size_t granted = 0;
        std::size_t refused = 0;
        for (const NodeId id : voters) {
            const int vote = vote_of(id);
            if (vote > 0) ++granted;
            if (vote < 0) ++refused;
        }
        return majority_vote(voters.size(), granted, refused);
    };
    return combine(count(conf.voters), count(other_voters(conf)));
}

// Whether those for whom is_active(id) holds form a quorum.
template <class IsActive>
bool quorum_active(const ConfState& conf, IsActive&& is_active) {
    return vote_result(conf, [&](NodeId id) { return is_active(id) ? 1 : -1; }) == VoteResult::kWon;
}

}  // namespace walrus::raft
