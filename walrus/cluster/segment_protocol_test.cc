// The roles of the segment protocol one by one: what each answers, and what it refuses.
#include <gtest/gtest.h>

#include "walrus/cluster/replica.h"
#include "walrus/cluster/retention.h"
#include "walrus/cluster/seal_coordinator.h"
#include "walrus/cluster/segment_leader.h"
#include "walrus/cluster/test_cluster_state.h"

namespace walrus::cluster {
namespace {

constexpr SegmentKey kKey{1, 1};
constexpr NodeId kLeader = 1;

Segment open_segment(std::uint32_t ack_quorum = 2) {
    return {.number = 1,
            .epoch = Epoch{5},
            .leader = {kLeader, 101},
            .replicas = TestState::all_three(),
            .ack_quorum = ack_quorum,
            .max_records = 100};
}

Segment sealing_segment(std::uint64_t epoch, std::uint32_t ack_quorum = 2) {
    Segment segment = open_segment(ack_quorum);
    segment.state = SegmentState::kSealing;
    segment.epoch = Epoch{epoch};
    return segment;
}

Batch batch(const std::string& data) {
    return {.records = 1, .data = Payload(data)};
}

// The boundary behind these batches.
Mark mark_of(const std::vector<std::string>& data) {
    Mark mark{.chain = chain_start(kKey)};
    for (const std::string& one : data) mark = mark_after(mark, batch(one));
    return mark;
}

template <class Body>
Body only(const Output& out) {
    EXPECT_EQ(out.messages.size(), 1u);
    return std::get<Body>(out.messages.at(0).body);
}

class ReplicaTest : public ::testing::Test {
protected:
    AppendRequest append(const Mark& before, std::vector<std::string> data,
                         std::uint64_t epoch = 5) {
        AppendRequest request{
            .key = kKey, .epoch = Epoch{epoch}, .first = before.length, .prev_chain = before.chain};
        for (const std::string& one : data) request.batches.push_back(batch(one));
        return request;
    }
    // The answer, with all writes durable at once.
    AppendReply ask(const AppendRequest& request) {
        Output out;
        replica_.on(kLeader, request, out);
        replica_.persisted(replica_.last_ticket(), out);
        return only<AppendReply>(out);
    }
    FenceReply fence(std::uint64_t epoch) {
        Output out;
        replica_.on(3, FenceRequest{kKey, Epoch{epoch}}, out);
        replica_.persisted(replica_.last_ticket(), out);
        return only<FenceReply>(out);
    }
    static Segment sealed(const Mark& end) {
        Segment segment = open_segment();
        segment.state = SegmentState::kSealed;
        segment.length = end.length;
        segment.bytes = end.bytes;
        segment.chain = end.chain;
        return segment;
    }

