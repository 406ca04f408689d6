#include "walrus/cluster/segment_node.h"

#include <gtest/gtest.h>

#include "walrus/cluster/producer_scenario.h"
#include "walrus/cluster/test_cluster_state.h"
#include "walrus/cluster/test_nodes.h"

namespace walrus::cluster {
namespace {

using Records = std::vector<std::string>;

AppendOutcome outcome(const TestNodes& nodes, std::uint64_t request) {
    const auto done = nodes.done(request);
    EXPECT_TRUE(done) << "request " << request << " was not answered";
    return done ? done->outcome : AppendOutcome::kOutcomeUnknown;
}

TEST(SegmentNode, AnAppendIsCommittedOnTheQuorumAndReadableOnEveryCopy) {
    TestNodes nodes(3);
    const TopicId topic = nodes.create_topic(1);
    const auto request = nodes.append(topic, "a");
    ASSERT_EQ(outcome(nodes, request), AppendOutcome::kCommitted);
    EXPECT_EQ(nodes.done(request)->offset, Offset{0});
    nodes.append(topic, Batch{.records = 3, .data = Payload("bcd")});
    nodes.run();
    for (NodeId id = 1; id <= 3; ++id) EXPECT_EQ(nodes.node(id).readable_length({topic, 1}), 4u);
    nodes.node(2).append(99, topic, Batch{.records = 1});
    nodes.settle();
    EXPECT_EQ(outcome(nodes, 99), AppendOutcome::kNotLeader);
}

TEST(SegmentNode, ASlowFollowerCatchesUpFromTheLeadersWindow) {
    TestNodes nodes(3);
    const TopicId topic = nodes.create_topic(1);
    nodes.lose = [](const Message& message) { return message.to == 3; };
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(outcome(nodes, nodes.append(topic, std::to_string(i))),
                  AppendOutcome::kCommitted);
    }
    EXPECT_EQ(nodes.node(3).replica({topic, 1})->durable_length(), 0u);
    nodes.lose = nullptr;
    nodes.run(6);
    EXPECT_EQ(nodes.node(3).replica({topic, 1})->durable_length(), 5u);
    EXPECT_EQ(nodes.node(3).readable_length({topic, 1}), 5u);
    EXPECT_EQ(nodes.last(topic).number, 1u);
}

TEST(SegmentNode, WithoutAQuorumNothingIsAcknowledged) {
    TestNodes nodes(3);
    const TopicId topic = nodes.create_topic(1);
    nodes.lose = [](const Message& message) { return message.from != message.to; };
    const auto request = nodes.append(topic, "a");
    EXPECT_FALSE(nodes.done(request));
    EXPECT_EQ(nodes.node(1).readable_length({topic, 1}), 0u);
}

TEST(SegmentNode, AFullSegmentRollsOverGracefullyAndNothingIsLost) {
    TestNodes nodes(3);
    TopicConfig config;
    config.limits.max_records = 2;
    const TopicId topic = nodes.create_topic(1, config);
    nodes.append(topic, "a");
    nodes.append(topic, "b");
    EXPECT_EQ(outcome(nodes, nodes.append(topic, "c")), AppendOutcome::kBusy);
    nodes.run(2);
    ASSERT_EQ(nodes.last(topic).number, 2u);
    EXPECT_EQ(nodes.last(topic).leader.node, 2u) << "round robin";
    EXPECT_EQ(nodes.state().topic(topic)->first().length, 2u);
    const auto request = nodes.append(topic, "c");
    EXPECT_EQ(outcome(nodes, request), AppendOutcome::kCommitted);
    EXPECT_EQ(nodes.done(request)->offset, Offset{2});
    EXPECT_EQ(nodes.read_all(topic), (Records{"a", "b", "c"}));
}

TEST(SegmentNode, ABatchThatDoesNotFitEndsTheSegmentAndIsNotOvertaken) {
    TestNodes nodes(3);
    TopicConfig config;
    config.limits.max_records = 4;
    const TopicId topic = nodes.create_topic(1, config);
    const Batch large{.records = 3, .data = Payload("large")};
    ASSERT_EQ(outcome(nodes, nodes.append(topic, large)), AppendOutcome::kCommitted);
    EXPECT_EQ(outcome(nodes, nodes.append(topic, large)), AppendOutcome::kBusy);
    EXPECT_EQ(outcome(nodes, nodes.append(topic, "small")), AppendOutcome::kBusy);
    nodes.run(20);
    EXPECT_EQ(nodes.last(topic).number, 2u);
    EXPECT_EQ(outcome(nodes, nodes.append(topic, large)), AppendOutcome::kCommitted);
}

TEST(SegmentNode, ADeadLeadersSegmentIsSealedWithEverythingAcknowledged) {
    TestNodes nodes(4);
    const TopicId topic = nodes.create_topic(2);
    nodes.append(topic, "a");
    nodes.lose = [](const Message& message) { return message.to == 1; };
    EXPECT_EQ(outcome(nodes, nodes.append(topic, "b")), AppendOutcome::kCommitted);
    nodes.stop(2);
    nodes.lose = nullptr;
    nodes.run(60);
    ASSERT_EQ(nodes.last(topic).number, 2u);
    EXPECT_EQ(nodes.last(topic).state, SegmentState::kOpen);
    EXPECT_EQ(nodes.state().topic(topic)->first().length, 2u);
    EXPECT_GE(nodes.state().topic(topic)->first().replicas.size(), 2u);
    EXPECT_EQ(outcome(nodes, nodes.append(topic, "c")), AppendOutcome::kCommitted);
    EXPECT_EQ(nodes.read_all(topic), (Records{"a", "b", "c"}));
}

TEST(SegmentNode, ARestartedLeaderDoesNotGoOnInItsSegment) {
    TestNodes nodes(3);
    const TopicId topic = nodes.create_topic(2);
    nodes.append(topic, "a");
    nodes.stop(2);
    nodes.start(2);
    EXPECT_EQ(outcome(nodes, nodes.append(topic, "b")), AppendOutcome::kNotLeader);
    nodes.run(30);
    EXPECT_EQ(nodes.last(topic).number, 2u);
    EXPECT_EQ(outcome(nodes, nodes.append(topic, "b")), AppendOutcome::kCommitted);
    EXPECT_EQ(nodes.read_all(topic), (Records{"a", "b"}));
}

TEST(SegmentNode, APausedLeaderIsFencedAndItsLateAppendHasNoKnownOutcome) {
    TestNodes nodes(4);
    const TopicId topic = nodes.create_topic(2);
    nodes.append(topic, "a");
    // Node 2 hears and says nothing, and does not apply the metadata: the others go on.
    const auto isolated = [](const Message& m) {
        return m.to != m.from && (m.to == 2 || m.from == 2);
    };
    nodes.lose = isolated;
    nodes.node(2).append(50, topic, Batch{.records = 1, .data = Payload("late")});
    nodes.run(60);
    EXPECT_EQ(nodes.last(topic).number, 2u);
    nodes.lose = nullptr;
    nodes.run(10);
    EXPECT_EQ(outcome(nodes, 50), AppendOutcome::kOutcomeUnknown);
    EXPECT_EQ(nodes.read_all(topic), (Records{"a"}));
}

TEST(SegmentNode, MissingCopiesOfSealedSegmentsAreMadeElsewhere) {
    TestNodes nodes(4);
    TopicConfig config;
    config.limits.max_records = 2;
    const TopicId topic = nodes.create_topic(1, config);
    nodes.append(topic, "a");
    nodes.append(topic, "b");
    nodes.run(2);
    nodes.stop(3);
    nodes.run(300);
    const Segment& first = nodes.state().topic(topic)->first();
    EXPECT_EQ(first.replicas, (std::vector{copy_on(1), copy_on(2), copy_on(4)}));
    EXPECT_TRUE(nodes.node(4).replica({topic, 1})->complete());
    // The node comes back: its copy is no longer wanted and goes.
    nodes.start(3);
    EXPECT_FALSE(nodes.disk(3).copies.contains({topic, 1}));
}

TEST(SegmentNode, ARepairWhoseSourceDiesGoesOnFromAnotherHolder) {
    TestNodes nodes(4);
    TopicConfig config;
    config.limits.max_records = 2;
    const TopicId topic = nodes.create_topic(1, config);
    nodes.append(topic, "a");
    nodes.append(topic, "b");
    nodes.run(2);
    const SegmentKey key{topic, 1};
    ASSERT_EQ(nodes.state().topic(topic)->first().state, SegmentState::kSealed);
    std::vector<NodeId> sources;
    nodes.lose = [&](const Message& message) {
        const bool asks = std::holds_alternative<ReadRequest>(message.body) && message.from == 4;
        if (asks) sources.push_back(message.to);
        return asks;
    };
    nodes.run(2);  // The source follows from the tick: now it is node 2.
    nodes.node(4).step({1, 4, CopyRequest{key}});
    nodes.settle();
    ASSERT_EQ(sources, (std::vector<NodeId>{2}));
    nodes.lose = nullptr;
    nodes.stop(2);
    nodes.run(300);
    EXPECT_EQ(nodes.state().topic(topic)->first().replicas,
              (std::vector{copy_on(1), copy_on(3), copy_on(4)}));
    EXPECT_TRUE(nodes.node(4).replica(key)->complete());
}

TEST(SegmentNode, TooFewRepliesLeaveTheSegmentSealingAndWhatIsReadableStaysReadable) {
    TestNodes nodes(3);
    const TopicId topic = nodes.create_topic(2);
    nodes.append(topic, "a");
    nodes.run(1);
    nodes.stop(2);
    nodes.stop(3);
    nodes.run(100);
    EXPECT_EQ(nodes.last(topic).state, SegmentState::kSealing);
    EXPECT_EQ(nodes.node(1).readable_length({topic, 1}), 1u);
    const auto stuck = nodes.node(1).controller().stuck();
    ASSERT_EQ(stuck.size(), 1u);
    EXPECT_EQ(stuck.begin()->second.content.length, 1u) << "what an operator could keep";
    nodes.start(3);
    nodes.run(60);
    EXPECT_EQ(nodes.last(topic).number, 2u);
    EXPECT_EQ(nodes.read_all(topic), (Records{"a"}));
}

TEST(SegmentNode, AnEmptyAnswerIsConfirmedByARoundOrNotAtAll) {
    TestNodes nodes(3);
    const TopicId topic = nodes.create_topic(1);
    nodes.append(topic, "a");
    nodes.node(1).confirm_read(70, topic);
    nodes.settle();
    ASSERT_TRUE(nodes.read_done(70));
    EXPECT_TRUE(nodes.read_done(70)->confirmed);
    EXPECT_EQ(nodes.read_done(70)->end, Offset{1});
    nodes.lose = [](const Message& message) { return message.from != message.to; };
    nodes.node(1).confirm_read(71, topic);
    nodes.settle();
    EXPECT_FALSE(nodes.read_done(71)) << "nobody but itself answered";
    nodes.lose = nullptr;
    nodes.run(2);
    EXPECT_TRUE(nodes.read_done(71)->confirmed);
}

TEST(SegmentNode, ARetryAfterALeaderChangeIsRecognised) {
    EXPECT_EQ(retry_after_leader_change(), "");
}

TEST(SegmentNode, AFailedDiskTakesItsCopyOutAndTheTopicGoesOn) {
    TestNodes nodes(4);
    const TopicId topic = nodes.create_topic(1);
    nodes.append(topic, "a");
    nodes.node(2).write_failed({topic, 1});
    nodes.settle();
    EXPECT_EQ(outcome(nodes, nodes.append(topic, "b")), AppendOutcome::kCommitted);
    nodes.run(10);
    EXPECT_EQ(nodes.last(topic).number, 2u) << "a segment with a healthy set";
    EXPECT_EQ(nodes.read_all(topic), (Records{"a", "b"}));
}

TEST(SegmentNode, ARolloverGoesOnWithoutAHolderThatIsGoneForGood) {
    TestNodes nodes(4);
    const TopicId topic = nodes.create_topic(1);
    EXPECT_EQ(outcome(nodes, nodes.append(topic, "a")), AppendOutcome::kCommitted);
    nodes.run();
    // All three have everything; then one of them is lost.
    nodes.stop(3);
    nodes.run(15);
    ASSERT_EQ(nodes.state().node(3)->state, NodeState::kDown);
    const SetNodeState drain{1, NodeState::kDraining, nodes.state().node(1)->version};
    ASSERT_TRUE(nodes.apply(drain).applied());
    nodes.run(20);
    EXPECT_EQ(nodes.last(topic).number, 2u);
    EXPECT_EQ(nodes.read_all(topic), (Records{"a"}));
}

TEST(SegmentNode, AnIdleSegmentThatLostACopyIsSucceededByOneThatHasThem) {
    TestNodes nodes(4);
    const TopicId topic = nodes.create_topic(1);
    EXPECT_EQ(outcome(nodes, nodes.append(topic, "a")), AppendOutcome::kCommitted);
    nodes.run();
    nodes.stop(3);
    nodes.run(40);
    EXPECT_EQ(nodes.last(topic).number, 1u) << "it may come back";
    nodes.run(40);
    EXPECT_EQ(nodes.last(topic).number, 2u);
    EXPECT_FALSE(nodes.last(topic).has_replica(3));
    EXPECT_EQ(nodes.last(topic).replicas.size(), 3u);
}

TEST(SegmentNode, ASegmentThatOpenedWithTooFewCopiesIsSucceededWhenANodeComesBack) {
    TestNodes nodes(3);
    const TopicId topic = nodes.create_topic(1);
    nodes.stop(3);
    nodes.run(15);
    EXPECT_EQ(outcome(nodes, nodes.append(topic, "a")), AppendOutcome::kCommitted);
    nodes.run(100);
    ASSERT_EQ(nodes.last(topic).number, 2u) << "a copy made no progress";
    ASSERT_EQ(nodes.last(topic).replicas.size(), 2u);
    nodes.start(3);
    nodes.run(100);
    EXPECT_EQ(nodes.last(topic).number, 3u);
    EXPECT_EQ(nodes.last(topic).replicas.size(), 3u);
    nodes.run(200);
    EXPECT_EQ(nodes.last(topic).number, 3u) << "and then it is at rest";
}

TEST(SegmentNode, DeletedTopicsAndDroppedSegmentsLeaveTheDisk) {
    TestNodes nodes(3);
    const TopicId topic = nodes.create_topic(1);
    nodes.append(topic, "a");
    ASSERT_TRUE(nodes.disk(2).copies.contains({topic, 1}));
    nodes.apply(DeleteTopic{topic, nodes.state().topic(topic)->version});
    nodes.settle();
    for (NodeId id = 1; id <= 3; ++id) EXPECT_TRUE(nodes.disk(id).copies.empty()) << id;
}

}  // namespace
}  // namespace walrus::cluster
