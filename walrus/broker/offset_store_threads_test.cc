// The store on the real disk, with the threads of its log.
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "walrus/broker/offset_store.h"
#include "walrus/testing/manual_loop.h"

namespace walrus::broker {
namespace {

namespace fs = std::filesystem;

class OffsetStoreThreadsTest : public ::testing::Test {
protected:
    OffsetStoreThreadsTest() {
        options_.directory =
            "broker_test_data/" +
            std::string(::testing::UnitTest::GetInstance()->current_test_info()->name());
        fs::remove_all(options_.directory);
        options_.file_size_bytes = 256 << 10;
        options_.rewrite_after_bytes = 256 << 10;
        options_.run_elsewhere = [this](std::function<void()> work) {
            workers_.emplace_back(std::move(work));
        };
    }
    ~OffsetStoreThreadsTest() override {
        join();
        store_.reset();
        fs::remove_all(options_.directory);
    }
    void join() {
        for (std::thread& worker : workers_) worker.join();
        workers_.clear();
    }
    void open() {
        join();
        store_.reset();
        auto opened = LogOffsetStore::open(options_, loop_);
        ASSERT_TRUE(opened) << opened.error().to_string();
        store_ = *std::move(opened);
    }

    OffsetStoreOptions options_;
    testing::ManualLoop loop_;
    std::vector<std::thread> workers_;
    std::unique_ptr<LogOffsetStore> store_;
};

TEST_F(OffsetStoreThreadsTest, ManyCommitsThroughRewritesAndStarts) {
    std::uint64_t rewrites = 0;
    std::uint64_t next = 0;
    for (int start = 0; start < 3; ++start) {
        open();
        if (next > 0) {
            EXPECT_EQ(store_->committed("g", "t", 0)->offset, Offset{next});
        }
        std::uint64_t answered = 0;
        const std::uint64_t first = next + 1;
        for (std::uint64_t i = 0; i < 3000; ++i) {
            store_->commit("g",
                           {{"t", 0, {.offset = Offset{++next}}},
                            {"t", static_cast<std::int32_t>(1 + i % 50), {.offset = Offset{next}}}},
                           [&](Status status) {
                               ASSERT_TRUE(status) << status.error().to_string();
                               EXPECT_EQ(store_->committed("g", "t", 0)->offset,
                                         Offset{first + answered});
                               ++answered;
                           });
            if (i % 40 == 39) loop_.run_until([&] { return answered + 20 > i; });
        }
        loop_.run_until([&] { return answered == 3000; });
        rewrites += store_->rewrites();
    }
    EXPECT_GT(rewrites, 0u);
    ASSERT_TRUE(store_->close());
    open();
    EXPECT_EQ(store_->committed("g", "t", 0)->offset, Offset{next});
}

TEST_F(OffsetStoreThreadsTest, AStoreThatIsOpenIsBusy) {
    open();
    const auto second = LogOffsetStore::open(options_, loop_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::kBusy);
}

}  // namespace
}  // namespace walrus::broker
