#include "walrus/raft/confchange.h"

#include <gtest/gtest.h>

namespace walrus::raft {
namespace {

constexpr auto kAddVoter = ConfChangeKind::kAddVoter;
constexpr auto kAddLearner = ConfChangeKind::kAddLearner;
constexpr auto kRemove = ConfChangeKind::kRemove;

ConfState conf(std::vector<NodeId> voters, std::vector<NodeId> learners = {}) {
    ConfState result;
    result.voters = std::move(voters);
    result.learners = std::move(learners);
    return result;
}

TEST(RaftConfChange, OneVoterMoreOrLessNeedsNoJointPhase) {
    EXPECT_EQ(*apply(conf({1, 2}), {{{kAddVoter, 3}}}), conf({1, 2, 3}));
    EXPECT_EQ(*apply(conf({1, 2, 3}), {{{kRemove, 2}}}), conf({1, 3}));
    EXPECT_EQ(*apply(conf({1, 2}, {3}), {{{kAddVoter, 3}}}), conf({1, 2, 3}));
}

TEST(RaftConfChange, LearnersComeAndGoInOneStep) {
    EXPECT_EQ(*apply(conf({1}), {{{kAddLearner, 3}, {kAddLearner, 2}}}), conf({1}, {2, 3}));
    EXPECT_EQ(*apply(conf({1}, {2, 3}), {{{kRemove, 2}}}), conf({1}, {3}));
}

TEST(RaftConfChange, SwappingVotersIsJoint) {
    const ConfState joint = *apply(conf({1, 2, 3}), {{{kAddVoter, 4}, {kRemove, 3}}});
    EXPECT_EQ(joint.voters, (std::vector<NodeId>{1, 2, 4}));
    EXPECT_EQ(joint.outgoing, (std::vector<NodeId>{1, 2, 3}));
    EXPECT_TRUE(joint.auto_leave);
    EXPECT_EQ(*apply(joint, {}), conf({1, 2, 4}));
}

// Nobody votes and learns at once: the demotion waits for the end of the joint phase.
TEST(RaftConfChange, ADemotedVoterVotesUntilTheJointPhaseEnds) {
    const ConfState joint = *apply(conf({1, 2, 3}), {{{kAddLearner, 3}, {kAddVoter, 4}}});
    EXPECT_TRUE(joint.is_voter(3));
    EXPECT_FALSE(joint.is_learner(3));
    EXPECT_EQ(leave_joint(joint), conf({1, 2, 4}, {3}));
}

TEST(RaftConfChange, AnExplicitJointPhaseDoesNotEndByItself) {
    const auto joint = apply(conf({1}), {{{kAddVoter, 2}}, Transition::kJointExplicit});
    EXPECT_TRUE(joint->joint());
    EXPECT_FALSE(joint->auto_leave);
}

TEST(RaftConfChange, ImpossibleChangesAreRefused) {
    const ConfState one = conf({1});
    EXPECT_FALSE(apply(one, {}));
    EXPECT_FALSE(apply(one, {{{kRemove, 1}}}));
    EXPECT_FALSE(apply(one, {{{kAddVoter, 0}}}));
    EXPECT_FALSE(apply(one, {{{kAddVoter, 1}}}));
    EXPECT_FALSE(apply(one, {{{kAddVoter, 2}, {kRemove, 2}}}));
    const ConfState joint = *apply(one, {{{kAddVoter, 2}}, Transition::kJoint});
    EXPECT_FALSE(apply(joint, {{{kAddVoter, 3}}}));
}

TEST(RaftConfHistory, ATruncatedEntryTakesItsConfigurationAway) {
    ConfHistory history(0, conf({1}));
    history.append(5, conf({1, 2}));
    history.append(9, conf({1, 2, 3}));
    EXPECT_EQ(history.at(8), conf({1, 2}));
    EXPECT_TRUE(history.truncate(6));
    EXPECT_EQ(history.latest(), conf({1, 2}));
    EXPECT_FALSE(history.truncate(6));
}

TEST(RaftConfHistory, CompactionKeepsWhatASnapshotNeeds) {
    ConfHistory history(0, conf({1}));
    history.append(5, conf({1, 2}));
    history.compact(4);
    EXPECT_EQ(history.at(4), conf({1}));
    history.compact(7);
    EXPECT_EQ(history.at(7), conf({1, 2}));
}

}  // namespace
}  // namespace walrus::raft
