// Many threads on one log, on the real disk: what ThreadSanitizer watches.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "walrus/base/random.h"
#include "walrus/testing/seed.h"
#include "walrus/testing/sim_env.h"
#include "walrus/wal/wal.h"

namespace walrus::wal {
namespace {

struct Case {
    Backend backend;
    DurabilityClass durability;
};

std::string case_name(const ::testing::TestParamInfo<Case>& tested) {
    std::string name(durability_class_name(tested.param.durability));
    std::replace(name.begin(), name.end(), '-', '_');
    return std::string(backend_name(tested.param.backend)) + "_" + name;
}

std::string text_of(std::uint32_t writer, std::uint64_t sequence) {
    std::string text = std::to_string(writer) + " " + std::to_string(sequence) + " ";
    text.append(sequence * 37 % 700, static_cast<char>('a' + writer));
    return text;
}

struct Written {
    std::uint32_t writer = 0;
    std::uint64_t sequence = 0;

    static Written of(std::string_view text) {
        Written written;
        unsigned long long sequence = 0;
        const std::string head(text.substr(0, 40));
        EXPECT_EQ(std::sscanf(head.c_str(), "%u %llu ", &written.writer, &sequence), 2);
        written.sequence = sequence;
        EXPECT_EQ(text, text_of(written.writer, written.sequence));
        return written;
    }
};

class ConcurrencyTest : public ::testing::TestWithParam<Case> {
protected:
    ConcurrencyTest() {
        std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
        std::replace(name.begin(), name.end(), '/', '_');
        options_.data_dir = "concurrency_test_data/" + name;
        std::filesystem::remove_all(options_.data_dir);
        options_.backend = GetParam().backend;
        options_.durability = GetParam().durability;
        options_.sync_interval_ms = 3;
        options_.file_size = 256 << 10;
        options_.ring_size = 128 << 10;
        options_.limits.max_record_bytes = options_.limits.max_batch_bytes = 16 << 10;
        options_.limits.max_outstanding_bytes = 64 << 10;
        options_.retention_interval_ms = 2;
        static_cast<void>(testing::test_seed());
    }
    ~ConcurrencyTest() override {
        wal_.reset();
        if (!HasFailure()) std::filesystem::remove_all(options_.data_dir);
    }

    // False: this machine cannot run the backend.
    bool open() {
        wal_.reset();
        Result<std::unique_ptr<Wal>> wal = Wal::open(options_);
        if (!wal && wal.error().code == Errc::kUnsupported) return false;
        EXPECT_TRUE(wal) << wal.error().to_string();
        if (!wal) return false;
        wal_ = std::move(*wal);
        return true;
    }

    Options options_;
    std::unique_ptr<Wal> wal_;
};

// Counts what callbacks report, in order.
struct AckLog {
    std::mutex mutex;
    std::vector<std::uint64_t> offsets;
    int failures = 0;

