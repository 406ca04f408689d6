#include "walrus/cluster/placement.h"

#include <gtest/gtest.h>

#include <set>

#include "walrus/cluster/lease.h"
#include "walrus/cluster/rollover.h"
#include "walrus/cluster/test_cluster_state.h"

namespace walrus::cluster {
namespace {

const TopicConfig kDefault;

TEST(Placement, LeadersGoRoundTheLiveNodesAndReplicasAreDistinct) {
    TestState t(5);
    const TopicId topic = t.create();
    std::vector<NodeId> leaders;
    for (int i = 0; i < 6; ++i) {
        const Segment& last = t.state.topic(topic)->last();
        const auto next = place_segment(t.state.data(), {.config = kDefault, .previous = &last});
        ASSERT_TRUE(next);
        leaders.push_back(next->leader.node);
        EXPECT_EQ(next->replicas.size(), 3u);
        EXPECT_EQ(next->replicas.front().node, next->leader.node);
        const SealAndOpen seal{{topic, last.number}, last.epoch, {}, last.replicas, *next};
        ASSERT_TRUE(t.run(seal).applied()) << "what is placed must be accepted";
    }
    EXPECT_EQ(leaders, (std::vector<NodeId>{2, 3, 4, 5, 1, 2}));
}

TEST(Placement, SkipsNodesThatAreDownOrDraining) {
    TestState t(4);
    const TopicId topic = t.create();
    t.run(SetNodeState{2, NodeState::kDown, t.state.node(2)->version});
    t.run(SetNodeState{3, NodeState::kDraining, t.state.node(3)->version});
    const auto next = place_segment(
        t.state.data(), {.config = kDefault, .previous = &t.state.topic(topic)->last()});
    ASSERT_TRUE(next);
    EXPECT_EQ(next->leader.node, 4u);
    EXPECT_EQ(next->replicas, (std::vector{copy_on(4), copy_on(1)}));
    t.run(SetNodeState{4, NodeState::kDown, t.state.node(4)->version});
    EXPECT_FALSE(place_segment(t.state.data(), {.config = kDefault})) << "min_ack is 2";
}

TEST(Placement, NewTopicsSpreadTheirFirstLeadersAndTheirCopies) {
    TestState t(6);
    std::set<NodeId> leaders;
    for (std::uint64_t i = 0; i < 12; ++i) {
        const auto next = place_segment(t.state.data(), {.config = kDefault, .spread = i});
        leaders.insert(next->leader.node);
        ASSERT_TRUE(t.run(CreateTopic{std::to_string(i), {}, *next}).applied());
    }
    EXPECT_EQ(leaders.size(), 6u);
    for (const auto& [node, load] : node_loads(t.state.data())) {
        EXPECT_EQ(load.leads, 2u) << node;
        EXPECT_EQ(load.copies, 6u) << node;
    }
}

TEST(Placement, ANewCopyGoesWhereThereIsNoneAndDeadCopiesAreThoseThatDoNotCount) {
    TestState t(5);
    const TopicId topic = t.create();
    EXPECT_TRUE(dead_copies(t.state.data(), t.segment(topic, 1)).empty());
    t.run(SetNodeState{3, NodeState::kDown, t.state.node(3)->version});
    EXPECT_EQ(dead_copies(t.state.data(), t.segment(topic, 1)), (std::vector{copy_on(3)}));
    EXPECT_EQ(place_copy(t.state.data(), t.segment(topic, 1)), copy_on(4));
    for (const NodeId id : {4, 5}) {
        t.run(SetNodeState{id, NodeState::kDown, t.state.node(id)->version});
    }
    EXPECT_EQ(place_copy(t.state.data(), t.segment(topic, 1)), std::nullopt);
}

TEST(Rollover, EachLimitHasItsReason) {
    const SegmentLimits limits{.max_records = 10, .max_bytes = 100, .max_age_ms = 50};
    const SegmentUsage idle{.records = 1, .bytes = 1, .opened_ms = 1000};
    const auto why = [&](SegmentUsage usage, std::uint64_t now = 1049) {
        return why_roll_over(limits, usage, now);
    };
    EXPECT_EQ(why(idle), std::nullopt);
    EXPECT_EQ(why(idle, 1050), RolloverReason::kAge);
    EXPECT_EQ(why(idle, 3), std::nullopt) << "the clock went back";
    EXPECT_EQ(why({.opened_ms = 1000}, 9999), std::nullopt) << "an empty segment does not age";
    EXPECT_EQ(why({.records = 10, .opened_ms = 1000}), RolloverReason::kRecords);
    EXPECT_EQ(why({.records = 1, .bytes = 100, .opened_ms = 1000}), RolloverReason::kBytes);
    EXPECT_EQ(why({.draining = true}), RolloverReason::kDrain);
    EXPECT_EQ(why({.replica_trouble = true}), RolloverReason::kReplicaTrouble);
}

TEST(Rollover, ABatchBeyondTheStrictLimitDoesNotFit) {
    EXPECT_TRUE(fits(10, 7, 3));
    EXPECT_FALSE(fits(10, 8, 3));
    EXPECT_FALSE(fits(10, 8, ~std::uint64_t{0}));
}

TEST(ReadRounds, AReadIsConfirmedByAnAckQuorumOfARoundThatBeganAfterIt) {
    ReadRounds rounds(2);
    EXPECT_EQ(rounds.begin(), 1u);
    rounds.add(70);
    EXPECT_TRUE(rounds.confirm(1, 1).empty());
    EXPECT_TRUE(rounds.confirm(2, 1).empty()) << "round 1 began before the read";
    EXPECT_EQ(rounds.begin(), 2u);
    rounds.add(71);
    EXPECT_TRUE(rounds.confirm(1, 2).empty());
    EXPECT_TRUE(rounds.confirm(1, 2).empty()) << "one node counts once";
    EXPECT_TRUE(rounds.confirm(3, 9).empty()) << "an answer nobody asked for";
    EXPECT_EQ(rounds.confirm(2, 2), (std::vector<std::uint64_t>{70}));
    EXPECT_EQ(rounds.abandon(), (std::vector<std::uint64_t>{71}));
}

TEST(Lease, TheGrantorWaitsLongerThanTheHolderBelievesWhateverTheDrift) {
    const LeaseOptions options;
    const std::uint64_t granted = 5000;
    const std::uint64_t held_for = lease_expires_ms(options, granted) - granted;
    const std::uint64_t waited = lease_over_ms(options, granted) - granted;
    EXPECT_GE(waited * 1000, held_for * (1000 + options.drift_per_mille));
}

}  // namespace
}  // namespace walrus::cluster
