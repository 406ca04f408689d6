// What records mean, and which sequences no store can have written.
#include "walrus/raft_storage/stored_state.h"

#include <gtest/gtest.h>

#include "walrus/raft_storage/test_store.h"

namespace walrus::raft_storage {
namespace {

constexpr Identity kIdentity{kTestCluster, kTestNode, 0xD15C};

SnapshotFile file_at(raft::Index index, raft::Term term) {
    return {.serial = index, .meta = {index, term, three_voters()}};
}

class StoredStateTest : public testing::Test {
protected:
    StoredStateTest() {
        take(CheckpointBegin{kFormatVersion, kIdentity, 1});
        take(SnapshotInstalled{{.meta = {0, 0, three_voters()}}});
        take(raft::HardState{});
        take(CheckpointEnd{0});
    }

    void take(Record record) {
        const Status status = state_.apply(std::move(record));
        ASSERT_TRUE(status) << status.error().to_string();
    }
    void take_entries(raft::Index from, raft::Index to, raft::Term term) {
        for (raft::Entry& entry : commands(from, to, term)) take(std::move(entry));
    }
    void expect_refused(Record record) {
        const raft::Restored before = state_.restored();
        const Status status = state_.apply(std::move(record));
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().code, Errc::kCorruption);
        EXPECT_EQ(state_.restored().entries, before.entries);
        EXPECT_EQ(state_.restored().hard_state, before.hard_state);
        EXPECT_EQ(state_.restored().snapshot, before.snapshot);
    }

    StoredState state_;
};

TEST_F(StoredStateTest, EntriesFollowEachOtherAndAreCutBeforeOthersReplaceThem) {
    take(raft::HardState{1, 2, 0});
    take_entries(1, 5, 1);
    take(raft::HardState{2, 2, 3});
    take(Truncate{4});
    take_entries(4, 4, 2);
    EXPECT_EQ(state_.last_index(), 4U);
    EXPECT_EQ(state_.entries().back().term, 2U);
}

TEST_F(StoredStateTest, ASavedSnapshotKeepsTheTrailingEntriesAskedFor) {
    take(raft::HardState{1, 0, 0});
    take_entries(1, 10, 1);
    take(SnapshotSaved{file_at(8, 1), 5});
    EXPECT_EQ(state_.entries().front().index, 5U);
    EXPECT_EQ(state_.restored().applied, 8U);
    take(SnapshotSaved{file_at(10, 1), 100});
    EXPECT_EQ(state_.entries().front().index, 10U) << "its term is needed";
}

TEST_F(StoredStateTest, AnInstalledSnapshotReplacesTheLog) {
    take(raft::HardState{1, 0, 0});
    take_entries(1, 3, 1);
    take(SnapshotInstalled{file_at(20, 1)});
    EXPECT_TRUE(state_.entries().empty());
    take_entries(21, 22, 1);
    EXPECT_EQ(state_.live_bytes(), 2 * raft::cost_bytes(commands(21, 21, 1)[0]));
}

TEST_F(StoredStateTest, ACheckpointMeansTheSameAsAllThatCameBefore) {
    take(raft::HardState{3, 1, 0});
    take_entries(1, 10, 3);
    take(raft::HardState{3, 1, 9});
    take(SnapshotSaved{file_at(8, 3), 5});
    StoredState other;
    ASSERT_TRUE(
        state_.checkpoint(kIdentity, 7, [&](const Record& record) { return other.apply(record); }));
    EXPECT_EQ(other.entries(), state_.entries());
    EXPECT_EQ(other.hard_state(), state_.hard_state());
    EXPECT_EQ(other.snapshot(), state_.snapshot());
    EXPECT_EQ(other.identity(), kIdentity);
    EXPECT_EQ(other.boot(), 7U);
    EXPECT_EQ(other.live_bytes(), state_.live_bytes());
}

TEST_F(StoredStateTest, ACheckpointWithoutItsEndChangesNothing) {
    take(raft::HardState{3, 1, 0});
    take_entries(1, 3, 3);
    take(CheckpointBegin{kFormatVersion, kIdentity, 2});
    EXPECT_TRUE(state_.in_checkpoint());
    take(SnapshotInstalled{{.meta = {0, 0, three_voters()}}});
    EXPECT_EQ(state_.boot(), 1U);
    EXPECT_EQ(state_.last_index(), 3U);
    take(CheckpointBegin{kFormatVersion, kIdentity, 2});
    EXPECT_EQ(state_.last_index(), 3U);
}

// Error paths.

TEST_F(StoredStateTest, HardStateNeverGoesBack) {
    take(raft::HardState{5, 2, 0});
    take_entries(1, 3, 5);
    take(raft::HardState{5, 2, 3});
    expect_refused(raft::HardState{4, 2, 3});
    expect_refused(raft::HardState{5, 2, 2});
    expect_refused(raft::HardState{5, 1, 3});
    expect_refused(raft::HardState{5, raft::kNobody, 3});
}

TEST_F(StoredStateTest, GapsAndRepetitionsAreRefused) {
    take(raft::HardState{1, 0, 0});
    take_entries(1, 3, 1);
    expect_refused(commands(5, 5, 1)[0]);
    expect_refused(commands(3, 3, 1)[0]);
    expect_refused(commands(4, 4, 2)[0]);  // Of a term that was never entered.
}

TEST_F(StoredStateTest, CommittedEntriesAreNeverCut) {
    take(raft::HardState{1, 0, 0});
    take_entries(1, 5, 1);
    take(raft::HardState{1, 0, 3});
    expect_refused(Truncate{3});
    expect_refused(Truncate{6});
    take(SnapshotSaved{file_at(4, 1), 4});
    expect_refused(Truncate{4});
}

TEST_F(StoredStateTest, SnapshotsFitTheLog) {
    take(raft::HardState{2, 0, 0});
    take_entries(1, 5, 1);
    expect_refused(SnapshotSaved{file_at(6, 1), 1});
    expect_refused(SnapshotSaved{file_at(5, 2), 1});
    take(SnapshotSaved{file_at(5, 1), 1});
    expect_refused(SnapshotSaved{file_at(5, 1), 1});
    expect_refused(SnapshotInstalled{file_at(4, 1)});
}

TEST_F(StoredStateTest, ACheckpointIsWholeAndOfTheSameStore) {
    take(raft::HardState{5, 0, 0});
    expect_refused(CheckpointEnd{0});
    expect_refused(CheckpointBegin{kFormatVersion, {kTestCluster, kTestNode, 1}, 2});
    expect_refused(CheckpointBegin{kFormatVersion, {kTestCluster, kTestNode, 0}, 2});
    take(CheckpointBegin{kFormatVersion, kIdentity, 2});
    expect_refused(CheckpointEnd{1});
    expect_refused(CheckpointEnd{0});  // Its term is older.
}

TEST(StoredState, NothingMeansAnythingBeforeTheFirstCheckpoint) {
    StoredState state;
    EXPECT_EQ(state.apply(raft::HardState{1, 0, 0}).error().code, Errc::kCorruption);
    EXPECT_EQ(state.apply(command(1, 1, "x")).error().code, Errc::kCorruption);
    EXPECT_FALSE(state.complete());
}

}  // namespace
}  // namespace walrus::raft_storage