    static void on_ack(void* context, Offset first, const Status& status) {
        auto* log = static_cast<AckLog*>(context);
        const std::lock_guard lock(log->mutex);
        if (status)
            log->offsets.push_back(first.value);
        else
            ++log->failures;
    }
};

constexpr std::uint64_t kRecords = 400;

// Appends a writer's records, asynchronously when `acks` is given, and topics in between.
void write_log(Wal* wal, std::uint32_t writer, AckLog* acks) {
    Ticket last;
    for (std::uint64_t i = 0; i < kRecords; ++i) {
        const std::string text = text_of(writer, i);
        const Bytes record = as_bytes(text);
        if (acks == nullptr) {
            const Result<Offset> offset = wal->append("log", record);
            ASSERT_TRUE(offset) << offset.error().to_string();
        } else {
            const Result<Ticket> ticket =
                wal->append_async("log", {&record, 1}, {&AckLog::on_ack, acks});
            ASSERT_TRUE(ticket) << ticket.error().to_string();
            last = *ticket;
        }
        if (i % 100 == 50) {
            ASSERT_TRUE(wal->create_topic("side " + std::to_string(writer * 100 + i)));
        }
    }
    if (acks != nullptr) {
        EXPECT_TRUE(wal->wait(last));
    }
}

// Follows the tail by offset until `total` records were seen, each writer's in order.
void follow_log(Wal* wal, std::uint64_t total) {
    std::map<std::uint32_t, std::uint64_t> next;
    for (std::uint64_t at = 0; at < total;) {
        const Result<bool> more = wal->wait_for("log", Offset{at}, 20);
        ASSERT_TRUE(more) << more.error().to_string();
        if (!*more) continue;
        const Result<RecordBatch> batch = wal->read_at("log", Offset{at}, 20'000);
        ASSERT_TRUE(batch) << batch.error().to_string();
        ASSERT_FALSE(batch->empty());
        for (const Record& record : *batch) {
            ASSERT_EQ(record.offset.value, at++);
            const Written written = Written::of(as_text(record.data));
            ASSERT_EQ(written.sequence, next[written.writer]++);
        }
    }
}

// Topics that come, are read and go.
void churn_topics(Wal* wal) {
    for (int i = 0; i < 60; ++i) {
        const std::string topic = "short-lived " + std::to_string(i % 3);
        ASSERT_TRUE(wal->append(topic, as_bytes("x")));
        ASSERT_TRUE(wal->read_next(topic));
        ASSERT_TRUE(wal->delete_topic(topic));
        ASSERT_TRUE(wal->run_retention());
        static_cast<void>(wal->topics());
        static_cast<void>(wal->stats());
    }
}

TEST_P(ConcurrencyTest, EveryAcknowledgedRecordIsReadOnceInItsWritersOrder) {
    constexpr std::uint32_t kWriters = 4;
    constexpr std::uint32_t kAsyncWriters = 2;
    if (!open()) GTEST_SKIP();

    std::atomic<std::uint32_t> writing{kWriters + kAsyncWriters};
    AckLog acks;
    std::vector<std::thread> threads;
    for (std::uint32_t writer = 0; writer < kWriters + kAsyncWriters; ++writer) {
        threads.emplace_back([&, writer] {
            write_log(wal_.get(), writer, writer < kWriters ? nullptr : &acks);
            --writing;
        });
    }

    const std::uint64_t total = (kWriters + kAsyncWriters) * kRecords;
    const auto follow = [&] { follow_log(wal_.get(), total); };
    for (int i = 0; i < 2; ++i) threads.emplace_back(follow);

    // Readers of one cursor: together they see everything once.
    std::mutex seen_mutex;
    std::set<std::pair<std::uint32_t, std::uint64_t>> seen;
    std::set<std::uint64_t> offsets;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&, i] {
            for (;;) {
                const bool done = writing == 0;
                const Result<RecordBatch> batch =
                    i == 0 ? wal_->read_next("log") : wal_->read_batch("log", 3000);
                ASSERT_TRUE(batch) << batch.error().to_string();
                if (batch->empty() && done) return;
                if (batch->empty()) static_cast<void>(wal_->wait_for("log", Offset{0}, 1));
                const std::lock_guard lock(seen_mutex);
                for (const Record& record : *batch) {
                    const Written written = Written::of(as_text(record.data));
                    ASSERT_TRUE(seen.emplace(written.writer, written.sequence).second)
                        << "writer " << written.writer << " record " << written.sequence
                        << " was given twice";
                    ASSERT_TRUE(offsets.insert(record.offset.value).second);
                }
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(seen.size(), total);
    EXPECT_EQ(offsets.size(), total);

    ASSERT_TRUE(wal_->sync());
    ASSERT_TRUE(wal_->close());
    EXPECT_EQ(acks.failures, 0);
    EXPECT_EQ(acks.offsets.size(), kAsyncWriters * kRecords);
    EXPECT_TRUE(std::is_sorted(acks.offsets.begin(), acks.offsets.end()));
    threads.clear();
    ASSERT_TRUE(open());
    EXPECT_EQ(wal_->topic("log")->log_end_offset, Offset{total});
    EXPECT_EQ(wal_->position("log").value(), Offset{total});
    follow();
}

// Topics come, are written, read and go while their files are recycled.
TEST_P(ConcurrencyTest, ReadersGoOnWhileRetentionRecyclesFiles) {
    options_.retention.max_records = 300;
    if (!open()) GTEST_SKIP();
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (std::uint32_t writer = 0; writer < 3; ++writer)
        threads.emplace_back([&, writer] {
            const std::string topic = "t" + std::to_string(writer);
            for (std::uint64_t i = 0; i < 1500; ++i) {
                const std::string text = text_of(writer, i);
                const Result<Offset> offset = wal_->append(topic, as_bytes(text));
                ASSERT_TRUE(offset) << offset.error().to_string();
                ASSERT_EQ(offset->value, i);
            }
        });
    for (std::uint32_t i = 0; i < 3; ++i)
        threads.emplace_back([&, i] {
            const std::string topic = "t" + std::to_string(i);
            std::uint64_t at = 0;
            while (!stop) {
                const Result<bool> more = wal_->wait_for(topic, Offset{at}, 1);
                ASSERT_TRUE(more) << more.error().to_string();
                if (!*more) continue;
                const Result<RecordBatch> batch = wal_->read_at(topic, Offset{at}, 4000);
                if (!batch && batch.error().code == Errc::kOutOfRange) {
                    at = wal_->topic(topic)->log_start_offset.value;
                    continue;
                }
                ASSERT_TRUE(batch) << batch.error().to_string();
                for (const Record& record : *batch) {
                    ASSERT_EQ(record.offset.value, at++);
                    const Written written = Written::of(as_text(record.data));
                    ASSERT_EQ(written.sequence, record.offset.value);
                    ASSERT_EQ(written.writer, i);
                }
            }
        });
    // A slow reader by cursor, which retention overtakes.
    threads.emplace_back([&] {
        std::uint64_t last = 0;
        while (!stop) {
            const Result<RecordBatch> batch = wal_->read_next("t0", {.consumer = "slow"});
            if (!batch && batch.error().code == Errc::kOutOfRange) continue;
            ASSERT_TRUE(batch) << batch.error().to_string();
            for (const Record& record : *batch) {
                ASSERT_GE(record.offset.value, last);
                last = record.offset.value + 1;
            }
        }
    });
    threads.emplace_back([&] { churn_topics(wal_.get()); });
    for (int i = 0; i < 3; ++i) threads[static_cast<std::size_t>(i)].join();
    threads.back().join();
    stop = true;
    for (std::size_t i = 3; i + 1 < threads.size(); ++i) threads[i].join();
    ASSERT_TRUE(wal_->run_retention());
    EXPECT_GT(wal_->stats().files_recycled, 0U);
    for (const TopicInfo& info : wal_->topics()) {
        EXPECT_EQ(info.log_end_offset, Offset{1500});
        EXPECT_GT(info.log_start_offset, Offset{0});
    }
}

// The log goes away in the middle of work that nobody waits for.
TEST_P(ConcurrencyTest, DroppingABusyLogNeitherHangsNorLosesOrder) {
    for (int round = 0; round < 12; ++round) {
        if (!open()) GTEST_SKIP();
        const Result<TopicInfo> info = wal_->topic("log");
        std::uint64_t at = info ? info->log_end_offset.value : 0;
        for (int i = 0; i < 150; ++i, ++at) {
            const std::string text = text_of(1, at);
            const Bytes record = as_bytes(text);
            ASSERT_TRUE(wal_->append_async("log", {&record, 1}));
        }
        wal_.reset();
    }
    ASSERT_TRUE(open());
    const std::uint64_t end = wal_->topic("log")->log_end_offset.value;
    EXPECT_GE(end, 12U * 150U - 1);
    for (std::uint64_t at = 0; at < end;) {
        const Result<RecordBatch> batch = wal_->read_at("log", Offset{at}, 100'000);
        ASSERT_TRUE(batch) << batch.error().to_string();
        for (const Record& record : *batch)
            ASSERT_EQ(Written::of(as_text(record.data)).sequence, at++);
    }
}

constexpr Case kCases[] = {
    {Backend::kUring, DurabilityClass::kDisk},    {Backend::kUring, DurabilityClass::kProcess},
    {Backend::kDirect, DurabilityClass::kDisk},   {Backend::kDirect, DurabilityClass::kOsInterval},
    {Backend::kBuffered, DurabilityClass::kDisk}, {Backend::kBuffered, DurabilityClass::kNone},
    {Backend::kMmap, DurabilityClass::kDisk},     {Backend::kMmap, DurabilityClass::kProcess},
};

INSTANTIATE_TEST_SUITE_P(EveryBackend, ConcurrencyTest, ::testing::ValuesIn(kCases), case_name);

// Several groups in flight complete in any order; the machine dies in between.
TEST(ConcurrentCrash, WhatSeveralWritersWereToldSurvivesAPowerCut) {
    constexpr std::uint32_t kWriters = 4;
    SeededRandom dice(testing::test_seed());
    for (int round = 0; round < 150; ++round) {
        SCOPED_TRACE("round " + std::to_string(round) +
                     " WALRUS_SEED=" + std::to_string(testing::test_seed()));
        testing::SimEnv env(dice.next());
        Options options;
        options.data_dir = "log";
        options.backend = round % 3 == 0 ? Backend::kDirect : Backend::kUring;
        options.file_size = options.ring_size = 512 << 10;
        options.limits.max_record_bytes = options.limits.max_batch_bytes = 64 << 10;
        options.env = &env;
        std::array<std::atomic<std::uint64_t>, kWriters> acknowledged{};
        {
            Result<std::unique_ptr<Wal>> wal = Wal::open(options);
            ASSERT_TRUE(wal) << wal.error().to_string();
            env.cut_after(env.operation_count() + dice.below(60));
            std::vector<std::thread> threads;
            for (std::uint32_t writer = 0; writer < kWriters; ++writer)
                threads.emplace_back([&, writer] {
                    const std::string topic = "t" + std::to_string(writer);
                    for (std::uint64_t i = 0;; ++i) {
                        std::string text = text_of(writer, i);
                        const Bytes record = as_bytes(text);
                        // Large asynchronous ones make the groups that go out side by side.
                        if (writer % 2 == 1) {
                            Result<Ticket> ticket = wal.value()->append_async(topic, {&record, 1});
                            if (!ticket) return;
                            if (i % 64 < 63) continue;
                            if (!wal.value()->wait(*ticket)) return;
                        } else if (!wal.value()->append(topic, record)) {
                            return;
                        }
                        acknowledged[writer] = i + 1;
                    }
                });
            for (std::thread& thread : threads) thread.join();
            ASSERT_TRUE(env.dead());
            wal.value().reset();
        }
        const testing::CrashOptions crash{testing::CrashKind::kPower,
                                          static_cast<testing::Unsynced>(round % 4), dice.next()};
        const std::unique_ptr<testing::SimEnv> survivor = env.after_crash(crash);
        options.env = survivor.get();
        const Result<std::unique_ptr<Wal>> wal = Wal::open(options);
        ASSERT_TRUE(wal) << wal.error().to_string();
        for (std::uint32_t writer = 0; writer < kWriters; ++writer) {
            const std::string topic = "t" + std::to_string(writer);
            const Result<TopicInfo> info = (*wal)->topic(topic);
            const std::uint64_t end = info ? info->log_end_offset.value : 0;
            ASSERT_GE(end, acknowledged[writer].load()) << topic;
            for (std::uint64_t at = 0; at < end;) {
                const Result<RecordBatch> batch = (*wal)->read_at(topic, Offset{at}, 100'000);
                ASSERT_TRUE(batch) << batch.error().to_string();
                for (const Record& record : *batch)
                    ASSERT_EQ(as_text(record.data), text_of(writer, at++));
            }
        }
    }
}

}  // namespace
}  // namespace walrus::wal
