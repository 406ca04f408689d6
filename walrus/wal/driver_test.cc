// A log that is written on one thread of its user's, while others append, wait and go away.
#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <thread>

#include "walrus/base/random.h"
#include "walrus/testing/seed.h"
#include "walrus/testing/sim_env.h"
#include "walrus/wal/wal.h"

namespace walrus::wal {
namespace {

constexpr const char* kDirectory = "driver_test_data";

// Counts callbacks, which must come in the order of the appends.
struct Acks {
    std::vector<std::uint64_t> offsets;
    std::atomic<int> failures{0};
    std::atomic<std::uint64_t> count{0};

    static void note(void* context, Offset first, const Status& status) {
        auto* acks = static_cast<Acks*>(context);
        if (status)
            acks->offsets.push_back(first.value);
        else
            ++acks->failures;
        ++acks->count;
    }
};

Options small_log() {
    Options options;
    options.data_dir = kDirectory;
    options.file_size = 256 << 10;
    options.ring_size = 128 << 10;
    options.limits.max_record_bytes = options.limits.max_batch_bytes = 16 << 10;
    options.limits.max_outstanding_bytes = 64 << 10;
    return options;
}

std::string text_of(std::uint64_t i) {
    std::string text = std::to_string(i) + " ";
    text.append(i * 37 % 700, 'd');
    return text;
}

class DriverTest : public ::testing::Test {
protected:
    ~DriverTest() override {
        driver_.reset();
        wal_.reset();
        std::filesystem::remove_all(kDirectory);
    }

