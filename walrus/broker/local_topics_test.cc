// Topics of a LocalBroker: creating, deleting, configuring, and what a restart finds of them.
#include <gtest/gtest.h>

#include <set>

#include "walrus/broker/test_broker.h"

namespace walrus::broker {
namespace {

using testing::CrashKind;
using testing::Unsynced;
using Names = std::vector<std::string>;

class LocalTopicsTest : public ::testing::Test {
protected:
    void SetUp() override { broker_.open(); }

    std::string config(const std::string& topic, const std::string& name) {
        const Result<TopicDescription> description = broker_->describe(topic);
        if (!description) return "(no topic)";
        for (const ConfigEntry& entry : description->spec.configs)
            if (entry.name == name) return entry.value + (entry.is_default ? " (default)" : "");
        return "(unknown)";
    }

    TestBroker broker_;
};

TEST_F(LocalTopicsTest, ATopicIsThereWithItsPartitionsOnceItIsCreated) {
    EXPECT_EQ(broker_->find("t", 0), nullptr);
    ASSERT_TRUE(broker_.create("t", {}, 3));
    EXPECT_EQ(broker_->topic_names(), Names{"t"});
    for (const std::int32_t index : {0, 1, 2}) {
        EXPECT_EQ(broker_.partition("t", index).info().index, index);
        for (std::int32_t i = 0; i <= index; ++i)
            broker_.must_append("t", make_batch("p" + std::to_string(index)), index);
    }
    EXPECT_EQ(broker_->find("t", 3), nullptr);
    EXPECT_EQ(broker_->find("t", -1), nullptr);
    EXPECT_EQ(broker_->find("u", 0), nullptr);
    const Result<TopicDescription> description = broker_->describe("t");
    ASSERT_TRUE(description);
    ASSERT_EQ(description->partitions.size(), 3U);
    EXPECT_EQ(description->partitions[2].high_watermark, Offset{3});
    EXPECT_EQ(description->partitions[2].leader, broker_->cluster().self);
}

TEST_F(LocalTopicsTest, WhatWasCreatedSurvivesEveryKindOfStart) {
    ASSERT_TRUE(broker_.create("kept", {{"retention.ms", "3600000"}}, 2));
    ASSERT_TRUE(broker_.create("gone"));
    ASSERT_TRUE(broker_.remove("gone"));
    const std::string cluster = broker_->cluster().cluster_id;
    EXPECT_EQ(cluster.size(), 22U);
    broker_.must_append("kept", make_batch("x"), 1);
    const auto check = [&] {
        EXPECT_EQ(broker_->topic_names(), Names{"kept"});
        EXPECT_EQ(config("kept", "retention.ms"), "3600000");
        EXPECT_EQ(broker_.partition("kept", 1).info().high_watermark, Offset{1});
        EXPECT_EQ(broker_->cluster().cluster_id, cluster);
        EXPECT_EQ(broker_->counters().partitions, 2U);
    };
    broker_.close();
    broker_.open();
    check();
    broker_.kill();
    check();
    broker_.crash({CrashKind::kPower, Unsynced::kDrop, 1});
    check();
}

TEST_F(LocalTopicsTest, ATopicCreatedAgainNeverMeetsOldData) {
    for (int round = 0; round < 3; ++round) {
        ASSERT_TRUE(broker_.create("t"));
        Partition& partition = broker_.partition("t");
        EXPECT_EQ(broker_.must_append("t", make_batch("round" + std::to_string(round))), 0U);
        ASSERT_EQ(split(broker_.fetch("t", 0)).size(), 1U);
        int called = 0;
        partition.watch(Offset{1}, [&] { ++called; });
        ASSERT_TRUE(broker_.remove("t"));
        EXPECT_EQ(called, 1);
        EXPECT_EQ(broker_->find("t", 0), nullptr);
        // Who still holds it is told so.
        Answer answer;
        const std::string batch = make_batch("late");
        partition.append(as_bytes(batch), Acks::kAll, answer.callback());
        EXPECT_EQ(answer.result.status.error().code, Errc::kNotFound);
        EXPECT_EQ(partition.info().leader, -1);
        if (round == 1) broker_.kill();
    }
}

TEST_F(LocalTopicsTest, ChangesAreMadeInTheOrderInWhichTheyCame) {
    std::vector<std::string> answers;
    const auto note = [&](const std::string& what) {
        return [&answers, what](Status status) {
            answers.push_back(what + ":" +
                              std::string(status ? "ok" : errc_name(status.error().code)));
        };
    };
    broker_->create_topic({"t"}, false, note("create"));
    broker_->create_topic({"t"}, false, note("again"));
    broker_->set_configs("t", {{"retention.ms", "1000"}}, note("configure"));
    broker_->delete_topic("t", note("delete"));
    broker_->set_configs("t", {}, note("too late"));
    broker_->create_topic({"t"}, true, note("could"));
    broker_->create_topic({"t"}, false, note("create"));
    broker_.loop().run_until([&] { return answers.size() == 7; });
    EXPECT_EQ(answers, (Names{"create:ok", "again:already_exists", "configure:ok", "delete:ok",
                              "too late:not_found", "could:ok", "create:ok"}));
    EXPECT_EQ(config("t", "retention.ms"), "604800000 (default)");
}

TEST_F(LocalTopicsTest, ConfigsChangeOneByOneAndForGood) {
    ASSERT_TRUE(broker_.create("t", {{"retention.ms", "1000"}, {"max.message.bytes", "500"}}));
    ASSERT_TRUE(broker_.configure("t", {{"max.message.bytes", "100"}}));
    EXPECT_EQ(config("t", "retention.ms"), "1000");
    EXPECT_EQ(broker_.append("t", make_batch(std::string(200, 'x'))).status.error().code,
              Errc::kTooLarge);
    ASSERT_TRUE(broker_.configure("t", {{"max.message.bytes", "", true}}));
    broker_.must_append("t", make_batch(std::string(200, 'x')));
    broker_.kill();
    EXPECT_EQ(config("t", "retention.ms"), "1000");
    EXPECT_EQ(config("t", "max.message.bytes"), "65536 (default)");
}

TEST_F(LocalTopicsTest, ADurabilityIsForGood) {
    ASSERT_TRUE(broker_.create("t", {{"walrus.durability", "process"}}));
    const Status refused = broker_.configure("t", {{"walrus.durability", "disk"}});
    EXPECT_EQ(refused.error().code, Errc::kInvalidArgument);
    EXPECT_NE(refused.error().message.find("cannot become disk"), std::string::npos);
    EXPECT_TRUE(broker_.configure("t", {{"walrus.durability", "process"}}));
    EXPECT_EQ(config("t", "walrus.durability"), "process");
}

TEST_F(LocalTopicsTest, ATopicKeepsItsDurabilityWhenTheDefaultChanges) {
    ASSERT_TRUE(broker_.create("t"));
    broker_.must_append("t", make_batch("before"));
    ASSERT_TRUE(broker_.configure("t", {{"walrus.durability", "", true}}));
    broker_.close();
    broker_.options().topic_defaults = {{"walrus.durability", "process"}};
    broker_.open();
    EXPECT_EQ(config("t", "walrus.durability"), "disk");
    EXPECT_EQ(broker_->find("t", 0)->info().high_watermark, Offset{1});
}

TEST_F(LocalTopicsTest, RetentionReachesTheLogAndStays) {
    ASSERT_TRUE(broker_.create("t"));
    const std::string batch = make_batch(std::string(20'000, 'x'));
    for (int i = 0; i < 60; ++i) broker_.must_append("t", batch);
    ASSERT_TRUE(broker_.configure("t", {{"retention.bytes", "300000"}}));
    broker_.kill();  // The log looks at what it may give up when it is opened.
    while (broker_.partition("t").info().log_start_offset == Offset{0}) broker_.loop().run();
    EXPECT_EQ(broker_.fetch("t", 0).status.error().code, Errc::kOutOfRange);
}

TEST_F(LocalTopicsTest, ManyTopicsAreFoundAgain) {
    constexpr std::uint32_t kTopics = 120;
    std::uint32_t created = 0;
    for (std::uint32_t i = 0; i < kTopics; ++i)
        broker_->create_topic({"topic-" + std::to_string(i), 3}, false, [&](const Status& status) {
            EXPECT_TRUE(status);
            ++created;
        });
    broker_.loop().run_until([&] { return created == kTopics; });
    std::vector<Answer> answers(kTopics);
    const std::string batch = make_batch("x", 2);
    for (std::uint32_t i = 0; i < kTopics; ++i)
        broker_.partition("topic-" + std::to_string(i), i % 3)
            .append(as_bytes(batch), Acks::kAll, answers[i].callback());
    broker_.loop().run_until([&] { return answers.back().times == 1; });
    broker_.kill();
    EXPECT_EQ(broker_->topic_names().size(), kTopics);
    for (std::uint32_t i = 0; i < kTopics; ++i)
        for (std::int32_t k = 0; k < 3; ++k)
            EXPECT_EQ(broker_.partition("topic-" + std::to_string(i), k).info().high_watermark,
                      Offset{static_cast<std::int32_t>(i % 3) == k ? 2U : 0U});
}

TEST_F(LocalTopicsTest, ProducerIdsAreNeverGivenTwice) {
    std::int64_t last = 0;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 700; ++i) {
            const Result<std::int64_t> id = broker_.producer_id();
            ASSERT_TRUE(id);
            ASSERT_GT(*id, last);
            last = *id;
        }
        broker_.crash({CrashKind::kPower, Unsynced::kDrop, 1});
    }
}

// The machine dies after every third operation of the disk while topics come and go.
TEST_F(LocalTopicsTest, ACutAnywhereLeavesWhatWasAnswered) {
    broker_.close();
    // Up to the first that fails: of what is tried on a dead machine, anything may have reached a
    // ring that outlives it.
    const auto run = [](TestBroker& broker) {
        std::vector<std::string> answered;
        const auto note = [&](const std::string& what, const Status& status) {
            if (status) answered.push_back(what);
            return status.has_value();
        };
        static_cast<void>(note("+a", broker.create("a", {{"retention.ms", "5000"}}, 2)) &&
                          note("+b", broker.create("b")) && note("-a", broker.remove("a")) &&
                          note("+a", broker.create("a")));
        return answered;
    };
    for (std::uint64_t cut = 0;; cut += 3) {
        TestBroker broker;
        broker.open();
        broker.env().cut_after(broker.env().operation_count() + cut);
        const std::vector<std::string> answered = run(broker);
        const bool whole = !broker.env().dead();
        broker.crash({CrashKind::kPower, Unsynced::kTorn512, cut});
        std::set<std::string> wanted;
        for (const std::string& each : answered) {
            if (each[0] == '+') wanted.insert(each.substr(1));
            if (each[0] == '-') wanted.erase(each.substr(1));
        }
        const std::vector<std::string> names = broker->topic_names();
        std::set<std::string> found(names.begin(), names.end());
        // What was under way may have happened or not.
        const std::vector<std::string> steps = {"+a", "+b", "-a", "+a"};
        if (found != wanted && answered.size() < steps.size()) {
            const std::string& next = steps[answered.size()];
            next[0] == '+' ? void(wanted.insert(next.substr(1)))
                           : void(wanted.erase(next.substr(1)));
        }
        EXPECT_EQ(found, wanted) << "cut after " << cut;
        for (const std::string& name : found) broker.must_append(name, make_batch("x"));
        if (whole) break;
    }
}

// --- error paths ---

TEST_F(LocalTopicsTest, TopicsThatCannotBeAreRefused) {
    const auto refusal = [&](TopicSpec spec) {
        const Status status = broker_.wait<Status>(
            [&](auto done) { broker_->create_topic(std::move(spec), false, done); });
        return status ? Errc::kBusy : status.error().code;
    };
    for (const char* name : {"", ".", "..", "a b", "a/b", "a:b", "\xc3\xa4"})
        EXPECT_EQ(refusal({name}), Errc::kInvalidArgument) << name;
    EXPECT_EQ(refusal({std::string(250, 'x')}), Errc::kInvalidArgument);
    EXPECT_EQ(refusal({"t", 0}), Errc::kInvalidArgument);
    EXPECT_EQ(refusal({"t", 1, 2}), Errc::kInvalidArgument);
    EXPECT_EQ(refusal({"t", 20'001}), Errc::kResourceExhausted);
    EXPECT_EQ(refusal({"t", 1, 1, {{"no.such", "1"}}}), Errc::kInvalidArgument);
    EXPECT_EQ(refusal({std::string(249, 'x')}), Errc::kBusy);
    EXPECT_EQ(broker_->topic_names(), Names{std::string(249, 'x')});
    EXPECT_EQ(broker_.remove("nobody").error().code, Errc::kNotFound);
    EXPECT_EQ(broker_->describe("nobody").error().code, Errc::kNotFound);
}

TEST_F(LocalTopicsTest, ABrokerWithImpossibleDefaultsDoesNotOpen) {
    broker_.close();
    broker_.options().topic_defaults = {{"walrus.durability", "maybe"}};
    EXPECT_EQ(broker_.try_open().error().code, Errc::kInvalidArgument);
}

TEST_F(LocalTopicsTest, ASecondBrokerIsToldThatTheDataIsInUse) {
    testing::ManualLoop loop;
    EXPECT_EQ(LocalBroker::open(broker_.options(), loop).error().code, Errc::kBusy);
}

}  // namespace
}  // namespace walrus::broker
