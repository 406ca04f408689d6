// The drivers with real servers.  Skipped, loudly, where they are not installed.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "compare/kafka/kafka_driver.h"
#include "harness/driver/file_descriptor.h"
#include "harness/driver/scratch_directory.h"
#include "harness/metrics/paced_clock.h"

namespace walrus::compare {
namespace {

using harness::Durability;
using harness::Settings;
using Texts = std::vector<std::string>;

constexpr std::uint64_t kPatienceNs = 30'000'000'000;

KafkaParts machine_parts() {
    return find_kafka_parts("/usr/local/bin:/usr/bin:/bin");
}

class RealServerTest : public ::testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        driver_ = GetParam() == std::string("kafka") ? make_kafka_driver(machine_parts())
                                                     : make_walrusd_driver(machine_parts());
        const auto capabilities = driver_->capabilities(settings_);
        if (!capabilities) {
            GTEST_SKIP() << "SKIPPED, nothing was tested: " << capabilities.error().message;
        }
    }

    std::unique_ptr<harness::System> open(Durability durability, const Settings& more = {}) {
        Settings settings = settings_;
        for (const auto& [name, value] : more) settings[name] = value;
        auto system = driver_->open(
            {.directory = directory_.path(), .durability = durability, .settings = settings});
        EXPECT_TRUE(system) << system.error().message;
        return system ? std::move(*system) : nullptr;
    }

    static void append(harness::System& system, const Texts& records) {
        auto producer = system.producer(0);
        ASSERT_TRUE(producer) << producer.error().message;
        std::vector<Bytes> bytes;
        for (const std::string& record : records) bytes.push_back(walrus::as_bytes(record));
        const Status status = (*producer)->append(0, bytes);
        ASSERT_TRUE(status) << status.error().message;
    }

    static Texts read_all(harness::System& system) {
        Texts records;
        auto reader = system.reader(0);
        EXPECT_TRUE(reader) << reader.error().message;
        for (;;) {
            const auto got =
                (*reader)->read([&](Bytes record) { records.emplace_back(as_text(record)); });
            EXPECT_TRUE(got) << got.error().message;
            if (!got || *got == 0) return records;
        }
    }

    static bool is_gone(pid_t pid) {
        const auto stat = harness::read_whole_file("/proc/" + std::to_string(pid) + "/stat");
        return !stat || stat->find(") Z ") != std::string::npos;
    }

    const Settings settings_ = {{"warm_up", "0s"}};
    std::unique_ptr<harness::Driver> driver_;
    harness::ScratchDirectory directory_;
};

INSTANTIATE_TEST_SUITE_P(Servers, RealServerTest, ::testing::Values("kafka", "walrusd"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(RealServerTest, WhatItAcknowledgedIsThereAfterKillMinusNineAndARestart) {
    for (const Durability durability : {Durability::kProcess, Durability::kDisk}) {
        const harness::ScratchDirectory fresh;
        const auto open_in = [&] {
            return driver_->open(
                {.directory = fresh.path(), .durability = durability, .settings = settings_});
        };
        {
            const auto system = open_in();
            ASSERT_TRUE(system) << system.error().message;
            const Status created = (*system)->create_topics(1);
            ASSERT_TRUE(created) << created.error().message;
            append(**system, {"one", "two"});
            append(**system, {"three"});
            const Settings config = (*system)->effective_config();
            EXPECT_EQ(config.at("topic.flush.messages") == "1", durability == Durability::kDisk);
            EXPECT_EQ(config.at("producer.enable.idempotence"), "true");
        }  // No stop(): the server is killed.
        const auto system = open_in();
        ASSERT_TRUE(system) << system.error().message;
        EXPECT_EQ(read_all(**system), (Texts{"one", "two", "three"}));
        const Status stopped = (*system)->stop();
        EXPECT_TRUE(stopped) << stopped.error().message;
    }
}

TEST_P(RealServerTest, AnotherProcessOpensARunningServerAndLeavesItRunning) {
    const auto owner = open(Durability::kProcess);
    ASSERT_NE(owner, nullptr);
    const Settings attachment = owner->attachment();
    {
        const auto guest = open(Durability::kDisk, attachment);
        ASSERT_NE(guest, nullptr);
        ASSERT_TRUE(guest->create_topics(1));
        append(*guest, {"kept"});
        EXPECT_EQ(guest->processes(), owner->processes());
        EXPECT_TRUE(guest->stop());
    }
    EXPECT_EQ(read_all(*open(Durability::kDisk, attachment)), Texts{"kept"});
}

TEST_P(RealServerTest, TopicsOfEarlierRepetitionsAreRemovedAndThoseOfThisOneAreNot) {
    const auto owner = open(Durability::kProcess);
    ASSERT_NE(owner, nullptr);
    ASSERT_TRUE(owner->create_topics(1));
    append(*owner, {"old"});
    const harness::ScratchDirectory next;
    Settings settings = settings_;
    settings.merge(owner->attachment());
    const auto guest = driver_->open(
        {.directory = next.path(), .durability = Durability::kProcess, .settings = settings});
    ASSERT_TRUE(guest) << guest.error().message;
    ASSERT_TRUE((*guest)->create_topics(1));
    append(**guest, {"new"});
    ASSERT_TRUE((*guest)->create_topics(2));
    EXPECT_EQ(read_all(**guest), Texts{"new"});
    const Status again = owner->create_topics(2);  // Its first topic is gone.
    EXPECT_TRUE(again) << again.error().message;
}

TEST_P(RealServerTest, AServerDiesWithTheProcessThatOwnsIt) {
    const std::string pid_file = directory_.path() + "/pid";
    const pid_t owner = ::fork();
    if (owner == 0) {
        const auto system = open(Durability::kProcess);
        if (system == nullptr) ::_exit(1);
        const Status told =
            harness::write_whole_file(pid_file, std::to_string(system->processes().front()));
        while (told) ::pause();
        ::_exit(1);
    }
    harness::PacedClock& clock = harness::machine_clock();
    const std::uint64_t deadline_ns = clock.monotonic_ns() + 2 * kPatienceNs;
    pid_t pid = 0;
    while (pid <= 0 && clock.monotonic_ns() < deadline_ns) {
        pid = std::atoi(harness::read_whole_file(pid_file).value_or("").c_str());
        clock.wait_until(clock.monotonic_ns() + 1'000'000);
    }
    ::kill(owner, SIGKILL);
    ::waitpid(owner, nullptr, 0);
    ASSERT_GT(pid, 0);
    while (!is_gone(pid) && clock.monotonic_ns() < deadline_ns) {
        clock.wait_until(clock.monotonic_ns() + 1'000'000);
    }
    EXPECT_TRUE(is_gone(pid));
}

// --- error paths ---

TEST_P(RealServerTest, ADeadServerIsNamedInTheErrorOfWhatItWasAskedFor) {
    const auto system = open(Durability::kProcess);
    ASSERT_NE(system, nullptr);
    ASSERT_EQ(system->processes().size(), 1u);
    ::kill(system->processes().front(), SIGKILL);
    const Status created = system->create_topics(1);
    ASSERT_FALSE(created);
    EXPECT_NE(created.error().message.find("was ended by signal 9"), std::string::npos)
        << created.error().message;
}

}  // namespace
}  // namespace walrus::compare