    // False: this machine has no io_uring.
    bool open() {
        std::filesystem::remove_all(kDirectory);
        options_.backend = Backend::kUring;
        Result<std::unique_ptr<Wal>> wal = Wal::open(options_);
        if (!wal && wal.error().code == Errc::kUnsupported) return false;
        EXPECT_TRUE(wal) << wal.error().to_string();
        wal_ = std::move(*wal);
        return true;
    }
    void attach() {
        Result<std::unique_ptr<Driver>> driver = wal_->make_driver([this] {
            wanted_ = true;
            wanted_.notify_one();
        });
        ASSERT_TRUE(driver) << driver.error().to_string();
        driver_ = std::move(*driver);
    }
    Status append(std::uint64_t i, Acks& acks) {
        const std::string text = text_of(i);
        const Result<Ticket> ticket = wal_->append_opaque_async(
            "log", {as_bytes(text), 1}, {&Acks::note, &acks}, WhenFull::kRefuse);
        return ticket ? Status{} : Status(ticket.error());
    }
    // What a loop does: drives when it is asked to or the descriptor is readable.
    void turn(int wait_ms) {
        pollfd event{driver_->event_fd(), POLLIN, 0};
        const bool asked = wanted_.exchange(false);
        if (::poll(&event, 1, asked ? 0 : wait_ms) > 0 || asked) driver_->drive();
    }
    void expect_log(std::uint64_t count) {
        std::uint64_t at = 0;
        while (at < count) {
            const Result<RecordBatch> batch = wal_->read_at("log", Offset{at}, 100'000);
            ASSERT_TRUE(batch) << batch.error().to_string();
            ASSERT_FALSE(batch->empty());
            for (const Record& record : *batch) ASSERT_EQ(as_text(record.data), text_of(at++));
        }
    }

    Options options_ = small_log();
    std::atomic<bool> wanted_{false};
    std::unique_ptr<Wal> wal_;
    std::unique_ptr<Driver> driver_;
};

TEST_F(DriverTest, DrivingAloneBringsEveryAcknowledgementInOrder) {
    if (!open()) GTEST_SKIP();
    attach();
    Acks acks;
    constexpr std::uint64_t kCount = 3'000;  // Several rings and files.
    std::uint64_t sent = 0;
    while (acks.count < kCount) {
        while (sent < kCount) {
            const Status status = append(sent, acks);
            if (!status) {
                ASSERT_EQ(status.error().code, Errc::kBusy) << status.error().to_string();
                break;
            }
            ++sent;
        }
        turn(1);
    }
    EXPECT_EQ(acks.failures, 0);
    EXPECT_TRUE(std::is_sorted(acks.offsets.begin(), acks.offsets.end()));
    EXPECT_EQ(wal_->topic("log")->durable_offset, Offset{kCount});
    expect_log(kCount);
}

TEST_F(DriverTest, OthersAppendAndWaitMeanwhile) {
    if (!open()) GTEST_SKIP();
    attach();
    constexpr std::uint64_t kCount = 1'500;
    constexpr std::uint64_t kEach = 150;
    std::atomic<int> busy{3};
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i)
        threads.emplace_back([&, i] {
            const std::string topic = "other" + std::to_string(i);
            for (std::uint64_t n = 0; n < kEach; ++n) {
                const std::string text = text_of(n);
                const Result<Offset> offset = wal_->append(topic, as_bytes(text));
                ASSERT_TRUE(offset) << offset.error().to_string();
                ASSERT_EQ(offset->value, n);
            }
            --busy;
        });
    threads.emplace_back([&] {
        for (int n = 0; n < 20; ++n) {
            ASSERT_TRUE(wal_->create_topic("short"));
            const Bytes record = as_bytes("asynchronous");
            const Result<Ticket> ticket = wal_->append_async("short", {&record, 1});
            ASSERT_TRUE(ticket);
            ASSERT_TRUE(wal_->wait(*ticket));
            ASSERT_TRUE(wal_->sync());
            ASSERT_TRUE(wal_->delete_topic("short"));
        }
        --busy;
    });
    Acks acks;
    std::uint64_t sent = 0;
    while (acks.count < kCount || busy > 0) {
        while (sent < kCount && sent - acks.count < 8 && append(sent, acks)) ++sent;
        turn(1);
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(acks.failures, 0);
    EXPECT_TRUE(std::is_sorted(acks.offsets.begin(), acks.offsets.end()));
    driver_.reset();
    expect_log(kCount);
    EXPECT_EQ(wal_->topic("other1")->log_end_offset, Offset{kEach});
    EXPECT_TRUE(wal_->close());
}

TEST_F(DriverTest, TheCommitterGoesOnWhereADriverEnded) {
    if (!open()) GTEST_SKIP();
    Acks acks;
    std::uint64_t sent = 0;
    for (int round = 0; round < 20; ++round) {
        attach();
        for (int i = 0; i < 20; ++i) ASSERT_TRUE(append(sent++, acks));
        if (round % 3 > 0) driver_->drive();
        driver_.reset();
        ASSERT_TRUE(append(sent++, acks));
        ASSERT_TRUE(wal_->sync());
        ASSERT_EQ(acks.count, sent);
    }
    EXPECT_EQ(acks.failures, 0);
    expect_log(sent);
    EXPECT_TRUE(wal_->close());
}

TEST_F(DriverTest, IsRefusedWhereItCannotBe) {
    if (!open()) GTEST_SKIP();
    attach();
    EXPECT_EQ(wal_->make_driver([] {}).error().code, Errc::kBusy);
    driver_.reset();
    options_.durability = DurabilityClass::kProcess;
    wal_.reset();
    ASSERT_TRUE(open());
    EXPECT_EQ(wal_->make_driver([] {}).error().code, Errc::kUnsupported);
}

// A driver on a simulated disk has no descriptor: it is called in turns.
std::unique_ptr<Wal> open_simulated(Options& options, testing::SimEnv& env) {
    options = small_log();
    options.backend = Backend::kUring;
    options.file_size = options.ring_size = 512 << 10;
    options.env = &env;
    Result<std::unique_ptr<Wal>> wal = Wal::open(options);
    EXPECT_TRUE(wal) << wal.error().to_string();
    return wal ? std::move(*wal) : nullptr;
}

TEST(DriverFaults, AFailedWriteFailsEveryAppendInHand) {
    testing::SimEnv env(testing::test_seed());
    Options options;
    const std::unique_ptr<Wal> wal = open_simulated(options, env);
    ASSERT_NE(wal, nullptr);
    ASSERT_TRUE(wal->create_topic("log"));
    auto driver = wal->make_driver([] {});
    ASSERT_TRUE(driver);
    env.fail_when(testing::fault_on(testing::SimOperation::Kind::kDurableWrite), Errc::kIo);
    Acks acks;
    const Bytes record = as_bytes("lost");
    for (int i = 0; i < 10; ++i)
        ASSERT_TRUE(wal->append_async("log", {&record, 1}, {&Acks::note, &acks}));
    while (acks.count < 10) {
        (*driver)->drive();  // Nothing, while the committer has the log from before.
        std::this_thread::yield();
    }
    EXPECT_EQ(acks.failures, 10);
    EXPECT_EQ(wal->append("log", record).error().code, Errc::kPoisoned);
    driver->reset();
}

TEST(DriverFaults, WhatWasCalledBackSurvivesAPowerCut) {
    SeededRandom dice(testing::test_seed());
    for (int round = 0; round < 200; ++round) {
        SCOPED_TRACE("round " + std::to_string(round) +
                     " WALRUS_SEED=" + std::to_string(testing::test_seed()));
        testing::SimEnv env(dice.next());
        Options options;
        Acks acks;
        std::uint64_t sent = 0;
        {
            const std::unique_ptr<Wal> wal = open_simulated(options, env);
            ASSERT_NE(wal, nullptr);
            ASSERT_TRUE(wal->create_topic("log"));
            auto driver = wal->make_driver([] {});
            ASSERT_TRUE(driver);
            env.cut_after(env.operation_count() + dice.below(40));
            while (!env.dead() && acks.failures == 0) {
                for (std::uint64_t n = dice.below(200); n > 0; --n) {
                    const std::string text = text_of(sent);
                    if (!wal->append_opaque_async("log", {as_bytes(text), 1}, {&Acks::note, &acks},
                                                  WhenFull::kRefuse))
                        break;
                    ++sent;
                }
                (*driver)->drive();
            }
            driver->reset();
        }
        const auto survivor = env.after_crash(
            {testing::CrashKind::kPower, static_cast<testing::Unsynced>(round % 4), dice.next()});
        const std::unique_ptr<Wal> wal = open_simulated(options, *survivor);
        ASSERT_NE(wal, nullptr);
        const std::uint64_t end = wal->topic("log")->log_end_offset.value;
        ASSERT_GE(end, acks.offsets.size());
        ASSERT_LE(end, sent);
        for (std::uint64_t at = 0; at < end;) {
            const Result<RecordBatch> batch = wal->read_at("log", Offset{at}, 100'000);
            ASSERT_TRUE(batch) << batch.error().to_string();
            for (const Record& record : *batch) ASSERT_EQ(as_text(record.data), text_of(at++));
        }
    }
}

}  // namespace
}  // namespace walrus::wal
