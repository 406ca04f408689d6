// Behaviour of whole nodes that the scripts (testdata/) and the traps (trap_scenarios.cc) do not
// show.  [P] and [D]: see message.h.
#include "walrus/raft/raft.h"

#include <gtest/gtest.h>

#include "walrus/raft/codec.h"
#include "walrus/raft/mutants.h"
#include "walrus/raft/test_cluster.h"

namespace walrus::raft {
namespace {

static_assert(!mutant_on(Mutant::kReplyBeforePersist), "mutants are not for production");

bool is_append(const Message& message) {
    return std::holds_alternative<AppendRequest>(message.body);
}

TEST(Raft, ALoneVoterCommitsByItself) {
    TestCluster cluster(1);
    cluster.elect(1);
    cluster.propose(1, "a");
    EXPECT_EQ(cluster.node(1).applied_commands(), (std::vector<std::string>{"a"}));
}

// [D] 3.4: timeouts are spread, so that somebody is first.
TEST(Raft, SomebodyIsElectedWithoutBeingAsked) {
    TestCluster cluster(5);
    EXPECT_NE(cluster.elect_any(), kNobody);
}

// The leader's messages leave before its own write is done ([D] 10.2.1).
TEST(Raft, TheLeaderSendsInParallelWithItsDisk) {
    TestCluster cluster(3);
    cluster.elect(1);
    cluster.hold_disk(1);
    ASSERT_TRUE(cluster.raft(1).propose(Payload("a")));
    cluster.work(1);
    EXPECT_EQ(std::count_if(cluster.wire().begin(), cluster.wire().end(), is_append), 2);
}

// One round trip and one disk write: with the disks of the followers done, nothing else is needed.
TEST(Raft, TwoFollowersCommitWithoutTheLeadersDisk) {
    TestCluster cluster(3);
    cluster.elect(1);
    cluster.hold_disk(1);
    cluster.propose(1, "a");
    EXPECT_EQ(cluster.raft(1).log().commit_index(), 2U);
    EXPECT_EQ(cluster.node(1).applied().index, 1U) << "applied before it was durable";
}

TEST(Raft, ProposalsBetweenTwoReadysShareAMessage) {
    TestCluster cluster(2);
    cluster.elect(1);
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(cluster.raft(1).propose(Payload("a")));
    cluster.work(1);
    ASSERT_EQ(cluster.wire().size(), 1U);
    EXPECT_EQ(std::get<AppendRequest>(cluster.wire()[0].body).entries.size(), 10U);
}

TEST(Raft, ALargeProposalAndTooManyAreRefused) {
    Options options;
    options.max_payload_bytes = 10;
    options.max_uncommitted_bytes = 300;
    TestCluster cluster(3, 0, options);
    cluster.elect(1);
    EXPECT_EQ(cluster.raft(1).propose(Payload("01234567890")).error().code, Errc::kTooLarge);
    cluster.isolate(1);
    Result<Proposed> last = Proposed{};
    for (int i = 0; i < 100 && last; ++i) last = cluster.raft(1).propose(Payload("0123456789"));
    ASSERT_FALSE(last);
    EXPECT_EQ(last.error().code, Errc::kResourceExhausted);
    EXPECT_LT(cluster.raft(1).log().last_index(), 10U);
    cluster.heal();
    cluster.tick_all(3);
    EXPECT_TRUE(cluster.raft(1).propose(Payload("0123456789"))) << "room again after the commit";
}

TEST(Raft, WithoutForwardingAFollowerNamesTheLeader) {
    Options options;
    options.forward_proposals = false;
    TestCluster cluster(3, 0, options);
    cluster.elect(1);
    EXPECT_EQ(cluster.raft(2).propose(Payload("a")).error().code, Errc::kNotLeader);
    EXPECT_EQ(cluster.raft(2).leader(), 1U);
}

// Trap 3 ([P] 5.3): a late append that matches must not cut off what came after it.
TEST(Raft, ADelayedAppendDoesNotTruncate) {
    TestCluster cluster(3);
    cluster.elect(1);
    cluster.set_filter([](Message& m) { return m.to != 3; });
    ASSERT_TRUE(cluster.raft(1).propose(Payload("a")));
    cluster.work(1);
    cluster.set_filter(nullptr);
    const Message late{1, 2, 1, AppendRequest{1, 1, 1, {cluster.raft(1).log().at(2)}}};
    cluster.propose(1, "b");
    ASSERT_EQ(cluster.raft(2).log().last_index(), 3U);
    cluster.raft(2).step(late).value();
    EXPECT_EQ(cluster.raft(2).log().last_index(), 3U);
}

// [P] 5.3, Fig. 7: whatever a follower's log looks like, it becomes the leader's.
TEST(Raft, FollowersOfFigureSevenAreBroughtIntoLine) {
    const std::vector<std::vector<Term>> logs = {
        {1, 1, 1, 4, 4, 5, 5, 6, 6, 6},     // The leader's.
        {1, 1, 1, 4, 4, 5, 5, 6, 6},        // a
        {1, 1, 1, 4},                       // b
        {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6},  // c
        {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7},
        {1, 1, 1, 4, 4, 4, 4},
        {1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3},
    };
    for (std::size_t other = 1; other < logs.size(); ++other) {
        TestCluster cluster(3);
        for (const NodeId id : {NodeId{1}, NodeId{2}, NodeId{3}}) {
            cluster.crash(id);
            TestDisk& disk = cluster.node(id).disk();
            disk.hard_state.term = 7;
            const auto& terms = logs[id == 3 ? other : 0];
            for (const Term term : terms) {
                disk.entries.push_back({disk.entries.size() + 1, term, EntryKind::kNoop, {}});
            }
            cluster.restart(id);
        }
        cluster.elect(1);
        cluster.tick_all(2);
        EXPECT_EQ(cluster.raft(3).log().last_index(), 11U);
        EXPECT_EQ(cluster.node(3).applied(), cluster.node(1).applied()) << "log " << other;
    }
}

// [D] 4.2.2, Fig. 4.6: whose removal is not committed may be the only one who can win.
TEST(Raft, AVoterBeingRemovedStandsForElectionUntilThatIsCommitted) {
    TestCluster cluster(2);
    cluster.elect(2);
    cluster.tick_all(1);
    cluster.set_filter([](Message& m) { return m.to != 1; });
    ASSERT_TRUE(cluster.raft(2).propose_conf_change(remove_node(2)));
    cluster.work(2);
    cluster.reboot({1, 2});
    cluster.set_filter(nullptr);
    ASSERT_FALSE(cluster.raft(2).conf().is_voter(2));
    cluster.tick_all(100);
    EXPECT_EQ(cluster.leader(), 1U);
    EXPECT_EQ(cluster.raft(1).conf(), voters({1}));
    EXPECT_EQ(cluster.raft(2).role(), Role::kFollower);
}

// [D] 4.2.3 (trap 7): who was removed and does not know it disturbs nobody.
TEST(Raft, ARemovedServerDoesNotDisturb) {
    TestCluster cluster(3);
    cluster.elect(1);
    cluster.tick_all(1);
    cluster.set_filter([](Message& m) { return m.to != 3; });
    ASSERT_TRUE(cluster.raft(1).propose_conf_change(remove_node(3)));
    cluster.tick_all(100);
    EXPECT_TRUE(cluster.raft(3).conf().is_voter(3)) << "it should not have heard";
    EXPECT_EQ(cluster.leader(), 1U);
    EXPECT_EQ(cluster.raft(1).term(), 1U);
}

// [D] 4.1 (trap 7).
TEST(Raft, ANodeOutsideItsOwnConfigurationAnswersVotes) {
    TestCluster cluster(3, 1);
    cluster.raft(4).step({1, 4, 1, VoteRequest{.last_index = 1, .last_term = 1}}).value();
    cluster.work(4);
    ASSERT_EQ(cluster.wire().size(), 1U);
    EXPECT_TRUE(std::get<VoteReply>(cluster.wire()[0].body).granted);
}

// [D] 4.1 (trap 7): a configuration is in force from its append and goes with its entry.
TEST(Raft, ATruncatedConfigurationIsUndone) {
    TestCluster cluster(3);
    cluster.elect(1);
    cluster.tick_all(1);
    cluster.isolate(1);
    ASSERT_TRUE(cluster.raft(1).propose_conf_change(remove_node(3)));
    EXPECT_EQ(cluster.raft(1).conf(), voters({1, 2}));
    cluster.reboot({2, 3});
    cluster.elect(2);
    cluster.heal();
    cluster.tick_all(3);
    EXPECT_EQ(cluster.raft(1).conf(), voters({1, 2, 3}));
}

TEST(Raft, TheConfigurationSurvivesARestart) {
    TestCluster cluster(3);
    cluster.elect(1);
    cluster.tick_all(1);
    ASSERT_TRUE(cluster.raft(1).propose_conf_change(remove_node(3)));
    cluster.deliver();
    cluster.reboot({1, 2});
    EXPECT_EQ(cluster.raft(2).conf(), voters({1, 2}));
}

// Trap 14: a node that lost its disk under its old identity does no harm and hurts nobody; making
// it a learner under a new identity is the cluster's business.
TEST(Raft, AHeartbeatBeyondTheOwnLogCommitsNothing) {
    TestCluster cluster(3);
    EXPECT_TRUE(cluster.raft(3).step({1, 3, 1, HeartbeatRequest{.commit = 9}}));
    EXPECT_EQ(cluster.raft(3).log().commit_index(), 0U);
}

// Trap 16.
TEST(Raft, ThreeRestartsOfEverybodyChangeNothing) {
    Options options;
    options.trailing_entries = 1;
    TestCluster cluster(3, 0, options);
    cluster.elect(1);
    for (int round = 0; round < 3; ++round) {
        cluster.propose(cluster.elect_any(), "r" + std::to_string(round));
        cluster.tick_all(2);
        const AppliedState before = cluster.node(1).applied();
        EXPECT_EQ(cluster.node(2).applied(), before);
        if (round == 1) cluster.node(2).take_snapshot();
        cluster.reboot({1, 2, 3});
        for (int again = 0; again < 2; ++again) cluster.reboot({1, 2, 3});
        ASSERT_NE(cluster.elect_any(), kNobody);
        cluster.tick_all(2);
        const auto& history = cluster.node(3).apply_history();
        EXPECT_NE(std::find(history.begin(), history.end(), before), history.end());
    }
}

TEST(Raft, AFollowerThatCannotUseASnapshotGetsItAgain) {
    Options options;
    options.trailing_entries = 0;
    TestCluster cluster(3, 0, options);
    cluster.elect(1);
    SnapshotChunk chunk{.meta = {9, 1, voters({1, 2, 3})}, .done = true, .data = Payload("1")};
    SeededRandom random(1);
    auto raft = Raft::open({.id = 3}, {.snapshot = {0, 0, voters({1, 2, 3})}}, random).value();
    raft.step({1, 3, 1, chunk}).value();
    raft.snapshot_received(chunk.meta, false);
    EXPECT_EQ(raft.log().commit_index(), 0U);
    const Ready ready = raft.ready();
    EXPECT_EQ(std::get<SnapshotReply>(ready.messages.back().body).next_offset, 0U);
    EXPECT_FALSE(ready.install);
}

// A transfer that outlives its leader's term must not replace what this node holds now.
TEST(Raft, ASnapshotOfAnEarlierTermIsNotInstalled) {
    SeededRandom random(1);
    auto raft = Raft::open({.id = 3}, {.snapshot = {0, 0, voters({1, 2, 3})}}, random).value();
    const SnapshotChunk chunk{.meta = {9, 1, voters({1, 2, 3})}, .done = true};
    raft.step({1, 3, 1, chunk}).value();
    raft.step({2, 3, 2, HeartbeatRequest{}}).value();
    raft.snapshot_received(chunk.meta, true);
    EXPECT_EQ(raft.log().last_index(), 0U);
}

TEST(Raft, ManyReadsShareOneRound) {
    TestCluster cluster(3);
    cluster.elect(1);
    for (ReadId id = 1; id <= 50; ++id) ASSERT_TRUE(cluster.raft(1).read_index(id));
    cluster.work(1);
    EXPECT_EQ(cluster.wire().size(), 2U);
    cluster.deliver();
    EXPECT_EQ(cluster.node(1).reads().size(), 50U);
}

// A confirmation that was under way when the read came may be older than a deposition.
TEST(Raft, ALaterReadWaitsForALaterRound) {
    TestCluster cluster(3);
    cluster.elect(1);
    ASSERT_TRUE(cluster.raft(1).read_index(1));
    cluster.work(1);
    ASSERT_TRUE(cluster.raft(1).read_index(2));
    for (const NodeId id : {NodeId{2}, NodeId{3}}) {
        cluster.raft(1).step({id, 1, 1, HeartbeatReply{.round = 1}}).value();
    }
    cluster.node(1).pump();
    EXPECT_EQ(cluster.node(1).reads(), (std::vector<ReadState>{{1, 1}}));
}

TEST(Raft, PendingReadsAreBounded) {
    Options options;
    options.max_pending_reads = 2;
    TestCluster cluster(3, 0, options);
    cluster.elect(1);
    EXPECT_TRUE(cluster.raft(1).read_index(1));
    EXPECT_TRUE(cluster.raft(1).read_index(2));
    EXPECT_EQ(cluster.raft(1).read_index(3).error().code, Errc::kResourceExhausted);
}

TEST(Raft, MemoryHoldsOnlyTheTrailingEntries) {
    Options options;
    options.trailing_entries = 5;
    TestCluster cluster(1, 0, options);
    cluster.elect(1);
    for (int i = 0; i < 100; ++i) cluster.propose(1, "a");
    cluster.node(1).take_snapshot();
    const RaftLog& log = cluster.raft(1).log();
    EXPECT_EQ(log.last_index() - log.base_index(), 5U);
}

// Error paths.

TEST(Raft, TwoLeadersOfOneTermAreReported) {
    TestCluster cluster(3);
    cluster.elect(1);
    const Status status = cluster.raft(2).step({3, 2, 1, HeartbeatRequest{}});
    EXPECT_EQ(status.error().code, Errc::kCorruption);
    EXPECT_EQ(cluster.raft(2).leader(), 1U);
}

TEST(Raft, AnAppendAgainstWhatIsCommittedIsReportedAndIgnored) {
    TestCluster cluster(3);
    cluster.elect(1);
    cluster.propose(1, "a");
    cluster.tick_all(1);
    AppendRequest wrong{.prev_index = 1, .prev_term = 1, .commit = 2};
    wrong.entries = {{2, 2, EntryKind::kNoop, {}}};
    const Status status = cluster.raft(2).step({3, 2, 2, wrong});
    EXPECT_EQ(status.error().code, Errc::kCorruption);
    EXPECT_EQ(cluster.raft(2).log().at(2).term, 1U);
}

TEST(Raft, AMessageForAnotherNodeIsRefused) {
    TestCluster cluster(3);
    const Status status = cluster.raft(2).step({1, 3, 1, HeartbeatRequest{}});
    EXPECT_EQ(status.error().code, Errc::kInvalidArgument);
}

TEST(Raft, AnAnswerBeyondTheLeadersLogIsIgnored) {
    TestCluster cluster(3);
    cluster.elect(1);
    const AppendReply reply{.accepted = true, .match_index = 99};
    cluster.raft(1).step({2, 1, 1, reply}).value();
    EXPECT_EQ(cluster.raft(1).progress().at(2).match(), 1U);
}

TEST(Raft, ContradictoryOptionsAreRefused) {
    SeededRandom random(1);
    EXPECT_FALSE(Raft::open({.id = 0}, {}, random));
    EXPECT_FALSE(Raft::open({.id = 1, .election_ticks = 1, .heartbeat_ticks = 1}, {}, random));
}

}  // namespace
}  // namespace walrus::raft