    Replica replica_{1, open_segment(), copy_on(2), {.promised = Epoch{5}}};
};

TEST_F(ReplicaTest, AnswersOnlyWhenTheDiskHasAnswered) {
    Output out;
    replica_.on(kLeader, append(mark_of({}), {"a"}), out);
    EXPECT_TRUE(out.messages.empty());
    ASSERT_EQ(out.writes.size(), 1u);
    replica_.persisted(out.writes[0].ticket, out);
    EXPECT_EQ(only<AppendReply>(out).durable_length, 1u);
}

TEST_F(ReplicaTest, ARepeatedRequestIsAnsweredAndStoredOnce) {
    ask(append(mark_of({}), {"a", "b"}));
    const AppendReply reply = ask(append(mark_of({}), {"a", "b", "c"}));
    EXPECT_EQ(reply.durable_length, 3u);
    EXPECT_EQ(replica_.end(), mark_of({"a", "b", "c"}));
    Output out;
    replica_.on(kLeader, append(mark_of({"a"}), {"b"}), out);
    EXPECT_TRUE(out.writes.empty());
    EXPECT_EQ(only<AppendReply>(out).status, AppendStatus::kOk);
}

TEST_F(ReplicaTest, RefusesGapsOtherChainsAndOldEpochs) {
    ask(append(mark_of({}), {"a"}));
    const AppendReply gap = ask(append(mark_of({"a", "b"}), {"c"}));
    EXPECT_EQ(gap.status, AppendStatus::kGap);
    EXPECT_EQ(gap.length, 1u);
    EXPECT_EQ(ask(append(mark_of({"x"}), {"b"})).status, AppendStatus::kCorrupt);
    const AppendReply fenced = ask(append(mark_of({"a"}), {"b"}, 4));
    EXPECT_EQ(fenced.status, AppendStatus::kFenced);
    EXPECT_EQ(fenced.promised, Epoch{5});
    EXPECT_EQ(replica_.end(), mark_of({"a"}));
}

TEST_F(ReplicaTest, AFenceReportsWhatWasInFlightAndThenRefusesTheOldEpoch) {
    Output out;
    replica_.on(kLeader, append(mark_of({}), {"a"}), out);
    replica_.on(3, FenceRequest{kKey, Epoch{9}}, out);
    EXPECT_TRUE(out.messages.empty()) << "neither is durable";
    replica_.persisted(replica_.last_ticket(), out);
    ASSERT_EQ(out.messages.size(), 2u);
    EXPECT_EQ(std::get<AppendReply>(out.messages[0].body).status, AppendStatus::kFenced);
    EXPECT_EQ(std::get<FenceReply>(out.messages[1].body).intact, mark_of({"a"}));
    EXPECT_EQ(ask(append(mark_of({"a"}), {"b"})).status, AppendStatus::kFenced);
    EXPECT_EQ(fence(8).status, FenceStatus::kSuperseded);
}

TEST_F(ReplicaTest, RepeatedFencesWhileTheDiskIsSlowAreAnsweredOnce) {
    Output out;
    for (int i = 0; i < 5; ++i) replica_.on(3, FenceRequest{kKey, Epoch{9}}, out);
    replica_.persisted(replica_.last_ticket(), out);
    EXPECT_EQ(out.messages.size(), 1u);
}

TEST_F(ReplicaTest, AtTheSealItDropsWhatWasNeverAcknowledged) {
    ask(append(mark_of({}), {"a", "b"}));
    Output out;
    replica_.update(sealed(mark_of({"a"})), out);
    ASSERT_EQ(out.writes.size(), 1u);
    EXPECT_EQ(std::get<CutTo>(out.writes[0].operation).end, mark_of({"a"}));
    EXPECT_TRUE(replica_.complete());
    EXPECT_EQ(replica_.readable_length(), 1u);
    EXPECT_EQ(ask(append(mark_of({"a"}), {"b"})).status, AppendStatus::kSealed);
}

TEST_F(ReplicaTest, ACopyOfAnotherContentIsFoundAtTheSeal) {
    ask(append(mark_of({}), {"a"}));
    Output out;
    replica_.update(sealed(mark_of({"z"})), out);
    EXPECT_TRUE(replica_.corrupt());
    EXPECT_FALSE(replica_.complete());
    EXPECT_EQ(replica_.readable_length(), 0u);
}

TEST_F(ReplicaTest, AfterAFailedWriteItAnswersForNothing) {
    Output out;
    replica_.on(kLeader, append(mark_of({}), {"a"}), out);
    replica_.write_failed(out);
    EXPECT_EQ(only<AppendReply>(out).status, AppendStatus::kFailed);
    EXPECT_EQ(fence(9).status, FenceStatus::kFailed);
    EXPECT_EQ(replica_.durable_length(), 0u);
}

class CoordinatorTest : public ::testing::Test {
protected:
    FenceReply reply(NodeId node, const Mark& end) {
        return {.key = kKey,
                .epoch = Epoch{9},
                .disk = copy_on(node).disk,
                .promised = Epoch{9},
                .length = end.length,
                .intact = end};
    }
    AppendReply holds(NodeId node, const Mark& end) {
        return {.key = kKey,
                .epoch = Epoch{9},
                .disk = copy_on(node).disk,
                .promised = Epoch{9},
                .length = end.length,
                .durable_length = end.length,
                .verified_length = end.length};
    }

