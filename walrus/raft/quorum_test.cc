#include "walrus/raft/quorum.h"

#include <gtest/gtest.h>

#include <map>

namespace walrus::raft {
namespace {

ConfState conf(std::vector<NodeId> voters, std::vector<NodeId> outgoing = {}) {
    ConfState result;
    result.voters = std::move(voters);
    result.outgoing = std::move(outgoing);
    return result;
}

std::uint64_t reached(const ConfState& c, const std::map<NodeId, std::uint64_t>& values) {
    return quorum_reached(c, [&](NodeId id) {
        const auto found = values.find(id);
        return found == values.end() ? 0 : found->second;
    });
}

VoteResult votes(const ConfState& c, const std::map<NodeId, int>& given) {
    return vote_result(c, [&](NodeId id) {
        const auto found = given.find(id);
        return found == given.end() ? 0 : found->second;
    });
}

TEST(RaftQuorum, AMajorityDecidesTheCommittedIndex) {
    EXPECT_EQ(reached(conf({1}), {{1, 7}}), 7U);
    EXPECT_EQ(reached(conf({1, 2}), {{1, 7}, {2, 4}}), 4U);
    EXPECT_EQ(reached(conf({1, 2, 3}), {{1, 7}, {2, 4}}), 4U);
    EXPECT_EQ(reached(conf({1, 2, 3, 4, 5}), {{1, 9}, {2, 8}, {3, 7}}), 7U);
    EXPECT_EQ(reached(conf({1, 2, 3, 4}), {{1, 9}, {2, 8}, {3, 7}}), 7U);
}

// [D] 4.3: agreement needs separate majorities of the old and the new configuration.
TEST(RaftQuorum, JointConsensusTakesTheLesserOfTwoMajorities) {
    const ConfState joint = conf({1, 4, 5}, {1, 2, 3});
    EXPECT_EQ(reached(joint, {{1, 9}, {4, 9}, {5, 9}}), 0U);
    EXPECT_EQ(reached(joint, {{1, 9}, {4, 9}, {2, 6}}), 6U);
}

TEST(RaftQuorum, AnElectionIsOpenUntilOneSideCannotLose) {
    const ConfState three = conf({1, 2, 3});
    EXPECT_EQ(votes(three, {{1, 1}}), VoteResult::kPending);
    EXPECT_EQ(votes(three, {{1, 1}, {2, 1}}), VoteResult::kWon);
    EXPECT_EQ(votes(three, {{1, 1}, {2, -1}, {3, -1}}), VoteResult::kLost);
    EXPECT_EQ(votes(conf({1, 2}), {{1, 1}, {2, -1}}), VoteResult::kLost);
}

TEST(RaftQuorum, AJointElectionNeedsBothMajorities) {
    const ConfState joint = conf({1, 4, 5}, {1, 2, 3});
    EXPECT_EQ(votes(joint, {{1, 1}, {4, 1}, {5, 1}}), VoteResult::kPending);
    EXPECT_EQ(votes(joint, {{1, 1}, {4, 1}, {2, 1}}), VoteResult::kWon);
    EXPECT_EQ(votes(joint, {{1, 1}, {4, 1}, {2, -1}, {3, -1}}), VoteResult::kLost);
}

TEST(RaftQuorum, VotesOfStrangersDoNotCount) {
    EXPECT_EQ(votes(conf({1, 2, 3}), {{1, 1}, {8, 1}, {9, 1}}), VoteResult::kPending);
}

}  // namespace
}  // namespace walrus::raft
