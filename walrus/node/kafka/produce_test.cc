#include <gtest/gtest.h>

#include "walrus/node/kafka/test_kafka.h"

namespace walrus::node::kafka {
namespace {

using wire::ProduceRequest;
using wire::ProduceResponse;

class ProduceTest : public ::testing::Test, protected KafkaFixture {
protected:
    ProduceTest() { create("t", 3); }

    ProduceRequest request(std::int32_t partition = 0) {
        return produce_request("t", partition, batch_);
    }
    static ErrorCode error_of(const ProduceResponse& response) {
        return response.topics.at(0).partitions.at(0).error;
    }

    std::string batch_ = batch_of({"one", "two"});
};

TEST_F(ProduceTest, EveryPartitionOfARequestIsAnswered) {
    const std::string other = batch_of({"three"});
    ProduceRequest asked = request();
    asked.topics = {{"t", {{0, as_bytes(batch_)}, {2, as_bytes(other)}}},
                    {"nothing", {{0, as_bytes(other)}}},
                    {"t", {{0, as_bytes(other)}, {9, as_bytes(other)}}}};
    for (std::int16_t version = 3; version <= 7; ++version) {
        const auto response = call<ProduceResponse>(version, asked);
        ASSERT_EQ(response.topics.size(), 3u);
        EXPECT_EQ(response.topics[0].name, "t");
        const std::int64_t before = (version - 3) * 3;
        EXPECT_EQ(response.topics[0].partitions[0].error, ErrorCode::kNone);
        EXPECT_EQ(response.topics[0].partitions[0].base_offset, before);
        EXPECT_EQ(response.topics[0].partitions[1].index, 2);
        EXPECT_EQ(response.topics[0].partitions[1].base_offset, version - 3);
        EXPECT_EQ(response.topics[1].partitions[0].error, ErrorCode::kUnknownTopicOrPartition);
        EXPECT_EQ(response.topics[2].partitions[0].base_offset, before + 2);
        EXPECT_EQ(response.topics[2].partitions[0].log_start_offset, version >= 5 ? 0 : -1);
        EXPECT_EQ(response.topics[2].partitions[1].error, ErrorCode::kUnknownTopicOrPartition);
    }
}

TEST_F(ProduceTest, AnAnswerWaitsForTheLastPartition) {
    broker.find("t", 0)->hold_appends = true;
    ProduceRequest asked = request();
    asked.topics[0].partitions.push_back({1, as_bytes(batch_)});
    const std::uint64_t number = ask(7, asked);
    EXPECT_FALSE(answered(number));
    broker.find("t", 0)->release();
    EXPECT_EQ(reply<ProduceResponse>(7, number).topics[0].partitions.size(), 2u);
}

TEST_F(ProduceTest, RequestsInHandDoNotDisturbEachOther) {
    for (std::int32_t i = 0; i < 3; ++i) broker.find("t", i)->hold_appends = true;
    std::vector<std::uint64_t> numbers;
    for (int round = 0; round < 4; ++round)
        for (std::int32_t i = 0; i < 3; ++i) numbers.push_back(ask(7, request(i)));
    for (const std::int32_t i : {2, 0, 1}) broker.find("t", i)->release();
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const auto response = reply<ProduceResponse>(7, numbers[i]);
        EXPECT_EQ(response.topics[0].partitions[0].index, static_cast<std::int32_t>(i % 3));
        EXPECT_EQ(response.topics[0].partitions[0].base_offset,
                  static_cast<std::int64_t>(i / 3) * 2);
    }
}

TEST_F(ProduceTest, AcksAreWhatTheClientAskedFor) {
    ProduceRequest asked = request();
    asked.acks = 1;
    call<ProduceResponse>(7, asked);
    EXPECT_EQ(broker.find("t", 0)->last_acks, broker::Acks::kLeader);
    asked.acks = -1;
    call<ProduceResponse>(7, asked);
    EXPECT_EQ(broker.find("t", 0)->last_acks, broker::Acks::kAll);
}

TEST_F(ProduceTest, AcksZeroHasNoReplyAndAnErrorClosesTheConnection) {
    ProduceRequest asked = request();
    asked.acks = 0;
    const std::uint64_t good = ask(7, asked);
    ASSERT_TRUE(answered(good));
    EXPECT_TRUE(replies->sent[good]->bytes.empty());
    EXPECT_FALSE(closed(good));
    EXPECT_EQ(broker.find("t", 0)->info().log_end_offset, Offset{2});
    asked.topics[0].name = "nothing";
    EXPECT_TRUE(closed(ask(7, asked)));
}

TEST_F(ProduceTest, ADuplicateIsASuccessThatSaysWhereItIs) {
    broker.find("t", 0)->next_outcome = broker::AppendOutcome::kDuplicate;
    EXPECT_EQ(error_of(call<ProduceResponse>(7, request())), ErrorCode::kNone);
    broker.find("t", 0)->next_outcome = broker::AppendOutcome::kOutOfOrderSequence;
    EXPECT_EQ(error_of(call<ProduceResponse>(7, request())), ErrorCode::kOutOfOrderSequenceNumber);
}

// --- error paths ---

TEST_F(ProduceTest, WhatIsNoBatchIsRefused) {
    std::string wrong_crc = batch_;
    wrong_crc.back() ^= 1;
    EXPECT_EQ(error_of(call<ProduceResponse>(7, produce_request("t", 0, wrong_crc))),
              ErrorCode::kCorruptMessage);
    EXPECT_EQ(error_of(call<ProduceResponse>(7, produce_request("t", 0, batch_ + batch_))),
              ErrorCode::kInvalidRecord);
    EXPECT_EQ(error_of(call<ProduceResponse>(7, produce_request("t", 0, ""))),
              ErrorCode::kCorruptMessage);
    std::string old_magic = batch_;
    old_magic[16] = 1;
    EXPECT_EQ(error_of(call<ProduceResponse>(7, produce_request("t", 0, old_magic))),
              ErrorCode::kUnsupportedForMessageFormat);
    ProduceRequest null_records = request();
    null_records.topics[0].partitions[0].records.reset();
    EXPECT_EQ(error_of(call<ProduceResponse>(7, null_records)), ErrorCode::kInvalidRecord);
    EXPECT_EQ(broker.find("t", 0)->info().log_end_offset, Offset{0});
}

TEST_F(ProduceTest, WhatWeDoNotHaveIsRefused) {
    ProduceRequest asked = request();
    asked.acks = 2;
    EXPECT_EQ(error_of(call<ProduceResponse>(7, asked)), ErrorCode::kInvalidRequiredAcks);
    asked = request();
    asked.transactional_id = "tx";
    EXPECT_EQ(error_of(call<ProduceResponse>(7, asked)),
              ErrorCode::kTransactionalIdAuthorizationFailed);
    for (std::int16_t old = 0; old <= 2; ++old)
        EXPECT_EQ(error_of(call<ProduceResponse>(old, request())), ErrorCode::kUnsupportedVersion);
}

TEST_F(ProduceTest, AFullDiskIsNamed) {
    broker.find("t", 0)->next_outcome = broker::AppendOutcome::kFailed;
    broker.find("t", 0)->next_status = Error{Errc::kNoSpace, "full"};
    EXPECT_EQ(error_of(call<ProduceResponse>(7, request())), ErrorCode::kKafkaStorageError);
}

TEST_F(ProduceTest, AnAppendThatTakesTooLongIsAnsweredAndItsEndIsIgnored) {
    broker.find("t", 0)->hold_appends = true;
    ProduceRequest asked = request();
    asked.timeout_ms = 2000;
    asked.topics[0].partitions.push_back({1, as_bytes(batch_)});
    const std::uint64_t number = ask(7, asked);
    loop.advance_ms(1900);
    EXPECT_FALSE(answered(number));
    loop.advance_ms(700);
    const auto response = reply<ProduceResponse>(7, number);
    EXPECT_EQ(response.topics[0].partitions[0].error, ErrorCode::kRequestTimedOut);
    EXPECT_EQ(response.topics[0].partitions[1].error, ErrorCode::kNone);
    broker.find("t", 0)->release();
    broker.find("t", 0)->hold_appends = false;
    EXPECT_EQ(error_of(call<ProduceResponse>(7, request())), ErrorCode::kNone);
    loop.advance_ms(2000);
    EXPECT_EQ(loop.timers(), 0u) << "no clock runs while nobody waits";
}

TEST_F(ProduceTest, AConnectionThatEndsLeavesItsAppendsAlone) {
    broker.find("t", 0)->hold_appends = true;
    const std::uint64_t number = ask(7, request());
    handler.reset();
    broker.find("t", 0)->release();
    EXPECT_TRUE(answered(number)) << "what is sent then is the connection's to drop";
}

}  // namespace
}  // namespace walrus::node::kafka