    SealCoordinator coordinator_{{}, 4, 1, sealing_segment(9)};
    Output out_;
};

TEST_F(CoordinatorTest, SealsAtTheLongestOfTheFencedOnceAnAckQuorumHoldsIt) {
    coordinator_.on(2, reply(2, mark_of({"a"})), out_);
    EXPECT_FALSE(coordinator_.fenced());
    coordinator_.on(3, reply(3, mark_of({"a", "b"})), out_);
    EXPECT_TRUE(coordinator_.fenced());
    EXPECT_FALSE(coordinator_.found()) << "node 2 has not got the tail";
    coordinator_.on(2, holds(2, mark_of({"a", "b"})), out_);
    ASSERT_TRUE(coordinator_.found());
    EXPECT_EQ(coordinator_.found()->content.length, 2u);
    EXPECT_EQ(coordinator_.found()->holders, (std::vector{copy_on(3), copy_on(2)}));
}

TEST_F(CoordinatorTest, LossyAndReplacedDisksDoNotCount) {
    FenceReply lossy = reply(2, mark_of({}));
    lossy.lossy = true;
    coordinator_.on(2, lossy, out_);
    FenceReply other = reply(1, mark_of({}));
    other.disk = 77;
    coordinator_.on(1, other, out_);
    coordinator_.on(3, reply(3, mark_of({})), out_);
    EXPECT_EQ(coordinator_.fenced_count(), 1u);
    EXPECT_FALSE(coordinator_.fenced());
}

TEST_F(CoordinatorTest, DamagedRecordsAreWaitedForUntilEnoughReplicasPositivelyLackThem) {
    FenceReply damaged = reply(2, mark_of({"a"}));
    damaged.length = 2;  // There was a second record; it cannot be read.
    coordinator_.on(2, damaged, out_);
    coordinator_.on(3, reply(3, mark_of({"a"})), out_);
    EXPECT_FALSE(coordinator_.fenced());
    EXPECT_TRUE(coordinator_.blocked_by_damage());
    EXPECT_EQ(coordinator_.salvage()->content.length, 1u);
    coordinator_.on(1, reply(1, mark_of({"a"})), out_);
    EXPECT_TRUE(coordinator_.fenced()) << "two of three lack it: it was never acknowledged";
}

TEST_F(CoordinatorTest, ASpareNodeBecomesAHolderWhenMembersStaySilent) {
    SealCoordinator coordinator({}, 4, 1, sealing_segment(9, 3));
    coordinator.set_spares({copy_on(5), copy_on(6)}, 3);
    coordinator.on(3, reply(3, mark_of({"a"})), out_);
    ASSERT_TRUE(coordinator.fenced()) << "A is 3, so one fenced replica is enough";
    for (int i = 0; i < 20; ++i) coordinator.tick(out_);
    coordinator.on(5, holds(5, mark_of({"a"})), out_);
    EXPECT_FALSE(coordinator.found());
    coordinator.on(6, holds(6, mark_of({"a"})), out_);
    EXPECT_EQ(coordinator.found()->holders.size(), 3u);
}

TEST_F(CoordinatorTest, ANewerEpochEndsIt) {
    FenceReply newer = reply(2, mark_of({}));
    newer.status = FenceStatus::kSuperseded;
    coordinator_.on(2, newer, out_);
    coordinator_.on(3, reply(3, mark_of({})), out_);
    coordinator_.on(1, reply(1, mark_of({})), out_);
    EXPECT_TRUE(coordinator_.superseded());
    EXPECT_FALSE(coordinator_.found());
}

class LeaderTest : public ::testing::Test {
protected:
    void durable(NodeId node, std::uint64_t length) {
        leader_.on(node,
                   AppendReply{.key = kKey,
                               .epoch = Epoch{5},
                               .disk = copy_on(node).disk,
                               .length = length,
                               .durable_length = length},
                   out_);
    }

