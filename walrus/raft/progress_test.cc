#include "walrus/raft/progress.h"

#include <gtest/gtest.h>

namespace walrus::raft {
namespace {

constexpr Options kOptions{.id = 1, .max_inflight_messages = 2, .max_inflight_bytes = 100};

Progress replicating(Index match) {
    Progress progress(kOptions, 10);
    progress.accepted(match);
    return progress;
}

TEST(RaftProgress, AProbeSendsOneMessagePerSignOfLife) {
    Progress progress(kOptions, 10);
    EXPECT_TRUE(progress.may_send());
    progress.sent(0, 0);
    EXPECT_FALSE(progress.may_send());
    progress.heard();
    EXPECT_TRUE(progress.may_send());
}

TEST(RaftProgress, TheWindowBoundsMessagesInFlight) {
    Progress progress = replicating(10);
    progress.sent(1, 10);
    progress.sent(1, 10);
    EXPECT_FALSE(progress.may_send());
    EXPECT_EQ(progress.next(), 13U);
    progress.accepted(11);
    EXPECT_TRUE(progress.may_send());
}

TEST(RaftProgress, TheWindowBoundsBytesInFlight) {
    Progress progress = replicating(10);
    progress.sent(1, 100);
    EXPECT_FALSE(progress.may_send());
}

TEST(RaftProgress, OneAnswerFreesAllItCovers) {
    Progress progress = replicating(10);
    progress.sent(1, 10);
    progress.sent(1, 10);
    progress.accepted(12);
    EXPECT_EQ(progress.inflight().count(), 0U);
}

// Trap 4.
TEST(RaftProgress, AReorderedAnswerDoesNotMoveMatchBack) {
    Progress progress = replicating(10);
    progress.sent(2, 10);
    progress.accepted(12);
    progress.accepted(11);
    EXPECT_EQ(progress.match(), 12U);
    EXPECT_EQ(progress.next(), 13U);
}

TEST(RaftProgress, AStaleRefusalChangesNothing) {
    Progress progress = replicating(10);
    progress.sent(1, 10);
    EXPECT_FALSE(progress.rejected(9, 3));
    EXPECT_EQ(progress.state(), ProgressState::kReplicate);
    EXPECT_EQ(progress.next(), 12U);
}

TEST(RaftProgress, ARefusalProbesWhereTheHintSays) {
    Progress progress(kOptions, 10);
    EXPECT_TRUE(progress.rejected(10, 4));
    EXPECT_EQ(progress.next(), 5U);
    EXPECT_FALSE(progress.rejected(10, 2)) << "a duplicate of the first refusal";
    EXPECT_EQ(progress.next(), 5U);
}

TEST(RaftProgress, ARefusalNeverGoesBelowTheMatch) {
    Progress progress = replicating(10);
    progress.sent(2, 10);
    EXPECT_TRUE(progress.rejected(12, 3));
    EXPECT_EQ(progress.state(), ProgressState::kProbe);
    EXPECT_EQ(progress.next(), 11U);
}

TEST(RaftProgress, ASnapshotEndsWhenItIsAcknowledged) {
    Progress progress(kOptions, 10);
    progress.begin_snapshot({8, 2, {.voters = {1}}});
    EXPECT_FALSE(progress.may_send());
    EXPECT_FALSE(progress.rejected(10, 0));
    progress.accepted(5);
    EXPECT_EQ(progress.state(), ProgressState::kSnapshot);
    progress.accepted(8);
    EXPECT_EQ(progress.state(), ProgressState::kProbe);
    EXPECT_EQ(progress.next(), 9U);
}

// [D] 4.2.1.
TEST(RaftProgress, CatchingUpEndsWithARoundShorterThanAnElectionTimeout) {
    Progress progress = replicating(5);
    progress.note_round(100, 0, 10);
    progress.accepted(100);
    progress.note_round(150, 20, 10);
    EXPECT_FALSE(progress.caught_up()) << "the round took 20 ticks";
    progress.accepted(150);
    progress.note_round(152, 25, 10);
    EXPECT_TRUE(progress.caught_up());
}

TEST(RaftProgress, WhoMissesNothingHasCaughtUp) {
    Progress progress = replicating(5);
    progress.note_round(5, 0, 10);
    EXPECT_TRUE(progress.caught_up());
}

}  // namespace
}  // namespace walrus::raft
