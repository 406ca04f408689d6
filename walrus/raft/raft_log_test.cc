#include "walrus/raft/raft_log.h"

#include <gtest/gtest.h>

namespace walrus::raft {
namespace {

Entry entry(Index index, Term term) {
    return {index, term, EntryKind::kCommand, Payload("x")};
}

std::vector<Entry> entries(Index first, const std::vector<Term>& terms) {
    std::vector<Entry> result;
    for (const Term term : terms) result.push_back(entry(first++, term));
    return result;
}

SnapshotMeta snapshot(Index index, Term term) {
    return {index, term, {.voters = {1}}};
}

// A log of these terms from index 1, all durable.
RaftLog log_of(const std::vector<Term>& terms, Index commit = 0) {
    return RaftLog::restore(snapshot(0, 0), entries(1, terms), {9, 0, commit}, 0).value();
}

TEST(RaftLog, KnowsTheTermsItHolds) {
    const RaftLog log = log_of({1, 1, 3});
    EXPECT_EQ(log.term(0), Term{0});
    EXPECT_EQ(log.term(2), Term{1});
    EXPECT_EQ(log.term(3), Term{3});
    EXPECT_EQ(log.term(4), std::nullopt);
}

TEST(RaftLog, FindsTheFirstDifference) {
    const RaftLog log = log_of({1, 1, 3});
    EXPECT_EQ(log.find_conflict(entries(2, {1, 3})), 0U);
    EXPECT_EQ(log.find_conflict(entries(2, {1, 3, 3})), 4U);
    EXPECT_EQ(log.find_conflict(entries(2, {2, 3})), 2U);
}

// [P] 5.3: back-off by terms.
TEST(RaftLog, TheHintSkipsTermsThatCannotMatch) {
    const RaftLog log = log_of({1, 1, 1, 4, 4, 5});
    EXPECT_EQ(log.last_with_term_at_most(6, 4), 5U);
    EXPECT_EQ(log.last_with_term_at_most(6, 3), 3U);
    EXPECT_EQ(log.last_with_term_at_most(99, 9), 6U);
    EXPECT_EQ(log.last_with_term_at_most(3, 0), 0U);
}

// [P] 5.4.1.
TEST(RaftLog, TheLaterTermWinsAndThenTheLongerLog) {
    const RaftLog log = log_of({1, 3});
    EXPECT_TRUE(log.up_to_date(1, 4));
    EXPECT_TRUE(log.up_to_date(2, 3));
    EXPECT_FALSE(log.up_to_date(1, 3));
    EXPECT_FALSE(log.up_to_date(99, 2));
}

TEST(RaftLog, EntriesCountAsDurableOnlyWhenTheirBatchIs) {
    RaftLog log = log_of({1});
    log.append(entry(2, 1));
    EXPECT_EQ(log.take_unwritten(1).size(), 1U);
    log.append(entry(3, 1));
    EXPECT_EQ(log.take_unwritten(2).size(), 1U);
    EXPECT_EQ(log.durable_index(), 1U);
    log.persisted(1);
    EXPECT_EQ(log.durable_index(), 2U);
    log.persisted(2);
    EXPECT_EQ(log.durable_index(), 3U);
}

// Trap 1, the subtle form: entry 2 was rewritten while its first version was being written.
TEST(RaftLog, TheLateCompletionOfAReplacedWriteVouchesForNothing) {
    RaftLog log = log_of({1});
    log.append(entry(2, 1));
    static_cast<void>(log.take_unwritten(1));
    log.truncate(2);
    log.append(entry(2, 2));
    static_cast<void>(log.take_unwritten(2));
    log.persisted(1);
    EXPECT_EQ(log.durable_index(), 1U);
    log.persisted(2);
    EXPECT_EQ(log.durable_index(), 2U);
}

TEST(RaftLog, HandsOutForApplyingOnlyWhatIsCommittedAndDurable) {
    RaftLog log = log_of({1});
    log.append(entry(2, 1));
    log.commit_to(2);
    EXPECT_EQ(log.take_unapplied(1'000).size(), 1U);
    EXPECT_FALSE(log.has_unapplied());
    static_cast<void>(log.take_unwritten(1));
    log.persisted(1);
    EXPECT_EQ(log.take_unapplied(1'000).front().index, 2U);
}

TEST(RaftLog, HandsOutAtLeastOneEntryHoweverLarge) {
    const RaftLog log = log_of({1, 1, 1});
    EXPECT_EQ(log.slice(1, 3, 0).size(), 1U);
    EXPECT_EQ(log.slice(1, 3, 2 * cost_bytes(entry(1, 1))).size(), 2U);
}

TEST(RaftLog, CompactionKeepsTheTrailingEntries) {
    RaftLog log = log_of({1, 1, 2, 2, 2}, 5);
    static_cast<void>(log.take_unapplied(1'000));
    log.applied(5);
    log.compact(snapshot(4, 2), 2);
    EXPECT_EQ(log.base_index(), 2U);
    EXPECT_EQ(log.term(2), Term{1});
    EXPECT_EQ(log.term(1), std::nullopt);
    EXPECT_EQ(log.last_index(), 5U);
}

// Trap 9.
TEST(RaftLog, AnOlderSnapshotDoesNotReplaceANewer) {
    RaftLog log = log_of({1, 1, 2, 2, 2}, 5);
    static_cast<void>(log.take_unapplied(1'000));
    log.applied(5);
    log.compact(snapshot(4, 2), 0);
    log.compact(snapshot(2, 1), 0);
    EXPECT_EQ(log.snapshot().index, 4U);
}

TEST(RaftLog, AnInstalledSnapshotIsTheNewBeginning) {
    RaftLog log = log_of({1, 1});
    log.install(snapshot(7, 3));
    EXPECT_EQ(log.last_index(), 7U);
    EXPECT_EQ(log.commit_index(), 7U);
    EXPECT_LT(log.durable_index(), 7U);
    static_cast<void>(log.take_unwritten(1));
    log.persisted(1);
    EXPECT_EQ(log.durable_index(), 7U);
}

TEST(RaftLog, RestoringDropsWhatASnapshotReplaced) {
    const HardState hard_state{9, 0, 0};
    const auto behind = RaftLog::restore(snapshot(5, 2), entries(1, {1, 1}), hard_state, 5).value();
    EXPECT_EQ(behind.last_index(), 5U);
    const auto other =
        RaftLog::restore(snapshot(2, 2), entries(1, {1, 1, 1}), hard_state, 2).value();
    EXPECT_EQ(other.last_index(), 2U);
    const auto same =
        RaftLog::restore(snapshot(2, 1), entries(1, {1, 1, 1}), hard_state, 2).value();
    EXPECT_EQ(same.base_index(), 1U);
    EXPECT_EQ(same.last_index(), 3U);
}

// Error paths.

// Trap 13 (PAR): inside the committed log there is no tail to cut.
TEST(RaftLog, ALogShorterThanItsCommitIndexIsCorrupt) {
    const auto log = RaftLog::restore(snapshot(0, 0), entries(1, {1, 1}), {1, 0, 3}, 0);
    EXPECT_EQ(log.error().code, Errc::kCorruption);
}

TEST(RaftLog, GapsAndFallingTermsAreCorrupt) {
    const HardState hard_state{9, 0, 0};
    const auto gap = RaftLog::restore(snapshot(2, 1), entries(4, {1}), hard_state, 2);
    EXPECT_EQ(gap.error().code, Errc::kCorruption);
    const auto falling = RaftLog::restore(snapshot(0, 0), entries(1, {2, 1}), hard_state, 0);
    EXPECT_EQ(falling.error().code, Errc::kCorruption);
    const auto ahead = RaftLog::restore(snapshot(0, 0), entries(1, {10}), hard_state, 0);
    EXPECT_EQ(ahead.error().code, Errc::kCorruption);
}

}  // namespace
}  // namespace walrus::raft
