// librdkafka against walrusd: what the reference client of C does, with its own checks.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafkacpp.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "walrus/node/e2e/test_walrusd.h"

namespace walrus::node {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

constexpr int kPollMs = 100;
constexpr int kPatiencePolls = 600;  // A minute.

std::unique_ptr<RdKafka::Conf> conf_of(const std::string& brokers, const Settings& settings) {
    std::unique_ptr<RdKafka::Conf> conf(RdKafka::Conf::create(RdKafka::Conf::CONF_GLOBAL));
    std::string error;
    EXPECT_EQ(conf->set("bootstrap.servers", brokers, error), RdKafka::Conf::CONF_OK) << error;
    // Nothing is left of a dead server for long.
    EXPECT_EQ(conf->set("reconnect.backoff.max.ms", "200", error), RdKafka::Conf::CONF_OK);
    for (const auto& [name, value] : settings)
        EXPECT_EQ(conf->set(name, value, error), RdKafka::Conf::CONF_OK) << error;
    return conf;
}

// Counts what was delivered; the payload is the record's number.
class Producer : private RdKafka::DeliveryReportCb {
public:
    Producer(const std::string& brokers, const Settings& settings) {
        auto conf = conf_of(brokers, settings);
        std::string error;
        EXPECT_EQ(conf->set("dr_cb", static_cast<RdKafka::DeliveryReportCb*>(this), error),
                  RdKafka::Conf::CONF_OK);
        producer_.reset(RdKafka::Producer::create(conf.get(), error));
        EXPECT_TRUE(producer_) << error;
    }

