// The store on a simulated disk that keeps what it should: use, restarts, snapshots, refusals.
// Crashes: crash_test.cc.  Threads and the real disk: threads_test.cc.
#include "walrus/raft_storage/storage.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "walrus/raft_storage/test_store.h"
#include "walrus/testing/sim_clock.h"
#include "walrus/testing/sim_env.h"

namespace walrus::raft_storage {
namespace {

using raft::HardState;
using walrus::testing::CrashKind;
using walrus::testing::SimEnv;
using walrus::testing::SimOperation;
using walrus::testing::Unsynced;

class StorageTest : public ::testing::Test {
protected:
    StorageTest() { EXPECT_TRUE(Storage::format(options(), three_voters())); }

    Options options() {
        Options options = inline_options(*env_, clock_, random_);
        options.on_progress = [this] { ++progress_; };
        return options;
    }
    void open() {
        store_.reset();
        Result<std::unique_ptr<Storage>> store = Storage::open(options());
        ASSERT_TRUE(store) << store.error().to_string();
        store_ = *std::move(store);
        batches_ = {};
    }
    Errc open_error(const Options& options) {
        const Result<std::unique_ptr<Storage>> store = Storage::open(options);
        EXPECT_FALSE(store.has_value());
        return store ? Errc::kIo : store.error().code;
    }
    // Loses what is not durable, then opens again.
    void crash_and_open(Unsynced unsynced = Unsynced::kDrop) {
        auto after = env_->after_crash({CrashKind::kPower, unsynced, ++crashes_});
        store_.reset();
        env_ = std::move(after);
        open();
    }
    void submit(const raft::Ready& ready) {
        const Status status = store_->submit(ready);
        ASSERT_TRUE(status) << status.error().to_string();
    }
    void submit_durably(const raft::Ready& ready) {
        submit(ready);
        ASSERT_TRUE(store_->flush());
        ASSERT_EQ(store_->durable_batch(), batches_.last());
    }
    // Term 1, entries 1 to 10.
    void fill() { submit_durably(batches_.sync({1, 2, 0}, commands(1, 10, 1))); }
    std::uint64_t files_in_snapshots() { return env_->list("node/raft/snapshots")->size(); }

