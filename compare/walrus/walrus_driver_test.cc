#include "compare/walrus/walrus_driver.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "harness/driver/scratch_directory.h"

namespace walrus::compare {
namespace {

using harness::Durability;
using harness::Settings;
using Texts = std::vector<std::string>;

// Counts completions, which come on any thread.
class Completions final : public harness::Completion {
public:
    void done(const Status& status) override {
        const std::lock_guard lock(mutex_);
        ++count_;
        if (!status) errors_.push_back(status.error().to_string());
        changed_.notify_all();
    }
    // Waits until `count` have come; returns the errors among them.
    Texts wait_for(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return count_ >= count; });
        return errors_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t count_ = 0;
    Texts errors_;
};

class WalrusDriverTest : public ::testing::Test {
protected:
    std::unique_ptr<harness::System> open(Durability durability = Durability::kProcess,
                                          const Settings& more = {}) {
        Settings settings = {{"file_size", "32MiB"}, {"ring_size", "32MiB"}};
        for (const auto& [name, value] : more) settings[name] = value;
        auto system = driver_->open({.directory = directory_.path(),
                                     .durability = durability,
                                     .settings = settings,
                                     .writers = 2});
        EXPECT_TRUE(system) << system.error().message;
        return std::move(*system);
    }
    std::unique_ptr<harness::System> open_with_topics(std::uint32_t topics) {
        auto system = open();
        const Status created = system->create_topics(topics);
        EXPECT_TRUE(created) << created.error().message;
        return system;
    }

    static std::vector<Bytes> bytes_of(const Texts& records) {
        std::vector<Bytes> bytes;
        for (const std::string& record : records) bytes.push_back(walrus::as_bytes(record));
        return bytes;
    }
    static void append(harness::Producer& producer, const Texts& records, std::uint32_t topic = 0) {
        const Status status = producer.append(topic, bytes_of(records));
        ASSERT_TRUE(status) << status.error().message;
    }

    static Texts read_all(harness::System& system, std::uint32_t topic = 0) {
        Texts records;
        auto reader = system.reader(topic);
        EXPECT_TRUE(reader) << reader.error().message;
        for (;;) {
            const auto got =
                (*reader)->read([&](Bytes record) { records.emplace_back(as_text(record)); });
            EXPECT_TRUE(got) << got.error().message;
            if (!got || *got == 0) return records;
        }
    }

