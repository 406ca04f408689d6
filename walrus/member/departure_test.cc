// How members stop and start again without anybody noticing much.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "walrus/member/test_members.h"
#include "walrus/testing/seed.h"

namespace walrus::member {
namespace {

class DepartureTest : public ::testing::Test {
protected:
    Status step_aside(cluster::NodeId id, std::uint64_t timeout_ms = 5'000) {
        std::optional<Status> aside;
        members_[id].step_aside(timeout_ms, [&](Status status) { aside = std::move(status); });
        EXPECT_TRUE(members_.run_until([&] { return aside.has_value(); }));
        return *aside;
    }

    TestMembers members_{testing::test_seed()};
};

TEST_F(DepartureTest, ARollingRestartMovesEverythingAndBringsEverybodyBack) {
    ASSERT_TRUE(members_.make_cluster({1, 2, 3}));
    const cluster::TopicId topic = members_.create_topic(1, "t", triple_config());
    for (int round = 0; round < 2; ++round) {
        for (const cluster::NodeId id : {1, 2, 3}) {
            ASSERT_TRUE(members_.append(topic, "before"));
            const Status aside = step_aside(id);
            ASSERT_TRUE(aside) << aside.error().to_string();
            EXPECT_NE(members_[id].controller(), id);
            ASSERT_TRUE(members_.run_until([&] { return members_.leader_of(topic) != nullptr; }));
            EXPECT_NE(members_.leader_of(topic), &members_[id]);
            ASSERT_TRUE(members_.stop(id));
            // At once: nobody has to notice a death first.
            ASSERT_TRUE(members_.append(topic, "without", 200));
            ASSERT_TRUE(members_.start(id));
            ASSERT_TRUE(members_.wait_for_live(3)) << "node " << id;
        }
    }
    EXPECT_TRUE(members_.states_agree());
}

TEST_F(DepartureTest, ALoneMemberJustStops) {
    ASSERT_TRUE(members_.bootstrap(1));
    ASSERT_TRUE(members_.start(1));
    ASSERT_TRUE(members_.wait_for_live(1));
    EXPECT_TRUE(step_aside(1));
    EXPECT_TRUE(members_.stop(1));
    ASSERT_TRUE(members_.start(1));
    EXPECT_TRUE(members_.wait_for_live(1));
}

TEST_F(DepartureTest, AnOperatorsDrainOutlivesARestart) {
    ASSERT_TRUE(members_.make_cluster({1, 2, 3}));
    const cluster::Index version = members_[1].state().node(3)->version;
    const auto drained =
        members_.propose(1, cluster::SetNodeState{3, cluster::NodeState::kDraining, version});
    ASSERT_TRUE(drained && drained->applied());
    ASSERT_TRUE(members_.run_until(
        [&] { return members_[3].state().node(3)->state == cluster::NodeState::kDraining; }));
    EXPECT_TRUE(step_aside(3));
    ASSERT_TRUE(members_.stop(3));
    ASSERT_TRUE(members_.start(3));
    members_.run_for(5'000);
    EXPECT_EQ(members_[1].state().node(3)->state, cluster::NodeState::kDraining);
}

TEST_F(DepartureTest, WithoutAQuorumItEndsInTime) {
    ASSERT_TRUE(members_.make_cluster({1, 2, 3}));
    const cluster::TopicId topic = members_.create_topic(1, "t", triple_config());
    const cluster::NodeId leader = members_.leader_of(topic)->identity().node;
    members_.network().isolate(leader);
    EXPECT_EQ(step_aside(leader, 2'000).error().code, Errc::kTimeout);
    EXPECT_TRUE(members_.stop(leader));
}

}  // namespace
}  // namespace walrus::member