    // Waits for room in the queue when there is none.
    void send(const std::string& topic, const std::string& value, std::int64_t time_ms = 0) {
        for (int i = 0; i < kPatiencePolls; ++i) {
            const auto error = producer_->produce(topic, 0, RdKafka::Producer::RK_MSG_COPY,
                                                  const_cast<char*>(value.data()), value.size(),
                                                  nullptr, 0, time_ms, nullptr);
            if (error == RdKafka::ERR_NO_ERROR) break;
            ASSERT_EQ(error, RdKafka::ERR__QUEUE_FULL) << RdKafka::err2str(error);
            producer_->poll(kPollMs);
        }
        producer_->poll(0);
    }
    void flush() { EXPECT_EQ(producer_->flush(60'000), RdKafka::ERR_NO_ERROR); }
    void poll() { producer_->poll(kPollMs); }
    std::size_t delivered() const { return delivered_; }
    std::size_t failed() const { return failed_; }

private:
    void dr_cb(RdKafka::Message& message) override {
        if (message.err() != RdKafka::ERR_NO_ERROR) {
            ++failed_;
            ADD_FAILURE() << message.errstr();
            return;
        }
        ++delivered_;
    }

    std::unique_ptr<RdKafka::Producer> producer_;
    std::size_t delivered_ = 0;
    std::size_t failed_ = 0;
};

class Consumer {
public:
    Consumer(const std::string& brokers, const std::string& group, Settings settings = {}) {
        settings.insert(settings.begin(), {{"group.id", group},
                                           {"auto.offset.reset", "earliest"},
                                           {"enable.auto.commit", "false"},
                                           {"heartbeat.interval.ms", "200"},
                                           {"session.timeout.ms", "6000"}});
        auto conf = conf_of(brokers, settings);
        std::string error;
        consumer_.reset(RdKafka::KafkaConsumer::create(conf.get(), error));
        EXPECT_TRUE(consumer_) << error;
    }
    ~Consumer() { close(); }

    void subscribe(const std::string& topic) {
        EXPECT_EQ(consumer_->subscribe({topic}), RdKafka::ERR_NO_ERROR);
    }
    void close() {
        if (consumer_) consumer_->close();
        consumer_.reset();
    }
    // The next record; nothing when none came for a while.
    std::unique_ptr<RdKafka::Message> poll() {
        std::unique_ptr<RdKafka::Message> message(consumer_->consume(kPollMs));
        if (message->err() != RdKafka::ERR_NO_ERROR) message.reset();
        return message;
    }
    std::vector<std::string> read(std::size_t count) {
        std::vector<std::string> values;
        for (int idle = 0; values.size() < count && idle < kPatiencePolls;) {
            if (const auto message = poll())
                values.emplace_back(static_cast<const char*>(message->payload()), message->len());
            else
                ++idle;
        }
        return values;
    }
    std::set<std::int32_t> assignment() const {
        std::vector<RdKafka::TopicPartition*> places;
        consumer_->assignment(places);
        std::set<std::int32_t> parts;
        for (const RdKafka::TopicPartition* place : places) parts.insert(place->partition());
        RdKafka::TopicPartition::destroy(places);
        return parts;
    }
    RdKafka::KafkaConsumer& raw() { return *consumer_; }

private:
    std::unique_ptr<RdKafka::KafkaConsumer> consumer_;
};

std::vector<std::string> numbers(std::size_t count) {
    std::vector<std::string> values;
    for (std::size_t i = 0; i < count; ++i) values.push_back(std::to_string(i));
    return values;
}

class RdKafkaTest : public ::testing::Test {
protected:
    TestWalrusd server_{::testing::UnitTest::GetInstance()->current_test_info()->name()};
};

TEST_F(RdKafkaTest, AnIdempotentProducerIsReadInOrder) {
    Producer producer(server_.kafka(), {{"enable.idempotence", "true"}, {"linger.ms", "1"}});
    const auto values = numbers(20'000);
    for (const std::string& value : values) producer.send("t", value);
    producer.flush();
    EXPECT_EQ(producer.delivered(), values.size());
    Consumer consumer(server_.kafka(), "g");
    consumer.subscribe("t");
    EXPECT_EQ(consumer.read(values.size()), values);
}

TEST_F(RdKafkaTest, EveryKindOfAcksAndEveryCompression) {
    for (const char* acks : {"0", "1", "all"}) {
        for (const char* codec : {"none", "gzip", "snappy", "lz4", "zstd"}) {
            const std::string topic = std::string("t-") + acks + "-" + codec;
            Producer producer(server_.kafka(), {{"acks", acks}, {"compression.codec", codec}});
            for (int i = 0; i < 300; ++i) producer.send(topic, std::to_string(i));
            producer.flush();
            Consumer consumer(server_.kafka(), "g");
            consumer.subscribe(topic);
            EXPECT_EQ(consumer.read(300), numbers(300)) << topic;
        }
    }
}

TEST_F(RdKafkaTest, LargeMessagesComeBackWhole) {
    Producer producer(server_.kafka(), {{"message.max.bytes", "1000000"}});
    std::vector<std::string> values;
    for (std::size_t i = 0; i < 12; ++i)
        values.push_back(std::string(900'000 + i, static_cast<char>('a' + i)));
    for (const std::string& value : values) producer.send("large", value);
    producer.flush();
    Consumer consumer(server_.kafka(), "g");
    consumer.subscribe("large");
    EXPECT_EQ(consumer.read(values.size()), values);
}

TEST_F(RdKafkaTest, OffsetsAreFoundByTime) {
    Producer producer(server_.kafka(), {{"batch.num.messages", "7"}});
    for (int i = 0; i < 100; ++i)
        producer.send("timed", std::to_string(i), 1'600'000'000'000 + i * 1000);
    producer.flush();
    Consumer consumer(server_.kafka(), "g");
    for (const auto& [time, offset] : {std::pair{std::int64_t{0}, std::int64_t{0}},
                                       {1'600'000'041'500, 42},
                                       {1'600'000'099'000, 99},
                                       {1'700'000'000'000, RdKafka::Topic::OFFSET_END}}) {
        std::vector<RdKafka::TopicPartition*> places = {
            RdKafka::TopicPartition::create("timed", 0, time)};
        EXPECT_EQ(consumer.raw().offsetsForTimes(places, 10'000), RdKafka::ERR_NO_ERROR);
        EXPECT_EQ(places[0]->offset(), offset) << time;
        RdKafka::TopicPartition::destroy(places);
    }
    std::int64_t low = -1;
    std::int64_t high = -1;
    EXPECT_EQ(consumer.raw().query_watermark_offsets("timed", 0, &low, &high, 10'000),
              RdKafka::ERR_NO_ERROR);
    EXPECT_EQ(low, 0);
    EXPECT_EQ(high, 100);
}

TEST_F(RdKafkaTest, AGroupGoesOnWhereItCommitted) {
    Producer producer(server_.kafka(), {});
    for (const std::string& value : numbers(100)) producer.send("t", value);
    producer.flush();
    {
        Consumer first(server_.kafka(), "g");
        first.subscribe("t");
        EXPECT_EQ(first.read(40).size(), 40u);
        EXPECT_EQ(first.raw().commitSync(), RdKafka::ERR_NO_ERROR);
        first.read(10);  // Not committed.
    }
    server_.end(SIGKILL);
    server_.start();
    Consumer second(server_.kafka(), "g");
    second.subscribe("t");
    const auto rest = second.read(60);
    ASSERT_EQ(rest.size(), 60u);
    EXPECT_EQ(rest.front(), "40");
    EXPECT_EQ(rest.back(), "99");
}

void create_topic(const std::string& brokers, const std::string& name, int partitions) {
    auto conf = conf_of(brokers, {});
    std::string error;
    std::unique_ptr<RdKafka::Producer> client(RdKafka::Producer::create(conf.get(), error));
    char text[512];
    rd_kafka_NewTopic_t* topic =
        rd_kafka_NewTopic_new(name.c_str(), partitions, 1, text, sizeof text);
    ASSERT_NE(topic, nullptr) << text;
    rd_kafka_queue_t* queue = rd_kafka_queue_new(client->c_ptr());
    rd_kafka_CreateTopics(client->c_ptr(), &topic, 1, nullptr, queue);
    rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 30'000);
    ASSERT_NE(event, nullptr);
    EXPECT_EQ(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy(topic);
    rd_kafka_queue_destroy(queue);
}

TEST_F(RdKafkaTest, MembersComeAndGoAndEveryPartitionHasOneReader) {
    create_topic(server_.kafka(), "spread", 6);
    std::vector<std::unique_ptr<Consumer>> members;
    const auto settle = [&] {
        for (int i = 0; i < kPatiencePolls; ++i) {
            std::set<std::int32_t> all;
            std::size_t sum = 0;
            bool every_one = true;
            for (const auto& member : members) {
                member->poll();
                const auto parts = member->assignment();
                all.insert(parts.begin(), parts.end());
                sum += parts.size();
                every_one = every_one && !parts.empty();
            }
            if (every_one && sum == 6 && all.size() == 6) return true;
        }
        return false;
    };
    for (int count = 1; count <= 3; ++count) {
        members.push_back(std::make_unique<Consumer>(server_.kafka(), "g"));
        members.back()->subscribe("spread");
        EXPECT_TRUE(settle()) << count << " members";
    }
    members.erase(members.begin());  // It leaves.
    EXPECT_TRUE(settle()) << "after one left";
    server_.end(SIGKILL);  // The members are unknown then, and join again.
    server_.start();
    EXPECT_TRUE(settle()) << "after the server came back";
}

TEST_F(RdKafkaTest, ATransactionalProducerIsToldAtOnce) {
    auto conf = conf_of(server_.kafka(), {{"transactional.id", "tx"}});
    std::string error;
    std::unique_ptr<RdKafka::Producer> producer(RdKafka::Producer::create(conf.get(), error));
    ASSERT_TRUE(producer) << error;
    std::unique_ptr<RdKafka::Error> refused(producer->init_transactions(30'000));
    ASSERT_TRUE(refused);
    EXPECT_NE(refused->code(), RdKafka::ERR__TIMED_OUT) << refused->str();
}

// Every record that was acknowledged is there once, though the server died under load, and in the
// order in which it was sent.
TEST_F(RdKafkaTest, KilledUnderLoadNothingIsLostOrDoubledForAnIdempotentProducer) {
    constexpr int kKills = 3;
    constexpr std::size_t kBetweenKills = 20'000;
    Producer producer(server_.kafka(), {{"enable.idempotence", "true"},
                                        {"linger.ms", "1"},
                                        {"batch.num.messages", "100"},
                                        {"message.timeout.ms", "60000"}});
    std::size_t sent = 0;
    for (int kill = 0; kill < kKills; ++kill) {
        const std::size_t goal = producer.delivered() + kBetweenKills;
        while (producer.delivered() < goal && !HasFatalFailure()) {
            // Never so many that the queue is full when the server is dead.
            if (sent - producer.delivered() > 5'000)
                producer.poll();
            else
                producer.send("t", std::to_string(sent++));
        }
        server_.end(SIGKILL);
        for (int i = 0; i < 500; ++i) producer.send("t", std::to_string(sent++));
        server_.start();
    }
    producer.flush();
    EXPECT_EQ(producer.failed(), 0u);
    EXPECT_EQ(producer.delivered(), sent);
    Consumer consumer(server_.kafka(), "g");
    consumer.subscribe("t");
    EXPECT_EQ(consumer.read(sent), numbers(sent));
    EXPECT_FALSE(consumer.poll()) << "and nothing more";
}

}  // namespace
}  // namespace walrus::node
