#include <gtest/gtest.h>

#include "walrus/node/kafka/fetch_reply.h"
#include "walrus/node/kafka/test_kafka.h"
#include "walrus/protocol/record_reader.h"

namespace walrus::node::kafka {
namespace {

using wire::FetchPartitionResponse;
using wire::FetchRequest;
using wire::FetchResponse;

class FetchTest : public ::testing::Test, protected KafkaFixture {
protected:
    FetchTest() { create("t", 3); }

    FetchResponse fetch(const FetchRequest& request, std::int16_t version = 11) {
        return call<FetchResponse>(version, request);
    }
    static const FetchPartitionResponse& part(const FetchResponse& response, std::size_t i = 0) {
        return response.topics.at(0).partitions.at(i);
    }
    static std::vector<std::string> values(const FetchPartitionResponse& part) {
        std::vector<std::string> all;
        for (Bytes left = part.records.value_or(Bytes{}); !left.empty();) {
            const auto batch = protocol::RecordBatchView::parse(left);
            if (!batch || !batch->verify()) {
                ADD_FAILURE() << "no batch";
                break;
            }
            left = left.subspan(batch->size_bytes());
            auto reader = protocol::RecordReader::open(*batch);
            protocol::Record record;
            while (reader->next(record).value_or(false)) all.emplace_back(as_text(*record.value));
        }
        return all;
    }
    using Values = std::vector<std::string>;
};

TEST_F(FetchTest, RecordsAreThoseThatWereProduced) {
    produce("t", {"a", "b"});
    produce("t", {"c"});
    for (std::int16_t version = 4; version <= 11; ++version) {
        const FetchResponse response = fetch(fetch_request("t", 0), version);
        EXPECT_EQ(values(part(response)), (Values{"a", "b", "c"})) << version;
        EXPECT_EQ(part(response).high_watermark, 3) << "the next offset";
        EXPECT_EQ(part(response).last_stable_offset, 3);
        EXPECT_EQ(part(response).log_start_offset, version >= 5 ? 0 : -1);
        EXPECT_EQ(response.session_id, 0);
    }
    EXPECT_GT(replies->pieces, 0u) << "records are not copied into the reply";
}

TEST_F(FetchTest, AnOffsetInsideABatchGivesTheWholeBatch) {
    produce("t", {"a", "b", "c"});
    const FetchResponse response = fetch(fetch_request("t", 2));
    EXPECT_EQ(values(part(response)), (Values{"a", "b", "c"}));
}

TEST_F(FetchTest, TheBytesOfAllPartitionsAreLimitedTogetherAndTheFirstBatchIsGivenAlways) {
    const std::string long_text(1000, 'x');
    for (std::int32_t i = 0; i < 3; ++i) {
        const std::string batch = batch_of({long_text});
        call<wire::ProduceResponse>(7, produce_request("t", i, batch));
        call<wire::ProduceResponse>(7, produce_request("t", i, batch));
    }
    FetchRequest request{.max_wait_ms = 0, .min_bytes = 1, .max_bytes = 2500};
    request.topics = {{"t",
                       {{.index = 2, .max_bytes = 10},
                        {.index = 0, .max_bytes = 1 << 20},
                        {.index = 1, .max_bytes = 1 << 20}}}};
    FetchResponse response = fetch(request);
    EXPECT_EQ(values(part(response, 0)).size(), 1u) << "more than its own limit, but a batch";
    EXPECT_EQ(values(part(response, 1)).size(), 1u);
    EXPECT_EQ(values(part(response, 2)).size(), 1u);
    request.max_bytes = 0;
    response = fetch(request);
    EXPECT_EQ(values(part(response, 0)).size(), 1u);
    EXPECT_TRUE(values(part(response, 1)).empty());
    EXPECT_EQ(part(response, 1).high_watermark, 2) << "who gets nothing still learns the end";
}

// --- waiting ---

TEST_F(FetchTest, AtTheEndARequestWaitsForTheNextRecord) {
    FetchRequest request = fetch_request("t", 0);
    request.max_wait_ms = 500;
    const std::uint64_t number = ask(11, request);
    EXPECT_FALSE(answered(number));
    EXPECT_EQ(service->counters().waiting_fetches, 1u);
    produce("t", {"late"});
    EXPECT_EQ(values(part(reply<FetchResponse>(11, number))), Values{"late"});
    EXPECT_EQ(service->counters().waiting_fetches, 0u);
    EXPECT_EQ(broker.find("t", 0)->watches(), 0u);
}

TEST_F(FetchTest, AnyOfThePartitionsEndsTheWait) {
    FetchRequest request{.max_wait_ms = 500, .min_bytes = 1};
    request.topics = {{"t",
                       {{.index = 0, .max_bytes = 1000},
                        {.index = 1, .max_bytes = 1000},
                        {.index = 2, .max_bytes = 1000}}}};
    const std::uint64_t number = ask(11, request);
    const std::string batch = batch_of({"x"});
    call<wire::ProduceResponse>(7, produce_request("t", 1, batch));
    const auto response = reply<FetchResponse>(11, number);
    EXPECT_TRUE(values(part(response, 0)).empty());
    EXPECT_EQ(values(part(response, 1)), Values{"x"});
    for (std::int32_t i = 0; i < 3; ++i) EXPECT_EQ(broker.find("t", i)->watches(), 0u);
}

TEST_F(FetchTest, WhenTheTimeIsOverTheAnswerIsEmpty) {
    FetchRequest request = fetch_request("t", 0);
    request.max_wait_ms = 500;
    const std::uint64_t number = ask(11, request);
    loop.advance_ms(499);
    EXPECT_FALSE(answered(number));
    loop.advance_ms(1);
    const auto response = reply<FetchResponse>(11, number);
    EXPECT_EQ(part(response).error, ErrorCode::kNone);
    EXPECT_TRUE(values(part(response)).empty());
    EXPECT_EQ(broker.find("t", 0)->watches(), 0u);
    EXPECT_EQ(loop.timers(), 0u);
}

TEST_F(FetchTest, MinBytesAreWaitedForAndWhatIsThereComesWhenTheTimeIsOver) {
    produce("t", {"a"});
    FetchRequest request = fetch_request("t", 0);
    request.max_wait_ms = 500;
    request.min_bytes = 180;
    const std::uint64_t first = ask(11, request);
    EXPECT_FALSE(answered(first));
    produce("t", {"b"});
    EXPECT_FALSE(answered(first));
    produce("t", {"c"});
    EXPECT_EQ(values(part(reply<FetchResponse>(11, first))), (Values{"a", "b", "c"}));
    request.min_bytes = 1 << 20;
    const std::uint64_t second = ask(11, request);
    loop.advance_ms(500);
    EXPECT_EQ(values(part(reply<FetchResponse>(11, second))), (Values{"a", "b", "c"}));
}

TEST_F(FetchTest, AnErrorDoesNotWait) {
    FetchRequest request = fetch_request("t", 0);
    request.max_wait_ms = 500;
    request.topics.push_back({"nothing", {{.max_bytes = 1000}}});
    const std::uint64_t number = ask(11, request);
    const auto response = reply<FetchResponse>(11, number);
    EXPECT_EQ(part(response).error, ErrorCode::kNone);
    EXPECT_EQ(response.topics[1].partitions[0].error, ErrorCode::kUnknownTopicOrPartition);
}

TEST_F(FetchTest, ADeletedTopicEndsTheWait) {
    FetchRequest request = fetch_request("t", 0);
    request.max_wait_ms = 500;
    const std::uint64_t number = ask(11, request);
    broker.delete_topic("t", [](const Status& status) { EXPECT_TRUE(status); });
    EXPECT_EQ(part(reply<FetchResponse>(11, number)).error, ErrorCode::kUnknownTopicOrPartition);
}

TEST_F(FetchTest, AClientThatEndsItsSideIsAnsweredNow) {
    FetchRequest request = fetch_request("t", 0);
    request.max_wait_ms = 500;
    const std::uint64_t number = ask(11, request);
    handler->on_input_end();
    EXPECT_TRUE(answered(number));
    EXPECT_EQ(loop.timers(), 0u);
}

TEST_F(FetchTest, AConnectionThatIsGoneLeavesNothingBehind) {
    FetchRequest request = fetch_request("t", 0);
    request.max_wait_ms = 500;
    ask(11, request);
    broker.find("t", 1)->hold_fetches = true;
    produce("t", {"x"});
    request.topics[0].partitions[0].index = 1;
    ask(11, request);
    handler.reset();
    broker.find("t", 1)->release();
    EXPECT_EQ(service->counters().waiting_fetches, 0u);
    EXPECT_EQ(broker.find("t", 0)->watches(), 0u);
    loop.advance_ms(1000);
    EXPECT_EQ(loop.timers(), 0u);
}

TEST_F(FetchTest, AReadThatComesLaterIsAnsweredThen) {
    produce("t", {"a"});
    broker.find("t", 0)->hold_fetches = true;
    FetchRequest request = fetch_request("t", 0);
    request.topics[0].partitions.push_back({.index = 1, .max_bytes = 1000});
    const std::uint64_t number = ask(11, request);
    EXPECT_FALSE(answered(number));
    broker.find("t", 0)->release();
    EXPECT_EQ(values(part(reply<FetchResponse>(11, number))), Values{"a"});
}

TEST_F(FetchTest, ALongPollReservesWhatItMayGet) {
    FetchRequest request = fetch_request("t", 0);
    request.max_wait_ms = 500;
    request.max_bytes = 1'000'000;
    ask(11, request);
    EXPECT_EQ(replies->reserved, 1'000'000u);
}

// --- error paths ---

TEST_F(FetchTest, OffsetsOutsideOfTheLogAreNamed) {
    produce("t", {"a", "b"});
    EXPECT_EQ(part(fetch(fetch_request("t", 3))).error, ErrorCode::kOffsetOutOfRange);
    EXPECT_EQ(part(fetch(fetch_request("t", -5))).error, ErrorCode::kOffsetOutOfRange);
    EXPECT_EQ(part(fetch(fetch_request("t", 2))).error, ErrorCode::kNone) << "the end is none";
}

TEST_F(FetchTest, LeaderEpochsAreCompared) {
    FetchRequest request = fetch_request("t", 0);
    for (const auto& [epoch, error] :
         {std::pair{2, ErrorCode::kFencedLeaderEpoch}, std::pair{3, ErrorCode::kNone},
          std::pair{4, ErrorCode::kUnknownLeaderEpoch}, std::pair{-1, ErrorCode::kNone}}) {
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        EXPECT_EQ(part(fetch(request)).error, error) << epoch;
    }
}

TEST_F(FetchTest, SessionsAndOldVersionsAreRefused) {
    FetchRequest request = fetch_request("t", 0);
    request.session_id = 5;
    request.session_epoch = 1;
    EXPECT_EQ(fetch(request).error, ErrorCode::kFetchSessionIdNotFound);
    for (std::int16_t old = 0; old <= 3; ++old)
        EXPECT_EQ(part(fetch(fetch_request("t", 0), old)).error, ErrorCode::kUnsupportedVersion);
}

// --- the reply's bytes ---

TEST(FetchReply, ItsBytesAreThoseOfTheWholeResponse) {
    const std::string first = "first batch";
    const std::string second = "second batch";
    for (std::int16_t version = 4; version <= 11; ++version) {
        for (const bool with_records : {true, false}) {
            FetchResponse response{.throttle_time_ms = 1};
            response.topics = {{"a", {{.index = 1}, {.index = 2}}}, {"b", {{.index = 3}}}};
            std::vector<FetchPart> parts(3);
            for (std::size_t i = 0; i < 3; ++i)
                parts[i].head = {.index = static_cast<std::int32_t>(i + 1),
                                 .high_watermark = 7,
                                 .last_stable_offset = 7,
                                 .log_start_offset = 1};
            const std::string joined = first + second;
            if (with_records) {
                parts[0].pieces = {as_bytes(first), as_bytes(second)};
                parts[0].size_bytes = joined.size();
                parts[2].pieces = {as_bytes(second)};
                parts[2].size_bytes = second.size();
            }
            FetchResponse whole = response;
            for (std::size_t i = 0; i < 3; ++i) {
                FetchPartitionResponse& part = whole.topics[i / 2].partitions[i % 2];
                part = parts[i].head;
                part.records = Bytes{};
            }
            if (with_records) {
                whole.topics[0].partitions[0].records = as_bytes(joined);
                whole.topics[1].partitions[0].records = as_bytes(second);
            }
            const net::Reply reply = encode_fetch_reply(version, 42, response, parts);
            std::string bytes = reply.head;
            for (const Bytes piece : reply.pieces) bytes += as_text(piece);
            EXPECT_EQ(bytes, wire::encode_response(version, 42, whole)) << version;
        }
    }
}

}  // namespace
}  // namespace walrus::node::kafka
