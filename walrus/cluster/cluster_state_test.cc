#include "walrus/cluster/cluster_state.h"

#include <gtest/gtest.h>

#include "walrus/cluster/command_codec.h"
#include "walrus/cluster/test_cluster_state.h"

namespace walrus::cluster {
namespace {

constexpr SealedContent kTen{.length = 10, .bytes = 1000, .chain = ChainHash{77}};

class ClusterStateTest : public ::testing::Test {
protected:
    // Every test ends in a possible state that survives a snapshot.
    void TearDown() override {
        EXPECT_EQ(fault_of(t_.state.data()), std::nullopt);
        const auto restored = ClusterState::restore(as_bytes(t_.state.snapshot()));
        ASSERT_TRUE(restored) << restored.error().to_string();
        EXPECT_EQ(restored->data(), t_.state.data());
    }
    Epoch epoch(TopicId topic, SegmentNumber number) { return t_.segment(topic, number).epoch; }

    TestState t_;
};

TEST_F(ClusterStateTest, CreateTopicOpensSegmentOneWithTheCommandsIndexAsEpoch) {
    const CommandResult result = t_.run(CreateTopic{"orders", {}, TestState::next_on(2)});
    ASSERT_EQ(result.outcome, Outcome::kApplied);
    const Segment& segment = t_.segment(result.topic, 1);
    EXPECT_EQ(segment.epoch, Epoch{result.index});
    EXPECT_EQ(segment.state, SegmentState::kOpen);
    EXPECT_EQ(segment.leader, (LeaderId{2, 102}));
    EXPECT_EQ(segment.ack_quorum, 2u);
    EXPECT_EQ(segment.fence_quorum(), 2u);
    EXPECT_EQ(t_.state.find_topic("orders")->id, result.topic);
    const CommandResult again = t_.run(CreateTopic{"orders", {}, TestState::next_on(3)});
    EXPECT_EQ(again.outcome, Outcome::kAlreadyExists);
    EXPECT_EQ(again.topic, result.topic);
}

TEST_F(ClusterStateTest, SealAndOpenSealsAndOpensInOneEntry) {
    const TopicId topic = t_.create();
    const SealAndOpen command{
        {topic, 1}, epoch(topic, 1), kTen, TestState::all_three(), TestState::next_on(2)};
    const CommandResult result = t_.run(command);
    ASSERT_EQ(result.outcome, Outcome::kApplied);
    EXPECT_EQ(result.segment, 2u);
    EXPECT_EQ(t_.segment(topic, 1).length, 10u);
    EXPECT_EQ(t_.segment(topic, 2).base, Offset{10});
    EXPECT_EQ(t_.segment(topic, 2).leader.node, 2u);
    EXPECT_EQ(t_.segment(topic, 2).epoch, Epoch{result.index});
    EXPECT_EQ(t_.run(command).outcome, Outcome::kWrongState);
}

TEST_F(ClusterStateTest, OnlyHoldersOfEverythingAreRecordedAtARollover) {
    const TopicId topic = t_.create();
    SealAndOpen seal{{topic, 1}, epoch(topic, 1), kTen, {copy_on(1)}, TestState::next_on(2)};
    EXPECT_EQ(t_.run(seal).outcome, Outcome::kNotEnoughReplicas);
    seal.holders = {copy_on(1), copy_on(3)};
    EXPECT_EQ(t_.run(seal).outcome, Outcome::kApplied);
    EXPECT_EQ(t_.segment(topic, 1).replicas, seal.holders);
}

TEST_F(ClusterStateTest, BeginSealTakesTheSegmentAndTheLeadersOwnSealLoses) {
    const TopicId topic = t_.create();
    const Epoch open = epoch(topic, 1);
    const CommandResult begun = t_.run(BeginSeal{{topic, 1}, open});
    ASSERT_EQ(begun.outcome, Outcome::kApplied);
    EXPECT_EQ(begun.epoch, Epoch{begun.index});
    const SealAndOpen late{{topic, 1}, open, kTen, TestState::all_three(), TestState::next_on(2)};
    EXPECT_EQ(t_.run(late).outcome, Outcome::kStaleEpoch);
}

TEST_F(ClusterStateTest, OfTwoCoordinatorsTheOneWithTheNewerEpochSeals) {
    const TopicId topic = t_.create();
    const Epoch first = t_.run(BeginSeal{{topic, 1}, epoch(topic, 1)}).epoch;
    const Epoch second = t_.run(BeginSeal{{topic, 1}, first}).epoch;
    Seal seal{.key = {topic, 1}, .expect_epoch = first, .content = kTen};
    seal.holders = {copy_on(1), copy_on(2)};
    EXPECT_EQ(t_.run(seal).outcome, Outcome::kStaleEpoch);
    seal.expect_epoch = second;
    seal.next = TestState::next_on(3);
    EXPECT_EQ(t_.run(seal).outcome, Outcome::kApplied);
    EXPECT_EQ(t_.segment(topic, 1).replicas, seal.holders);
    EXPECT_EQ(t_.segment(topic, 2).base, Offset{10});
    EXPECT_EQ(t_.run(BeginSeal{{topic, 1}, second}).outcome, Outcome::kWrongState);
}

TEST_F(ClusterStateTest, SealNeedsAckQuorumHoldersUnlessFewerNodesLive) {
    const TopicId topic = t_.create();
    const Epoch begun = t_.run(BeginSeal{{topic, 1}, epoch(topic, 1)}).epoch;
    Seal seal{.key = {topic, 1}, .expect_epoch = begun, .content = kTen};
    seal.holders = {copy_on(3)};
    EXPECT_EQ(t_.run(seal).outcome, Outcome::kNotEnoughReplicas);
    seal.holders = {copy_on(3), copy_on(3)};
    EXPECT_EQ(t_.run(seal).outcome, Outcome::kInvalid);
    seal.holders = {copy_on(3), ReplicaId{2, 9}};
    EXPECT_EQ(t_.run(seal).outcome, Outcome::kStaleNode);
    for (const NodeId down : {1, 2}) {
        const Index version = t_.state.node(down)->version;
        t_.run(SetNodeState{down, NodeState::kDown, version});
    }
    seal.holders = {copy_on(3)};
    EXPECT_EQ(t_.run(seal).outcome, Outcome::kApplied);
    // Without two live nodes no segment opens; the topic waits.
    EXPECT_EQ(t_.run(OpenSegment{topic, 1, TestState::next_on(3)}).outcome, Outcome::kStaleNode);
}

TEST_F(ClusterStateTest, AnUncleanSealRecordsWhatItGivesUpAndNeverReusesAnOffset) {
    const TopicId topic = t_.create();
    const Epoch begun = t_.run(BeginSeal{{topic, 1}, epoch(topic, 1)}).epoch;
    UncleanSeal seal{.key = {topic, 1}, .expect_epoch = begun, .content = kTen};
    seal.holders = {copy_on(3)};
    EXPECT_EQ(t_.run(seal).outcome, Outcome::kInvalid) << "a reason is asked for";
    seal.reason = "rack 4 burned down";
    EXPECT_EQ(t_.run(seal).outcome, Outcome::kApplied);
    EXPECT_EQ(t_.segment(topic, 1).lost_records, 999'990u);
    EXPECT_EQ(t_.run(OpenSegment{topic, 1, TestState::next_on(1)}).outcome, Outcome::kApplied);
    EXPECT_EQ(t_.segment(topic, 2).base, Offset{1'000'000});
}

TEST_F(ClusterStateTest, ANodeThatLostItsDiskOrRunsTwiceIsRefused) {
    UpsertNode blank = upsert(1, 201, 101);
    blank.disk = 5;
    EXPECT_EQ(t_.run(blank).outcome, Outcome::kStaleNode);
    EXPECT_EQ(t_.run(upsert(1, 201, 101)).outcome, Outcome::kApplied);
    // The registration of an earlier run arrives late.
    EXPECT_EQ(t_.run(upsert(1, 202, 101)).outcome, Outcome::kStaleVersion);
    EXPECT_EQ(t_.state.node(1)->boot, 201u);
    EXPECT_EQ(t_.run(CreateTopic{"t", {}, TestState::next_on(1)}).outcome, Outcome::kStaleNode);
}

TEST_F(ClusterStateTest, ARemovedNodeStaysRemovedAndCannotTakeCopiesWithIt) {
    const TopicId topic = t_.create();
    t_.run(upsert(4));
    Index version = t_.state.node(3)->version;
    EXPECT_EQ(t_.run(SetNodeState{3, NodeState::kRemoved, version}).outcome, Outcome::kInUse);
    version = t_.state.node(4)->version;
    EXPECT_EQ(t_.run(SetNodeState{4, NodeState::kRemoved, version}).outcome, Outcome::kApplied);
    EXPECT_EQ(t_.run(upsert(4, 500, 104)).outcome, Outcome::kWrongState);
    EXPECT_EQ(t_.state.topic(topic)->segments.size(), 1u);
}

TEST_F(ClusterStateTest, CopiesMoveOnlyWhileEnoughLiveOnesStay) {
    const TopicId topic = t_.create();
    t_.run(upsert(4));
    t_.run(SealAndOpen{
        {topic, 1}, epoch(topic, 1), kTen, TestState::all_three(), TestState::next_on(2)});
    t_.run(SetNodeState{1, NodeState::kDown, t_.state.node(1)->version});
    const auto version = [&] { return t_.segment(topic, 1).version; };
    ChangeReplicas change{.key = {topic, 1}, .expect_version = version()};
    change.remove = {copy_on(2)};
    EXPECT_EQ(t_.run(change).outcome, Outcome::kNotEnoughReplicas);
    change = {{topic, 1}, version(), {copy_on(4)}, {copy_on(1)}, {4, 103}};
    EXPECT_EQ(t_.run(change).outcome, Outcome::kStaleNode) << "an earlier run has it, or had";
    change.holder.boot = t_.state.node(4)->boot;
    EXPECT_EQ(t_.run(change).outcome, Outcome::kApplied);
    EXPECT_EQ(t_.segment(topic, 1).replicas, (std::vector{copy_on(2), copy_on(3), copy_on(4)}));
    EXPECT_EQ(t_.run(change).outcome, Outcome::kStaleVersion);
    change.key.segment = 2;
    EXPECT_EQ(t_.run(change).outcome, Outcome::kWrongState) << "an open set is never edited";
}

TEST_F(ClusterStateTest, RetentionDropsSealedSegmentsOnly) {
    const TopicId topic = t_.create();
    t_.run(SealAndOpen{
        {topic, 1}, epoch(topic, 1), kTen, TestState::all_three(), TestState::next_on(2)});
    EXPECT_EQ(t_.run(DropSegments{topic, 3}).outcome, Outcome::kWrongState);
    EXPECT_EQ(t_.run(DropSegments{topic, 2}).outcome, Outcome::kApplied);
    EXPECT_EQ(t_.state.topic(topic)->log_start_offset(), Offset{10});
    EXPECT_EQ(t_.run(DropSegments{topic, 1}).outcome, Outcome::kApplied) << "a late copy";
    EXPECT_EQ(t_.state.topic(topic)->log_start_offset(), Offset{10});
}

TEST_F(ClusterStateTest, ADeletedTopicsNameIsFreeAndItsIdIsNot) {
    const TopicId topic = t_.create();
    const Index version = t_.state.topic(topic)->version;
    EXPECT_EQ(t_.run(DeleteTopic{topic, version + 1}).outcome, Outcome::kStaleVersion);
    EXPECT_EQ(t_.run(DeleteTopic{topic, version}).outcome, Outcome::kApplied);
    EXPECT_TRUE(t_.state.was_deleted(topic));
    EXPECT_FALSE(t_.state.was_deleted(topic + 1));
    EXPECT_NE(t_.create(), topic);
}

TEST_F(ClusterStateTest, ACursorNeverGoesBackAndOnlyItsOwnerMovesIt) {
    const TopicId topic = t_.create();
    const auto acquire = [&](NodeId node, Index expect) {
        return t_.run(AcquireCursor{topic, "g", {node, 100 + node}, expect, {}});
    };
    const auto commit = [&](Index generation, std::uint64_t offset) {
        return t_.run(CommitCursors{{{topic, "g", generation, Offset{offset}}}}).items.at(0);
    };
    const Index first = acquire(1, 0).index;
    EXPECT_EQ(commit(first, 5), Outcome::kApplied);
    EXPECT_EQ(commit(first, 5), Outcome::kApplied);
    EXPECT_EQ(commit(first, 4), Outcome::kStaleVersion);
    EXPECT_EQ(commit(first, 1'000'001), Outcome::kOutOfRange);
    EXPECT_EQ(acquire(2, 0).outcome, Outcome::kStaleVersion);
    const Index second = acquire(2, first).index;
    EXPECT_EQ(commit(first, 9), Outcome::kStaleEpoch);
    EXPECT_EQ(commit(second, 6), Outcome::kApplied);
    EXPECT_EQ(t_.state.topic(topic)->cursors.at("g").offset, Offset{6});
    const AcquireCursor reset{topic, "g", {2, 102}, second, Offset{0}};
    EXPECT_EQ(t_.run(reset).outcome, Outcome::kApplied) << "an explicit reset may go back";
    EXPECT_EQ(t_.state.topic(topic)->cursors.at("g").offset, Offset{0});
}

TEST_F(ClusterStateTest, ANamedProducerKeepsItsIdAndItsEpochRises) {
    const CommandResult first = t_.run(InitProducer{"p"});
    const CommandResult second = t_.run(InitProducer{"p"});
    EXPECT_EQ(second.producer, first.producer);
    EXPECT_EQ(second.producer_epoch, first.producer_epoch + 1);
    EXPECT_NE(t_.run(InitProducer{}).producer, first.producer);
    EXPECT_TRUE(t_.run(ExpireProducers{first.index}).applied());
    EXPECT_EQ(t_.state.data().producers.size(), 1u) << "used since";
    t_.run(ExpireProducers{second.index});
    EXPECT_TRUE(t_.state.data().producers.empty());
}

TEST_F(ClusterStateTest, AProducerEpochNeverLeavesTheClientsSixteenBits) {
    const ProducerId first = t_.run(InitProducer{"p"}).producer;
    for (int i = 0; i < 32767; ++i) t_.run(InitProducer{"p"});
    EXPECT_EQ(t_.state.data().producers.at("p").epoch, 32767);
    const CommandResult next = t_.run(InitProducer{"p"});
    EXPECT_EQ(next.producer_epoch, 0);
    EXPECT_NE(next.producer, first);
}

// A proposal that timed out is sent again under the same id.
TEST_F(ClusterStateTest, ACommandSentTwiceIsAnsweredFromMemory) {
    const CommandId id{.client = 9, .sequence = 1};
    const CommandResult first = t_.run(InitProducer{"p"}, id);
    t_.run(InitProducer{"p"});
    EXPECT_EQ(t_.run(InitProducer{"p"}, id), first);
    EXPECT_EQ(t_.state.data().producers.at("p").epoch, 1);
}

TEST_F(ClusterStateTest, TheMemoryOfCommandsIsBoundedAndForgetsTheOldest) {
    for (std::uint64_t i = 1; i <= DedupTable::kCapacity + 1; ++i) {
        t_.run(InitProducer{}, {.client = 9, .sequence = i});
    }
    EXPECT_EQ(t_.state.data().dedup.entries().size(), DedupTable::kCapacity);
    EXPECT_EQ(t_.state.data().dedup.find({9, 1}), nullptr);
    EXPECT_NE(t_.state.data().dedup.find({9, 2}), nullptr);
}

// --- error paths ---

TEST_F(ClusterStateTest, BytesThatAreNoCommandAreARejectedOutcomeLikeAnyOther) {
    ClusterState other = t_.state;
    const Index index = t_.state.applied_index() + 1;
    EXPECT_EQ(t_.state.apply(index, as_bytes("nonsense")).outcome, Outcome::kMalformed);
    EXPECT_EQ(t_.state.applied_index(), index);
    EXPECT_EQ(other.apply(index, as_bytes("nonsense")).outcome, Outcome::kMalformed);
    EXPECT_EQ(other.data(), t_.state.data());
}

TEST_F(ClusterStateTest, AnIndexThatWasAppliedChangesNothing) {
    const ClusterData before = t_.state.data();
    const Command command{{}, InitProducer{"p"}};
    EXPECT_EQ(t_.state.apply(before.applied_index, command).outcome, Outcome::kStaleIndex);
    EXPECT_EQ(t_.state.data(), before);
}

TEST_F(ClusterStateTest, ASegmentNeedsDistinctLiveReplicasThatIncludeItsLeader) {
    const auto outcome = [&](NextSegment next) {
        return t_.run(CreateTopic{"t", {}, std::move(next)}).outcome;
    };
    NextSegment next = TestState::next_on(1);
    next.replicas = {copy_on(1), copy_on(1)};
    EXPECT_EQ(outcome(next), Outcome::kInvalid);
    next.replicas = {copy_on(2), copy_on(3)};
    EXPECT_EQ(outcome(next), Outcome::kInvalid);
    next.replicas = {copy_on(1)};
    EXPECT_EQ(outcome(next), Outcome::kNotEnoughReplicas);
    next.replicas = {copy_on(1), ReplicaId{2, 7}};
    EXPECT_EQ(outcome(next), Outcome::kStaleNode);
    next.replicas = {copy_on(1), copy_on(2), copy_on(3), copy_on(4)};
    EXPECT_EQ(outcome(next), Outcome::kInvalid);
    next = TestState::next_on(1);
    next.leader.boot = 7;
    EXPECT_EQ(outcome(next), Outcome::kStaleNode);
}

TEST_F(ClusterStateTest, ImpossibleConfigurationsAndLengthsAreRefused) {
    EXPECT_EQ(t_.run(CreateTopic{"", {}, TestState::next_on(1)}).outcome, Outcome::kInvalid);
    TopicConfig config{.replication_factor = 3, .ack_quorum = 4};
    EXPECT_EQ(t_.run(CreateTopic{"t", config, TestState::next_on(1)}).outcome, Outcome::kInvalid);
    const TopicId topic = t_.create();
    SealAndOpen seal{
        {topic, 1}, epoch(topic, 1), kTen, TestState::all_three(), TestState::next_on(2)};
    seal.content.length = 1'000'001;
    EXPECT_EQ(t_.run(seal).outcome, Outcome::kInvalid);
    seal.key.segment = 2;
    EXPECT_EQ(t_.run(seal).outcome, Outcome::kNotFound);
}

TEST(ClusterStateRestore, RefusesASnapshotOfAnImpossibleState) {
    TestState t;
    const TopicId topic = t.create();
    EXPECT_FALSE(ClusterState::restore(as_bytes("x")));
    std::string snapshot = t.state.snapshot();
    snapshot.pop_back();
    EXPECT_FALSE(ClusterState::restore(as_bytes(snapshot)));
    EXPECT_NE(topic, 0u);
}

}  // namespace
}  // namespace walrus::cluster
