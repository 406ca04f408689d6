// The store on the real disk with the engine's threads: the watermark moves by itself, in order.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>

#include "walrus/raft/raft.h"
#include "walrus/raft_storage/test_store.h"

namespace walrus::raft_storage {
namespace {

namespace fs = std::filesystem;

class ThreadsTest : public testing::Test {
protected:
    ThreadsTest() {
        options_.directory =
            "raft_storage_test_data/" +
            std::string(::testing::UnitTest::GetInstance()->current_test_info()->name());
        fs::remove_all(options_.directory);
        options_.cluster = kTestCluster;
        options_.node = 1;
        options_.file_size_bytes = 1 << 20;
        options_.on_progress = [this] {
            const std::lock_guard lock(mutex_);
            progressed_ = true;
            progress_.notify_one();
        };
        EXPECT_TRUE(Storage::format(options_, {.voters = {1}}));
    }
    ~ThreadsTest() override {
        store_.reset();
        fs::remove_all(options_.directory);
    }

    void open() {
        store_.reset();
        Result<std::unique_ptr<Storage>> store = Storage::open(options_);
        ASSERT_TRUE(store) << store.error().to_string();
        store_ = *std::move(store);
    }
    void wait_for_progress() {
        std::unique_lock lock(mutex_);
        progress_.wait(lock, [this] { return progressed_; });
        progressed_ = false;
    }
    void wait_for_batch(std::uint64_t batch) {
        while (store_->durable_batch() < batch) wait_for_progress();
    }

    Options options_;
    std::mutex mutex_;
    std::condition_variable progress_;
    bool progressed_ = false;
    std::unique_ptr<Storage> store_;
};

TEST_F(ThreadsTest, BatchesBecomeDurableWithoutAFlush) {
    open();
    ReadyMaker batches;
    for (raft::Index i = 1; i <= 500; ++i) {
        ASSERT_TRUE(store_->submit(batches.sync({1, 1, 0}, commands(i, i, 1))));
    }
    wait_for_batch(batches.last());
    open();  // Without close(): what is durable needs none.
    EXPECT_EQ(store_->restored().entries, commands(1, 500, 1));
}

// Raft, store and engine together: one voter, many proposals, snapshots, several lives.
TEST_F(ThreadsTest, ALoneVoterCommitsThroughRestarts) {
    SeededRandom random(7);
    std::uint64_t proposed = 0;
    for (int life = 0; life < 3; ++life) {
        open();
        raft::Options raft_options{.id = 1};
        raft_options.trailing_entries = 100;
        raft_options.max_payload_bytes = store_->max_payload_bytes();
        Result<raft::Raft> raft = raft::Raft::open(raft_options, store_->restored(), random);
        ASSERT_TRUE(raft) << raft.error().to_string();
        raft->campaign();
        std::uint64_t commands_applied = 0;
        const std::uint64_t target = 3'000;
        std::uint64_t mine = 0;
        while (commands_applied < target) {
            while (mine < target && mine < commands_applied + 64 &&
                   raft->propose(raft::Payload("c" + std::to_string(proposed)))) {
                ++mine;
                ++proposed;
            }
            raft->persisted(store_->durable_batch());
            if (!raft->has_ready()) {
                wait_for_progress();
                continue;
            }
            const raft::Ready ready = raft->ready();
            ASSERT_TRUE(store_->submit(ready));
            for (const raft::Entry& entry : ready.committed) {
                commands_applied +=
                    entry.kind == raft::EntryKind::kCommand && entry.term == raft->term();
                raft->applied(entry.index);
            }
            const raft::Index applied = raft->log().applied_index();
            if (applied < raft->log().snapshot().index + 1'000) continue;
            const raft::SnapshotMeta meta{applied, *raft->log().term(applied),
                                          raft->conf_at(applied)};
            const Result<SnapshotFile> file =
                write_snapshot(*store_, meta, std::to_string(applied));
            ASSERT_TRUE(file) << file.error().to_string();
            raft->snapshot_saved(meta);
            ASSERT_TRUE(store_->save(*file, raft->log().base_index()));
        }
    }
    open();
    const raft::Restored restored = store_->restored();
    EXPECT_EQ(restored.entries.back().index, proposed + 3) << "and a no-op for each life";
    EXPECT_GT(restored.snapshot.index, 8'000U);
    EXPECT_LT(restored.entries.size(), 1'500U);
    EXPECT_EQ(store_->open_snapshot()->read_body(0, 100).value(),
              std::to_string(restored.snapshot.index));
}

}  // namespace
}  // namespace walrus::raft_storage
