#include "walrus/node/timed_env.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "walrus/testing/sim_clock.h"
#include "walrus/testing/sim_env.h"

namespace walrus::node {
namespace {

class TimedEnvTest : public ::testing::Test {
protected:
    std::unique_ptr<env::File> file() {
        auto opened = env_->open("file", {.create = true});
        EXPECT_TRUE(opened);
        return *std::move(opened);
    }

    testing::SimClock clock_;
    testing::SimEnv disk_{1};
    SyncTimes times_;
    std::unique_ptr<env::Env> env_ = make_timed_env(disk_, clock_, times_);
};

TEST_F(TimedEnvTest, CountsWhatIsMadeDurableAndNothingElse) {
    const auto opened = file();
    ASSERT_TRUE(opened->write_at(as_bytes("abc"), 0, env::Durability::kNone));
    EXPECT_EQ(times_.totals().durations.count(), 0U);
    ASSERT_TRUE(opened->write_at(as_bytes("abc"), 0, env::Durability::kData));
    ASSERT_TRUE(opened->sync_data());
    EXPECT_EQ(times_.totals().durations.count(), 2U);
    EXPECT_EQ(times_.totals().errors, 0U);
    std::string read(3, '\0');
    ASSERT_TRUE(opened->read_at({reinterpret_cast<std::byte*>(read.data()), 3}, 0));
    EXPECT_EQ(read, "abc");
    EXPECT_EQ(times_.totals().durations.count(), 2U);
}

TEST_F(TimedEnvTest, AQueuesDurableWritesAreCountedAndItsRequestsKeepTheirFile) {
    const auto opened = file();
    auto queue = env_->open_queue(env::QueueKind::kInline, 2);
    ASSERT_TRUE(queue);
    std::string data = "abc";
    env::IoRequest request;
    request.file = opened.get();
    request.bytes = {reinterpret_cast<std::byte*>(data.data()), data.size()};
    for (const auto durability : {env::Durability::kData, env::Durability::kNone}) {
        request.durability = durability;
        (*queue)->submit(request);
        ASSERT_EQ((*queue)->complete(true), &request);
        EXPECT_TRUE(request.status);
        EXPECT_EQ(request.file, opened.get());
        EXPECT_EQ(times_.totals().durations.count(), 1U);
    }
}

}  // namespace
}  // namespace walrus::node