    Output out_;
    SegmentLeader leader_{{}, 1, open_segment(), {}};
};

TEST_F(LeaderTest, AcknowledgesAtTheAckQuorumInOrder) {
    leader_.append(10, batch("a"), out_);
    leader_.append(11, batch("b"), out_);
    durable(1, 2);
    EXPECT_TRUE(out_.appends.empty());
    durable(3, 1);
    ASSERT_EQ(out_.appends.size(), 1u);
    EXPECT_EQ(out_.appends[0].request, 10u);
    durable(1, 1);  // An old answer comes late.
    durable(2, 2);
    ASSERT_EQ(out_.appends.size(), 2u);
    EXPECT_EQ(out_.appends[1].offset, Offset{1});
}

TEST_F(LeaderTest, ARetryOfABatchInFlightIsAnsweredWithTheFirstOffset) {
    Batch first = batch("a");
    first.producer = {7, 0, 0};
    leader_.append(10, first, out_);
    leader_.append(11, first, out_);
    EXPECT_TRUE(out_.appends.empty());
    durable(1, 1);
    durable(2, 1);
    ASSERT_EQ(out_.appends.size(), 2u);
    EXPECT_EQ(out_.appends[1].outcome, AppendOutcome::kDuplicate);
    EXPECT_EQ(out_.appends[1].offset, Offset{0});
    EXPECT_EQ(leader_.end().length, 1u);
}

// The batch before it may be with a successor; producers take this answer for final.
TEST_F(LeaderTest, SaysOutOfOrderOnlyWhenItIsConfirmedAsTheLeader) {
    Batch second = batch("b");
    second.producer = {7, 0, 1};
    leader_.append(10, second, out_);
    EXPECT_TRUE(out_.appends.empty());
    ConfirmReply reply{.key = kKey, .epoch = Epoch{5}, .round = 1, .confirmed = true};
    for (const NodeId node : {NodeId{1}, NodeId{2}}) {
        reply.disk = copy_on(node).disk;
        leader_.on(node, reply, out_);
    }
    EXPECT_EQ(out_.appends, (std::vector<AppendDone>{{10, 1, AppendOutcome::kOutOfOrder, {}}}));
    out_ = {};
    leader_.append(11, second, out_);
    reply.confirmed = false;
    leader_.on(2, reply, out_);
    EXPECT_EQ(out_.appends, (std::vector<AppendDone>{{11, 1, AppendOutcome::kNotLeader, {}}}));
    EXPECT_TRUE(out_.reads_done.empty());
}

// A graceful seal fences nobody, so nothing tells this leader that the next one is at work.
TEST_F(LeaderTest, ConfirmsNothingOnceItMayHaveProposedItsSeal) {
    Batch second = batch("b");
    second.producer = {7, 0, 1};
    leader_.stop_admitting();
    leader_.confirm_read(20, out_);
    EXPECT_EQ(out_.reads_done, (std::vector<ReadDone>{{.request = 20, .topic = 1}}));
    leader_.append(10, second, out_);
    EXPECT_EQ(out_.appends, (std::vector<AppendDone>{{10, 1, AppendOutcome::kBusy, {}}}));
    EXPECT_TRUE(out_.messages.empty());
}

TEST_F(LeaderTest, OnceFencedItAdmitsNothingAndKnowsNoOutcome) {
    leader_.append(10, batch("a"), out_);
    const AppendReply fenced{.key = kKey,
                             .epoch = Epoch{5},
                             .disk = copy_on(2).disk,
                             .status = AppendStatus::kFenced,
                             .promised = Epoch{9}};
    leader_.on(2, fenced, out_);
    leader_.append(11, batch("b"), out_);
    ASSERT_EQ(out_.appends.size(), 2u);
    EXPECT_EQ(out_.appends[0].outcome, AppendOutcome::kOutcomeUnknown);
    EXPECT_EQ(out_.appends[1].outcome, AppendOutcome::kNotLeader);
    durable(1, 1);
    durable(3, 1);
    EXPECT_EQ(leader_.high_watermark(), 0u);
}

TEST_F(LeaderTest, AFollowerThatNeverAnswersIsTroubleAndOneThatIsBehindIsNot) {
    leader_.append(10, batch("a"), out_);
    durable(1, 1);
    durable(2, 1);
    for (int i = 0; i < 5; ++i) leader_.tick(out_);
    EXPECT_FALSE(leader_.replica_trouble());
    for (int i = 0; i < 20; ++i) leader_.tick(out_);
    EXPECT_TRUE(leader_.replica_trouble());
    leader_.stop_admitting();
    EXPECT_TRUE(leader_.drained());
    EXPECT_EQ(leader_.holders(), (std::vector{copy_on(1), copy_on(2)}));
}

TEST(RetentionRules, EachLimitDropsWholeSealedSegmentsAndTheLastStays) {
    Topic topic;
    for (SegmentNumber n = 1; n <= 4; ++n) {
        topic.segments[n] = {.number = n,
                             .state = SegmentState::kSealed,
                             .base = Offset{10 * n - 10},
                             .length = 10,
                             .bytes = 100,
                             .sealed_ms = 1000 * n};
    }
    topic.last().state = SegmentState::kOpen;
    topic.last().length = topic.last().bytes = 0;
    EXPECT_EQ(first_kept_segment(topic, 9000), 1u);
    topic.config.retention = {.max_bytes = 200};
    EXPECT_EQ(first_kept_segment(topic, 9000), 2u);
    topic.config.retention = {.max_records = 11};
    EXPECT_EQ(first_kept_segment(topic, 9000), 2u);
    topic.config.retention = {.max_age_ms = 5000};
    EXPECT_EQ(first_kept_segment(topic, 7500), 3u);
    EXPECT_EQ(first_kept_segment(topic, 90000), 4u);
    topic.config.retention = {.reclaim_read = true};
    topic.cursors["slow"].offset = Offset{15};
    topic.cursors["fast"].offset = Offset{30};
    EXPECT_EQ(first_kept_segment(topic, 9000), 2u);
}

}  // namespace
}  // namespace walrus::cluster