    const std::unique_ptr<harness::Driver> driver_ = make_walrus_driver();
    harness::ScratchDirectory directory_;
};

std::string class_name(const ::testing::TestParamInfo<Durability>& test) {
    std::string name(harness::durability_name(test.param));
    std::erase(name, '-');
    return name;
}

class WalrusDriverClassTest : public WalrusDriverTest,
                              public ::testing::WithParamInterface<Durability> {};

INSTANTIATE_TEST_SUITE_P(Classes, WalrusDriverClassTest,
                         ::testing::Values(Durability::kNone, Durability::kProcess,
                                           Durability::kOsInterval, Durability::kDisk),
                         class_name);

TEST_P(WalrusDriverClassTest, ReadsBackInOrderWhatItAppendedBeforeAnOrderlyStop) {
    const Texts all = {"one", "two", "", "four"};
    {
        const auto system = open(GetParam());
        EXPECT_EQ(system->effective_config().at("durability"),
                  harness::durability_name(GetParam()));
        ASSERT_TRUE(system->create_topics(1));
        const auto producer = system->producer(0);
        append(**producer, {"one"});
        append(**producer, {"two", "", "four"});
        ASSERT_TRUE((*producer)->drain());
        EXPECT_EQ(read_all(*system), all);
        ASSERT_TRUE(system->stop());
    }
    const auto system = open(GetParam());
    EXPECT_EQ(read_all(*system), all);
    EXPECT_EQ(read_all(*system), all);  // A reader leaves nothing behind.
}

// Not class none, which promises nothing without a stop.
class WalrusDriverAbandonedTest : public WalrusDriverTest,
                                  public ::testing::WithParamInterface<Durability> {};

INSTANTIATE_TEST_SUITE_P(Classes, WalrusDriverAbandonedTest,
                         ::testing::Values(Durability::kProcess, Durability::kOsInterval,
                                           Durability::kDisk),
                         class_name);

TEST_P(WalrusDriverAbandonedTest, ReadsBackWhatAnAbandonedSystemHadAcknowledged) {
    {
        const auto system = open(GetParam());
        ASSERT_TRUE(system->create_topics(1));
        append(**system->producer(0), {"one"});
        append(**system->producer(1), {"two", "three"});
    }  // No stop().
    EXPECT_EQ(read_all(*open(GetParam())), (Texts{"one", "two", "three"}));
}

TEST_F(WalrusDriverTest, AsynchronousAppendsCompleteOnceEachAndAreReadInOrder) {
    const auto system = open_with_topics(1);
    const auto producer = system->producer(0);
    Completions completions;
    Texts all;
    for (int i = 0; i < 200; ++i) {
        const Texts records = {"a" + std::to_string(i), "b" + std::to_string(i)};
        // The bytes are ours again when the call returns.
        ASSERT_TRUE((*producer)->append_async(0, bytes_of(records), completions));
        all.insert(all.end(), records.begin(), records.end());
    }
    ASSERT_TRUE((*producer)->drain());
    EXPECT_EQ(completions.wait_for(200), Texts{});
    EXPECT_EQ(read_all(*system), all);
    // A second drain has nothing to wait for.
    EXPECT_TRUE((*producer)->drain());
}

TEST_F(WalrusDriverTest, TopicsDoNotMixAndAllOfThemAreCreated) {
    constexpr std::uint32_t kTopics = 100;  // More than are created side by side.
    {
        const auto system = open_with_topics(kTopics);
        const auto producer = system->producer(0);
        for (std::uint32_t topic = 0; topic < kTopics; ++topic) {
            append(**producer, {"of " + std::to_string(topic)}, topic);
        }
        ASSERT_TRUE(system->stop());
    }
    const auto system = open();
    for (std::uint32_t topic = 0; topic < kTopics; ++topic) {
        EXPECT_EQ(read_all(*system, topic), Texts{"of " + std::to_string(topic)});
    }
    EXPECT_EQ(read_all(*system, kTopics), Texts{});  // Never created: empty, no error.
}

TEST_F(WalrusDriverTest, CreatingMoreTopicsKeepsThoseThatExist) {
    const auto system = open_with_topics(2);
    append(**system->producer(0), {"kept"}, 1);
    ASSERT_TRUE(system->create_topics(3));
    append(**system->producer(0), {"new"}, 2);
    EXPECT_EQ(read_all(*system, 1), Texts{"kept"});
    EXPECT_EQ(read_all(*system, 2), Texts{"new"});
}

TEST_F(WalrusDriverTest, SettingsReachTheEngineAndAreToldBack) {
    const auto system = open(Durability::kOsInterval, {{"backend", "buffered"},
                                                       {"file_size", "36MiB"},
                                                       {"shards", "2"},
                                                       {"sync_interval_ms", "50"}});
    const Settings config = system->effective_config();
    EXPECT_EQ(config.at("backend"), "buffered");
    EXPECT_EQ(config.at("file_size"), "36 MiB");
    EXPECT_EQ(config.at("ring_size"), "32 MiB");
    EXPECT_EQ(config.at("shards"), "2");
    EXPECT_EQ(config.at("sync_interval_ms"), "50");
}

TEST_F(WalrusDriverTest, CountersCountWhatTheProducersDid) {
    const auto system = open_with_topics(1);
    append(**system->producer(0), {"four"});
    append(**system->producer(0), {"eight", "six"});
    const Settings counters = system->counters();
    EXPECT_EQ(counters.at("appends"), "2");
    EXPECT_EQ(counters.at("records"), "3");
    EXPECT_EQ(counters.at("payload_bytes"), "12");
}

// --- error paths ---

TEST_F(WalrusDriverTest, RefusesSettingsItDoesNotKnowOrCannotTake) {
    for (const Settings& settings : {Settings{{"backend", "urnig"}}, Settings{{"shard", "2"}},
                                     Settings{{"ring_size", "large"}}}) {
        const auto capabilities = driver_->capabilities(settings);
        ASSERT_FALSE(capabilities) << settings.begin()->first;
        EXPECT_EQ(capabilities.error().code, Errc::kInvalidArgument);
        EXPECT_FALSE(driver_->open({.directory = directory_.path(), .settings = settings}));
    }
    // A value of the right kind that the engine refuses.
    const auto opened =
        driver_->open({.directory = directory_.path(), .settings = {{"file_size", "5000"}}});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::kInvalidArgument);
}

TEST_F(WalrusDriverTest, OffersEveryClassOfOneEngineAndNoQuorum) {
    const auto capabilities = driver_->capabilities({});
    ASSERT_TRUE(capabilities);
    EXPECT_TRUE(harness::check_supported(*capabilities, Durability::kNone, 1, true));
    EXPECT_TRUE(harness::check_supported(*capabilities, Durability::kDisk, 10'000, true));
    EXPECT_FALSE(harness::check_supported(*capabilities, Durability::kQuorumDisk, 1, false));
    const auto opened = driver_->open(
        {.directory = directory_.path(), .durability = Durability::kQuorumDisk, .settings = {}});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::kUnsupported);
}

TEST_F(WalrusDriverTest, ARefusedAppendIsReportedAndAppendsNothing) {
    const auto system = open_with_topics(1);
    const auto producer = system->producer(0);
    const Texts too_many(3000, "x");
    EXPECT_EQ((*producer)->append(0, bytes_of(too_many)).error().code, Errc::kTooLarge);
    Completions never;
    EXPECT_EQ((*producer)->append_async(0, bytes_of(too_many), never).error().code,
              Errc::kTooLarge);
    EXPECT_TRUE((*producer)->drain());
    EXPECT_EQ(never.wait_for(0), Texts{});
    EXPECT_EQ(read_all(*system), Texts{});
}

TEST_F(WalrusDriverTest, ASecondOpenOfTheDirectoryIsRefused) {
    const auto system = open();
    const auto second = driver_->open(
        {.directory = directory_.path(), .durability = Durability::kProcess, .settings = {}});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::kBusy);
}

}  // namespace
}  // namespace walrus::compare
