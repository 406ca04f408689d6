// Whole loads with real threads, against the file driver; the windows are short, and nothing here
// depends on how much is done in them.
#include "harness/workload/load.h"

#include <gtest/gtest.h>

#include <numeric>

#include "harness/check/checker.h"
#include "harness/driver/file_driver.h"
#include "harness/driver/scratch_directory.h"
#include "walrus/testing/seed.h"

namespace walrus::harness {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

class LoadTest : public ::testing::Test {
protected:
    LoadTest() {
        row_.workload.writers = 3;
        row_.workload.payload_bytes = 100;
        row_.workload.warmup_ns = 10 * kMs;
        row_.workload.duration_ns = 50 * kMs;
    }

    LoadReport run() {
        system_ = std::move(*make_file_driver()->open({.directory = directory_.path(),
                                                       .durability = Durability::kProcess,
                                                       .settings = {},
                                                       .writers = row_.workload.writers}));
        auto load = run_load(
            *system_,
            {.row = row_, .seed = testing::test_seed(), .run_id = kRunId, .device = BlockDevice()},
            machine_clock());
        EXPECT_TRUE(load) << load.error().message;
        EXPECT_EQ(load->first_error, "");
        expect_books(*load);
        return std::move(*load);
    }

    // Everything acknowledged is there, and the figures agree with each other.
    void expect_books(const LoadReport& load) {
        Checker checker(kRunId, load.journal);
        for (std::uint32_t topic = 0; topic < row_.workload.topics; ++topic) {
            const auto reader = std::move(*system_->reader(topic));
            checker.begin_topic();
            while (*reader->read([&](Bytes record) { checker.observe(record); }) > 0) continue;
        }
        const Verdict verdict = checker.finish();
        EXPECT_TRUE(verdict.ok()) << verdict.summary();
        const WriteFigures& write = load.write;
        EXPECT_EQ(verdict.acknowledged, write.sent - write.failed - write.unknown);
        EXPECT_EQ(write.records, write.appends * row_.workload.batch);
        EXPECT_EQ(write.latency_ns.count(), write.appends);
        EXPECT_EQ(std::accumulate(write.series.begin(), write.series.end(), std::uint64_t{0}),
                  write.records);
        EXPECT_EQ(write.series_p50_ns.size(), write.series.size());
        EXPECT_EQ(write.series_p99_ns.size(), write.series.size());
        EXPECT_EQ(write.series_max_ns.size(), write.series.size());
    }

    static constexpr std::uint64_t kRunId = 11;
    Row row_;
    ScratchDirectory directory_;
    std::unique_ptr<System> system_;
};

TEST_F(LoadTest, ClosedLoopsOfAllWritersAddUp) {
    row_.workload.batch = 4;
    row_.workload.max_bytes = 100'000;
    const LoadReport load = run();
    EXPECT_EQ(load.write.records, 1'008u);  // Whole appends, the same number for each writer.
    EXPECT_EQ(load.journal.size(), 3u);
    EXPECT_EQ(load.write.offered_rate_per_s, 0u);
}

TEST_F(LoadTest, OpenLoopsSendWhatIsDueOrCountItAsUnsent) {
    row_.workload.load = Load::kOpen;
    row_.workload.rate_per_s = 3'000;
    row_.workload.outstanding = 4;
    const LoadReport load = run();
    EXPECT_EQ(load.write.sent + load.write.unsent_at_end, 180u);  // 60 ms at 3,000/s.
    EXPECT_EQ(load.write.service_ns.count(), load.write.appends);
    EXPECT_GE(load.write.late_after_ns, 1u);
}

TEST_F(LoadTest, TailReadersKeepUpWithEveryTopic) {
    row_.measure = Measure::kTail;
    row_.workload.topics = 2;
    row_.workload.readers = 2;
    const LoadReport load = run();
    EXPECT_EQ(load.read.readers, 2u);
    EXPECT_EQ(load.read.ns, 50 * kMs);
    EXPECT_LE(load.read.records, 2 * load.write.sent);
    EXPECT_EQ(load.read.backlog.size(), load.read.series.size());
}

TEST_F(LoadTest, ADrainEmptiesTheBacklogOnceForEachReader) {
    row_.measure = Measure::kDrain;
    row_.workload.max_bytes = 200'000;
    row_.workload.readers = 2;
    const LoadReport load = run();
    EXPECT_TRUE(load.read.caught_up);
    EXPECT_EQ(load.read.backlog_records, load.write.sent);
    EXPECT_EQ(load.read.records, 2 * load.write.sent);
    EXPECT_EQ(load.read.bytes, 200 * load.write.sent);
    EXPECT_EQ(load.read.backlog.back(), 0u);
}

TEST_F(LoadTest, ACatchUpCountsTheBacklogAndWhatCameMeanwhile) {
    row_.measure = Measure::kCatchUp;
    row_.workload.load = Load::kOpen;
    row_.workload.rate_per_s = 1'000;
    row_.workload.max_bytes = 200'000;
    row_.workload.readers = 1;
    const LoadReport load = run();
    EXPECT_GE(load.read.backlog_records, 2'000u);
    EXPECT_LE(load.read.records, load.write.sent);
    EXPECT_EQ(load.read.caught_up, load.read.ns < 50 * kMs);
    if (load.read.caught_up) {
        EXPECT_GE(load.read.records, load.read.backlog_records);
    }
}

TEST_F(LoadTest, TheRecordsOfASearchAreOneJournal) {
    row_.measure = Measure::kMaxRate;
    row_.p99_ns = 3'600'000 * kMs;
    row_.workload.load = Load::kOpen;
    row_.workload.rate_per_s = 500'000'000;  // More than the schedule can be kept for.
    row_.workload.duration_ns = 40 * kMs;    // Too few intervals to be sustained.
    row_.workload.warmup_ns = 0;
    row_.workload.writers = 1;
    const LoadReport load = run();
    EXPECT_EQ(load.write.sustained_rate_per_s, 0u);
    EXPECT_GT(load.write.search.size(), 1u);
    EXPECT_EQ(load.write.search.front().rate_per_s, 500'000'000u);
    EXPECT_GT(load.write.sent, load.write.records);
}

}  // namespace
}  // namespace walrus::harness
