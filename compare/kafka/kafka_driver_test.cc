#include "compare/kafka/kafka_driver.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <condition_variable>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

#include "compare/kafka/kafka_options.h"
#include "compare/kafka/kafka_producer.h"
#include "compare/kafka/kafka_reader.h"
#include "compare/kafka/kafka_server.h"
#include "compare/kafka/rdkafka_handle.h"
#include "compare/kafka/warm_up.h"
#include "harness/driver/scratch_directory.h"

namespace walrus::compare {
namespace {

using harness::Durability;
using harness::Settings;
using Texts = std::vector<std::string>;

class Completions final : public harness::Completion {
public:
    void done(const Status& status) override {
        const std::lock_guard lock(mutex_);
        ++count_;
        if (!status) errors_.push_back(status.error().to_string());
        changed_.notify_all();
    }
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

// librdkafka's own broker in memory: shows that the adapters are right, and nothing about speed.
class MockClusterTest : public ::testing::Test {
protected:
    void SetUp() override {
        auto host = make_rd_handle(RD_KAFKA_PRODUCER, {{"log_level", "0"}});
        ASSERT_TRUE(host) << host.error().message;
        host_ = std::move(*host);
        cluster_.reset(rd_kafka_mock_cluster_new(host_.get(), 1));
        ASSERT_NE(cluster_, nullptr);
        for (const std::string& topic : topics_) {
            rd_kafka_mock_topic_create(cluster_.get(), topic.c_str(), 1, 1);
        }
        options_ = *parse_kafka_options(Brand::kKafka, {}, {});
        options_.address = rd_kafka_mock_cluster_bootstraps(cluster_.get());
    }