    std::unique_ptr<SimEnv> env_ = std::make_unique<SimEnv>(1);
    testing::SimClock clock_;
    SeededRandom random_{1};
    std::unique_ptr<Storage> store_;
    ReadyMaker batches_;
    std::uint64_t progress_ = 0;
    std::uint64_t crashes_ = 0;
};

TEST_F(StorageTest, ANewStoreHoldsTheFirstMembersAndNothingElse) {
    open();
    const raft::Restored restored = store_->restored();
    EXPECT_EQ(restored.hard_state, HardState{});
    EXPECT_EQ(restored.snapshot.conf, three_voters());
    EXPECT_TRUE(restored.entries.empty());
    EXPECT_EQ(store_->open_snapshot().error().code, Errc::kNotFound);
    EXPECT_EQ(store_->boot(), 1U);
}

TEST_F(StorageTest, WhatIsDurableComesBack) {
    open();
    submit_durably(batches_.sync({3, 2, 0}, commands(1, 4, 3)));
    submit_durably(batches_.sync({4, 1, 2}));
    crash_and_open();
    EXPECT_EQ(store_->restored().hard_state, (HardState{4, 1, 2}));
    EXPECT_EQ(store_->restored().entries, commands(1, 4, 3));
}

TEST_F(StorageTest, WhatIsNotDurableMayBeLostAndIsNotReportedBefore) {
    open();
    fill();
    submit(batches_.sync({2, 1, 0}, commands(11, 12, 2)));
    EXPECT_EQ(store_->durable_batch(), 1U);
    crash_and_open();
    EXPECT_EQ(store_->restored().hard_state, (HardState{1, 2, 0}));
    EXPECT_EQ(store_->restored().entries, commands(1, 10, 1));
}

TEST_F(StorageTest, OtherEntriesReplaceASuffix) {
    open();
    fill();
    std::vector<raft::Entry> expected = commands(1, 6, 1);
    const std::vector<raft::Entry> other = commands(7, 8, 2);
    expected.insert(expected.end(), other.begin(), other.end());
    submit_durably(batches_.sync({2, 1, 0}, other));
    EXPECT_EQ(store_->restored().entries, expected);
    crash_and_open();
    EXPECT_EQ(store_->restored().entries, expected);
}

TEST_F(StorageTest, ABatchThatKeepsNoPromiseReachesTheDiskWithTheNext) {
    open();
    fill();
    const std::uint64_t before = env_->operation_count();
    submit(batches_.lazy({1, 2, 5}));
    EXPECT_EQ(store_->durable_batch(), 2U) << "nothing before it is under way";
    submit(batches_.sync({1, 2, 6}, commands(11, 11, 1)));
    submit(batches_.lazy({1, 2, 7}));
    EXPECT_EQ(store_->durable_batch(), 2U);
    ASSERT_TRUE(store_->flush());
    EXPECT_EQ(store_->durable_batch(), 4U);
    EXPECT_EQ(env_->operation_count(), before + 1) << "one write for all of it";
    submit_durably(batches_.sync({2, 2, 7}));
    crash_and_open();
    EXPECT_EQ(store_->restored().hard_state, (HardState{2, 2, 7}));
}

TEST_F(StorageTest, CloseKeepsEverything) {
    open();
    submit(batches_.sync({1, 2, 0}, commands(1, 3, 1)));
    submit(batches_.lazy({1, 2, 3}));
    ASSERT_TRUE(store_->close());
    EXPECT_EQ(store_->submit(batches_.sync({1, 2, 3})).error().code, Errc::kClosed);
    crash_and_open();
    EXPECT_EQ(store_->restored().hard_state, (HardState{1, 2, 3}));
    EXPECT_EQ(store_->restored().entries, commands(1, 3, 1));
}

TEST_F(StorageTest, ProgressIsTold) {
    open();
    progress_ = 0;
    submit(batches_.sync({1, 2, 0}, commands(1, 3, 1)));
    EXPECT_EQ(progress_, 0U);
    ASSERT_TRUE(store_->flush());
    EXPECT_EQ(progress_, 1U);
}

// Snapshots.

TEST_F(StorageTest, ASavedSnapshotShortensTheLogAndComesBack) {
    open();
    fill();
    const raft::SnapshotMeta meta{8, 1, three_voters()};
    const Result<SnapshotFile> file = write_snapshot(*store_, meta, "state at 8");
    ASSERT_TRUE(file) << file.error().to_string();
    ASSERT_TRUE(store_->save(*file, 5));
    ASSERT_TRUE(store_->flush());
    crash_and_open();
    EXPECT_EQ(store_->restored().snapshot, meta);
    EXPECT_EQ(store_->restored().applied, 8U);
    EXPECT_EQ(store_->restored().entries, commands(5, 10, 1));
    EXPECT_EQ(store_->open_snapshot()->read_body(0, 100).value(), "state at 8");
}

TEST_F(StorageTest, ANewerSnapshotRemovesTheOlderOnceItIsDurable) {
    open();
    fill();
    ASSERT_TRUE(store_->save(write_snapshot(*store_, {4, 1, three_voters()}, "4").value(), 1));
    ASSERT_TRUE(store_->flush());
    ASSERT_TRUE(store_->save(write_snapshot(*store_, {8, 1, three_voters()}, "8").value(), 1));
    EXPECT_EQ(files_in_snapshots(), 2U);
    ASSERT_TRUE(store_->flush());
    EXPECT_EQ(files_in_snapshots(), 1U);
    // One that comes late changes nothing and leaves nothing.
    ASSERT_TRUE(store_->save(write_snapshot(*store_, {6, 1, three_voters()}, "6").value(), 1));
    EXPECT_EQ(files_in_snapshots(), 1U);
    EXPECT_EQ(store_->open_snapshot()->read_body(0, 100).value(), "8");
}

TEST_F(StorageTest, AReceivedSnapshotReplacesTheLogWhenRaftInstallsIt) {
    open();
    fill();
    const raft::SnapshotMeta meta{100, 4, three_voters()};
    const SnapshotFile sent = write_snapshot(*store_, meta, "state at 100").value();
    const std::vector<std::byte> bytes =
        env_->read_file("node/raft/snapshots/" + snapshot_name(sent.serial, ".snap")).value();
    const Result<SnapshotFile> file = receive_snapshot(*store_, meta, as_text(bytes));
    ASSERT_TRUE(file) << file.error().to_string();
    store_->adopt(*file);
    raft::Ready ready = batches_.sync({4, 0, 10});
    ready.install = meta;
    ready.entries = commands(101, 102, 4);
    submit_durably(ready);
    crash_and_open();
    EXPECT_EQ(store_->restored().snapshot, meta);
    EXPECT_EQ(store_->restored().entries, commands(101, 102, 4));
    EXPECT_EQ(store_->open_snapshot()->read_body(0, 100).value(), "state at 100");
    EXPECT_EQ(files_in_snapshots(), 1U);
}

TEST_F(StorageTest, AReceivedSnapshotThatIsNotInstalledIsForgotten) {
    open();
    fill();
    for (const raft::Index index : {100, 101, 102, 103}) {
        store_->adopt(write_snapshot(*store_, {index, 1, three_voters()}, "x").value());
    }
    EXPECT_EQ(files_in_snapshots(), 2U);
    crash_and_open();
    EXPECT_EQ(files_in_snapshots(), 0U);
    EXPECT_EQ(store_->restored().entries, commands(1, 10, 1));
}

TEST_F(StorageTest, PiecesOfTheNewestSnapshotAreServed) {
    open();
    fill();
    const raft::SnapshotMeta meta{8, 1, three_voters()};
    const std::string body(1000, 'b');
    ASSERT_TRUE(store_->save(write_snapshot(*store_, meta, body).value(), 8));
    std::string bytes;
    bool done = false;
    while (!done) {
        const auto piece = store_->read_snapshot({2, 8, bytes.size(), 300});
        ASSERT_TRUE(piece) << piece.error().to_string();
        ASSERT_LE(piece->data.size(), 300U);
        bytes += piece->data.text();
        done = piece->done;
    }
    EXPECT_TRUE(receive_snapshot(*store_, meta, bytes));
    EXPECT_EQ(store_->read_snapshot({2, 7, 0, 300}).error().code, Errc::kNotFound);
}

// Time and space.

TEST_F(StorageTest, RestartsWithoutEndNeitherForgetNorGrow) {
    open();
    submit_durably(batches_.sync({7, 2, 0}, commands(1, 40, 7)));
    submit_durably(batches_.sync({7, 2, 33}));
    ASSERT_TRUE(store_->save(write_snapshot(*store_, {20, 7, three_voters()}, "s").value(), 11));
    ASSERT_TRUE(store_->flush());
    const Identity identity = store_->identity();
    std::uint64_t most = 0;
    for (std::uint64_t boot = 2; boot <= 1'001; ++boot) {
        if (boot % 2 == 0) {
            ASSERT_TRUE(store_->close());
            open();
        } else {
            crash_and_open(boot % 4 == 1 ? Unsynced::kDrop : Unsynced::kTorn512);
        }
        ASSERT_EQ(store_->boot(), boot);
        ASSERT_EQ(store_->identity(), identity);
        ASSERT_EQ(store_->restored().entries, commands(11, 40, 7));
        ASSERT_EQ(store_->restored().hard_state, (HardState{7, 2, 33}));
        if (boot == 50) most = env_->used_bytes();
        if (boot > 50) {
            ASSERT_LE(env_->used_bytes(), most + (128 << 10));
        }
    }
}

TEST_F(StorageTest, ALongLifeTakesBoundedSpace) {
    open();
    raft::Index next = 1;
    std::uint64_t most = 0;
    for (int round = 0; round < 400; ++round) {
        submit_durably(batches_.sync({1, 2, next - 1}, commands(next, next + 4, 1)));
        next += 5;
        if (round % 50 == 49) {
            const raft::SnapshotMeta meta{next - 1, 1, three_voters()};
            ASSERT_TRUE(store_->save(write_snapshot(*store_, meta, "s").value(), next - 11));
        }
        if (round == 100) most = env_->used_bytes();
        if (round > 100) {
            ASSERT_LE(env_->used_bytes(), most + (256 << 10)) << round;
        }
    }
    ASSERT_TRUE(store_->flush());
    crash_and_open();
    EXPECT_EQ(store_->restored().entries, commands(next - 11, next - 1, 1));
}

TEST_F(StorageTest, ABatchLargerThanAFrameIsKeptInSeveral) {
    open();
    std::vector<raft::Entry> entries;
    for (raft::Index i = 1; i <= 20; ++i) {
        entries.push_back(command(i, 1, std::string(store_->max_payload_bytes(), 'x')));
    }
    submit_durably(batches_.sync({1, 2, 0}, entries));
    crash_and_open();
    EXPECT_EQ(store_->restored().entries, entries);
    EXPECT_EQ(store_->boot(), 2U);
}

// Error paths.

TEST_F(StorageTest, WithoutAStoreNothingOpens) {
    Options elsewhere = options();
    elsewhere.directory = "node/other";
    EXPECT_EQ(open_error(elsewhere), Errc::kNotFound);
    EXPECT_FALSE(env_->exists("node/other"));
}

TEST_F(StorageTest, AStoreIsMadeOnce) {
    EXPECT_EQ(Storage::format(options(), three_voters()).error().code, Errc::kAlreadyExists);
    open();
    fill();
    ASSERT_TRUE(store_->save(write_snapshot(*store_, {8, 1, three_voters()}, "s").value(), 8));
    ASSERT_TRUE(store_->close());
    // The log was deleted by hand: what is left is still somebody's.
    env_->remove_file("node/raft/wal/FORMAT");
    EXPECT_EQ(open_error(options()), Errc::kNotFound);
    EXPECT_EQ(Storage::format(options(), three_voters()).error().code, Errc::kAlreadyExists);
}

TEST_F(StorageTest, TwoStoresOfOneNodeHaveDifferentDisks) {
    open();
    const Identity first = store_->identity();
    Options wiped = options();
    wiped.directory = "node/wiped";
    ASSERT_TRUE(Storage::format(wiped, three_voters()));
    const Result<std::unique_ptr<Storage>> second = Storage::open(wiped);
    ASSERT_TRUE(second);
    EXPECT_EQ((*second)->identity().node, first.node);
    EXPECT_NE((*second)->identity().disk, first.disk);
}

TEST_F(StorageTest, TheStoreOfAnotherNodeOrClusterIsRefused) {
    Options other = options();
    other.node = 4;
    EXPECT_EQ(open_error(other), Errc::kInvalidArgument);
    other = options();
    other.cluster = 0xC2;
    EXPECT_EQ(open_error(other), Errc::kInvalidArgument);
    open();
    EXPECT_EQ(store_->boot(), 1U) << "a refused opening changes nothing";
}

TEST_F(StorageTest, AStoreIsOpenOnce) {
    open();
    EXPECT_EQ(open_error(options()), Errc::kBusy);
}

TEST_F(StorageTest, ALargeEntryIsRefusedBeforeAnythingIsWritten) {
    open();
    fill();
    const std::string large(store_->max_payload_bytes() + 1, 'x');
    const raft::Ready ready = batches_.sync({2, 2, 0}, {command(11, 2, large)});
    EXPECT_EQ(store_->submit(ready).error().code, Errc::kTooLarge);
    EXPECT_EQ(store_->restored().hard_state.term, 1U);
}

TEST_F(StorageTest, AFailedWritePoisonsTheStoreForGood) {
    open();
    fill();
    progress_ = 0;
    env_->fail_operation(env_->operation_count() + 1, Errc::kIo);
    submit(batches_.sync({2, 1, 0}));
    EXPECT_FALSE(store_->flush());
    EXPECT_EQ(store_->durable_batch(), 1U);
    EXPECT_EQ(progress_, 1U) << "waiters must hear of it";
    EXPECT_EQ(store_->status().error().code, Errc::kPoisoned);
    EXPECT_EQ(store_->submit(batches_.sync({3, 1, 0})).error().code, Errc::kPoisoned);
    EXPECT_EQ(store_->flush().error().code, Errc::kPoisoned);
    EXPECT_EQ(store_->close().error().code, Errc::kPoisoned);
    crash_and_open();
    EXPECT_EQ(store_->restored().hard_state, (HardState{1, 2, 0}));
}

TEST_F(StorageTest, AFullDiskRefusesAndTheSameBatchGoesThroughLater) {
    open();
    fill();
    env_->set_capacity(env_->used_bytes());
    raft::Index next = 11;
    raft::Ready ready;
    Status status;
    while (status) {
        ready = batches_.sync({1, 2, 0}, commands(next, next + 9, 1));
        ready.entries.push_back(command(next + 10, 1, std::string(4000, 'x')));
        next += 11;
        status = store_->submit(ready);
        if (status) {
            ASSERT_TRUE(store_->flush());
        }
    }
    EXPECT_EQ(status.error().code, Errc::kNoSpace);
    EXPECT_EQ(store_->submit(ready).error().code, Errc::kNoSpace);
    const std::uint64_t durable = store_->durable_batch();
    EXPECT_EQ(durable, batches_.last() - 1);
    env_->set_capacity(64 << 20);
    submit_durably(ready);
    const raft::Restored before = store_->restored();
    EXPECT_EQ(before.entries.size(), next - 1);
    crash_and_open();
    EXPECT_EQ(store_->restored().entries, before.entries);
}

TEST_F(StorageTest, AnInstallOfASnapshotThatIsNotThereIsRefused) {
    open();
    fill();
    raft::Ready ready = batches_.sync({1, 2, 0});
    ready.install = raft::SnapshotMeta{100, 1, three_voters()};
    EXPECT_EQ(store_->submit(ready).error().code, Errc::kInvalidArgument);
    crash_and_open();
    EXPECT_EQ(store_->restored().entries, commands(1, 10, 1));
}

// Raft never does this; if it did, the store would not make it permanent.
TEST_F(StorageTest, HardStateThatGoesBackIsRefused) {
    open();
    submit_durably(batches_.sync({5, 2, 0}, commands(1, 3, 5)));
    EXPECT_EQ(store_->submit(batches_.sync({4, 2, 0})).error().code, Errc::kCorruption);
    EXPECT_EQ(store_->status().error().code, Errc::kPoisoned);
    crash_and_open();
    EXPECT_EQ(store_->restored().hard_state, (HardState{5, 2, 0}));
}

// --- damage ---

TEST_F(StorageTest, DamageToWhatWasDurableIsNeverTakenForATornTail) {
    open();
    for (raft::Index i = 1; i <= 12; ++i) {
        submit_durably(batches_.sync({1, 2, i - 1}, commands(i, i, 1)));
    }
    const std::string log = "node/raft/wal/shard-000/0000000000000000.log";
    const std::vector<std::byte> bytes = env_->read_file(log).value();
    // The payload of entry 6: later frames say that it had been durable.
    const std::size_t at = as_text(bytes).rfind("6@1");
    ASSERT_NE(at, std::string_view::npos);
    auto damaged = env_->after_crash({CrashKind::kPower, Unsynced::kDrop, 1});
    damaged->flip_bit(log, at * 8);
    Options after = options();
    after.env = damaged.get();
    EXPECT_EQ(open_error(after), Errc::kCorruption);
}

TEST_F(StorageTest, ADamagedOrMissingSnapshotIsCorruption) {
    open();
    fill();
    const SnapshotFile file = write_snapshot(*store_, {8, 1, three_voters()}, "s").value();
    ASSERT_TRUE(store_->save(file, 8));
    ASSERT_TRUE(store_->close());
    const std::string path = "node/raft/snapshots/" + snapshot_name(file.serial, ".snap");
    env_->flip_bit(path, 8 * (file.size_bytes - 1));
    EXPECT_EQ(open_error(options()), Errc::kCorruption);
    env_->remove_file(path);
    EXPECT_EQ(open_error(options()), Errc::kCorruption);
}

}  // namespace
}  // namespace walrus::raft_storage