    std::unique_ptr<harness::Producer> producer(const Settings& more = {}) {
        Settings properties = producer_properties(options_);
        for (const auto& [name, value] : more) properties[name] = value;
        auto producer = make_kafka_producer(properties, topics_);
        EXPECT_TRUE(producer) << producer.error().message;
        return std::move(*producer);
    }
    std::unique_ptr<harness::Reader> reader(std::size_t topic = 0) {
        auto reader = make_kafka_reader(consumer_properties(options_), topics_[topic]);
        EXPECT_TRUE(reader) << reader.error().message;
        return std::move(*reader);
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
    static Texts read_to_end(harness::Reader& reader) {
        Texts records;
        for (;;) {
            const auto got =
                reader.read([&](Bytes record) { records.emplace_back(as_text(record)); });
            EXPECT_TRUE(got) << got.error().message;
            if (!got || *got == 0) return records;
        }
    }

    const std::vector<std::string> topics_ = {"one", "two"};
    RdHandle host_;
    std::unique_ptr<rd_kafka_mock_cluster_t, CloseWith<rd_kafka_mock_cluster_destroy>> cluster_;
    KafkaOptions options_;
};

TEST_F(MockClusterTest, WhatWasAcknowledgedIsReadBackInOrder) {
    const auto writer = producer();
    append(*writer, {"a"});
    append(*writer, {"b", "", "c"});
    EXPECT_EQ(read_to_end(*reader()), (Texts{"a", "b", "", "c"}));
    EXPECT_EQ(read_to_end(*reader()), (Texts{"a", "b", "", "c"}));  // Nothing is left behind.
}

TEST_F(MockClusterTest, TopicsDoNotMix) {
    const auto writer = producer();
    append(*writer, {"first"}, 0);
    append(*writer, {"second"}, 1);
    EXPECT_EQ(read_to_end(*reader(0)), Texts{"first"});
    EXPECT_EQ(read_to_end(*reader(1)), Texts{"second"});
}

TEST_F(MockClusterTest, AnEmptyTopicEndsAtOnce) {
    EXPECT_EQ(read_to_end(*reader()), Texts{});
}

TEST_F(MockClusterTest, AsynchronousAppendsCompleteOnceEachAndAreReadInOrder) {
    const auto writer = producer({{"linger.ms", "5"}});
    Completions completions;
    Texts all;
    for (int i = 0; i < 500; ++i) {
        const Texts records = {"a" + std::to_string(i), "b" + std::to_string(i)};
        // The bytes are ours again when the call returns.
        ASSERT_TRUE(writer->append_async(0, bytes_of(records), completions));
        all.insert(all.end(), records.begin(), records.end());
    }
    ASSERT_TRUE(writer->drain());
    EXPECT_EQ(completions.wait_for(500), Texts{});
    EXPECT_EQ(read_to_end(*reader()), all);
    EXPECT_TRUE(writer->drain());  // Nothing to wait for.
}

TEST_F(MockClusterTest, AReaderFollowsTheWriter) {
    const auto writer = producer();
    const auto follower = reader();
    EXPECT_EQ(read_to_end(*follower), Texts{});
    append(*writer, {"later"});
    Texts seen;
    while (seen.empty()) {
        EXPECT_TRUE(follower->wait(100));
        seen = read_to_end(*follower);
    }
    EXPECT_EQ(seen, Texts{"later"});
}

TEST_F(MockClusterTest, AProducerMayGoWithAppendsInFlight) {
    rd_kafka_mock_broker_set_rtt(cluster_.get(), 1, 2'000);
    Completions completions;
    {
        const auto writer = producer();
        ASSERT_TRUE(writer->append_async(0, bytes_of({"never acknowledged"}), completions));
    }
    EXPECT_EQ(completions.wait_for(0), Texts{});
}

// --- error paths ---

TEST_F(MockClusterTest, ARecordThatWasNotStoredInTimeHasAnUnknownOutcome) {
    const auto writer = producer({{"message.timeout.ms", "300"}});
    append(*writer, {"stored"});
    rd_kafka_mock_broker_set_rtt(cluster_.get(), 1, 5'000);
    const Status status = writer->append(0, bytes_of({"where is it?"}));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, Errc::kTimeout) << status.error().message;
}

TEST_F(MockClusterTest, ATooLargeRecordIsRefusedAndTheOthersOfItsAppendAreNotLost) {
    const auto writer = producer();
    const std::string large(2'000'000, 'x');
    EXPECT_EQ(writer->append(0, bytes_of({large})).error().code, Errc::kTooLarge);
    // A part of it is stored: neither acknowledged nor failed.
    EXPECT_EQ(writer->append(0, bytes_of({"small", large})).error().code, Errc::kTimeout);
    Completions completions;
    ASSERT_TRUE(writer->append_async(0, bytes_of({large}), completions));
    EXPECT_EQ(completions.wait_for(1).size(), 1u);
    EXPECT_EQ(read_to_end(*reader()), Texts{"small"});
}

TEST_F(MockClusterTest, APropertyThatLibrdkafkaDoesNotKnowIsNamed) {
    const auto refused = make_kafka_producer({{"lingr.ms", "5"}}, topics_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "librdkafka: No such configuration property: \"lingr.ms\"");
}

// --- what needs no server ---

TEST(KafkaOptions, BothBrandsGetTheSameClient) {
    const Settings settings = {{"address", "127.0.0.1:1"},
                               {"linger_ms", "5"},
                               {"batch_bytes", "64KiB"},
                               {"compression", "lz4"}};
    const auto kafka = parse_kafka_options(Brand::kKafka, {}, settings);
    const auto walrusd = parse_kafka_options(Brand::kWalrusd, {}, settings);
    ASSERT_TRUE(kafka && walrusd);
    EXPECT_EQ(producer_properties(*kafka), producer_properties(*walrusd));
    EXPECT_EQ(consumer_properties(*kafka), consumer_properties(*walrusd));
    EXPECT_EQ(producer_properties(*kafka).at("linger.ms"), "5");
    EXPECT_EQ(producer_properties(*kafka).at("batch.size"), "65536");
    EXPECT_EQ(producer_properties(*kafka).at("acks"), "all");
    EXPECT_EQ(producer_properties(*kafka).at("enable.idempotence"), "true");
}

TEST(KafkaOptions, TheClassOfATopicIsItsConfiguration) {
    const auto options = *parse_kafka_options(Brand::kKafka, {}, {{"sync_interval_ms", "50"}});
    const auto config = [&](Brand brand, Durability durability) {
        return topic_config(brand, durability, options);
    };
    EXPECT_EQ(config(Brand::kKafka, Durability::kProcess), Settings{});
    EXPECT_EQ(config(Brand::kWalrusd, Durability::kProcess),
              (Settings{{"walrus.durability", "process"}}));
    for (const Brand brand : {Brand::kKafka, Brand::kWalrusd}) {
        EXPECT_EQ(config(brand, Durability::kDisk), (Settings{{"flush.messages", "1"}}));
        EXPECT_EQ(config(brand, Durability::kOsInterval), (Settings{{"flush.ms", "50"}}));
    }
}

TEST(KafkaOptions, ATopicOfAnotherClassIsNotMeasured) {
    const Settings never = {{"flush.messages", "9223372036854775807"},
                            {"flush.ms", "9223372036854775807"}};
    const Settings synced = {{"flush.messages", "1"}, {"flush.ms", "9223372036854775807"}};
    EXPECT_TRUE(check_topic_config(Brand::kKafka, Durability::kProcess, never));
    EXPECT_TRUE(check_topic_config(Brand::kKafka, Durability::kDisk, synced));
    EXPECT_FALSE(check_topic_config(Brand::kKafka, Durability::kDisk, never));
    EXPECT_FALSE(check_topic_config(Brand::kKafka, Durability::kProcess, synced));
    EXPECT_FALSE(check_topic_config(Brand::kKafka, Durability::kOsInterval, never));
    // A server that does not tell is not believed.
    EXPECT_FALSE(check_topic_config(Brand::kWalrusd, Durability::kProcess, {}));
    EXPECT_TRUE(check_topic_config(Brand::kWalrusd, Durability::kProcess,
                                   {{"walrus.durability", "process"}}));
}

TEST(KafkaOptions, RefusesWhatItDoesNotKnowOrCannotTake) {
    for (const Settings& settings :
         {Settings{{"adress", "x:1"}}, Settings{{"linger_ms", "five"}},
          Settings{{"compression", "zip"}}, Settings{{"pid", "17"}}, Settings{{"binary", "x"}}}) {
        const auto refused = parse_kafka_options(Brand::kKafka, {}, settings);
        ASSERT_FALSE(refused) << settings.begin()->first;
        EXPECT_EQ(refused.error().code, Errc::kInvalidArgument);
    }
}

TEST(KafkaDriver, WithoutItsPartsItIsNotOnThisMachineAndSaysWhatToDo) {
    const auto missing = make_kafka_driver({})->capabilities({});
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Errc::kUnsupported);
    EXPECT_NE(missing.error().message.find("setup.sh --with-kafka"), std::string::npos);
    const harness::ScratchDirectory empty;
    const auto jars = make_kafka_driver({.java = "/bin/sh", .libs = empty.path(), .walrusd = ""});
    EXPECT_EQ(jars->capabilities({}).error().code, Errc::kUnsupported);
    EXPECT_EQ(make_walrusd_driver({})->capabilities({}).error().code, Errc::kUnsupported);
    // A server that runs already needs nothing here.
    EXPECT_TRUE(make_kafka_driver({})->capabilities({{"address", "127.0.0.1:1"}}));
    EXPECT_EQ(make_kafka_driver({})->describe().level, harness::Level::kServer);
}

TEST(KafkaDriver, TheVersionIsInTheNameOfTheJar) {
    const harness::ScratchDirectory directory;
    std::ofstream(directory.path() + "/kafka-clients-9.9.9.jar") << "x";
    EXPECT_EQ(kafka_version(directory.path()), "");
    std::ofstream(directory.path() + "/kafka_2.13-4.1.1.jar") << "jar";
    EXPECT_EQ(kafka_version(directory.path()), "4.1.1");
    EXPECT_EQ(kafka_version(directory.path() + "/none"), "");
}

TEST(KafkaDriver, TheBrokerListensOnThisMachineOnlyAndKeepsItsDataInItsDirectory) {
    const std::string text = kafka_server_properties("/d", {.clients = 1111, .controller = 2222});
    EXPECT_NE(text.find("listeners=PLAINTEXT://127.0.0.1:1111,CONTROLLER://127.0.0.1:2222\n"),
              std::string::npos);
    EXPECT_NE(text.find("controller.quorum.voters=1@127.0.0.1:2222\n"), std::string::npos);
    EXPECT_NE(text.find("log.dirs=/d/kafka-logs\n"), std::string::npos);
    EXPECT_NE(text.find("auto.create.topics.enable=false\n"), std::string::npos);
}

TEST(KafkaDriver, ThePortOfWalrusdIsInItsReadyLine) {
    EXPECT_EQ(walrusd_kafka_port(""), 0);
    EXPECT_EQ(walrusd_kafka_port("walrusd starting kafka=1\n"), 0);
    EXPECT_EQ(walrusd_kafka_port("walrusd ready: client=8080 kafka=90"), 0);  // Not all of it yet.
    EXPECT_EQ(walrusd_kafka_port("walrusd ready: client=8080 kafka=9092\n"), 9092);
    EXPECT_EQ(walrusd_kafka_port("ready kafka=127.0.0.1:9093 admin=127.0.0.1:1\n"), 9093);
}

TEST(KafkaDriver, ProgramsAreFoundInTheDirectoriesOfThePath) {
    EXPECT_EQ(find_program("sh", "/nowhere:/bin"), "/bin/sh");
    EXPECT_EQ(find_program("no-such-program", "/bin:/usr/bin"), "");
    EXPECT_EQ(find_program("sh", ""), "");
}

TEST(WarmUp, IsFlatWhenTheLastSlicesOfBothTopicsAgree) {
    const WarmUpSlice slow = {.records_per_s = 50'000, .p99_ns = 9'000'000};
    const WarmUpSlice process = {.records_per_s = 100'000, .p99_ns = 1'000'000};
    const WarmUpSlice disk = {.records_per_s = 60'000, .p99_ns = 4'000'000};
    EXPECT_FALSE(is_flat({}));
    EXPECT_FALSE(is_flat({process, disk, process, disk}));  // Too few to know.
    EXPECT_TRUE(is_flat({slow, slow, process, disk, process, disk, process, disk}));

    EXPECT_FALSE(is_flat({slow, disk, process, disk, process, disk}));
    WarmUpSlice late = process;
    late.p99_ns *= 2;
    EXPECT_FALSE(is_flat({process, disk, process, disk, late, disk}));
    EXPECT_FALSE(is_flat({{}, {}, {}, {}, {}, {}}));
}

}  // namespace
}  // namespace walrus::compare
