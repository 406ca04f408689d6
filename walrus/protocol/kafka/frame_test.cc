#include "walrus/protocol/kafka/frame.h"

#include <gtest/gtest.h>

#include "walrus/protocol/kafka/cluster_messages.h"
#include "walrus/protocol/kafka/error_code.h"
#include "walrus/protocol/kafka/group_messages.h"
#include "walrus/protocol/test_hex.h"

namespace walrus::protocol::kafka {
namespace {

RequestFrame parse(const std::string& frame) {
    const auto parsed = parse_request_frame(as_bytes(frame));
    EXPECT_TRUE(parsed) << parsed.error().to_string();
    return parsed.value_or(RequestFrame{});
}

// By hand from kafka.apache.org/protocol: size 0x1b | key 12 | version 0 | correlation 7 |
// "rdkafka" | group "g" | generation 3 | member "m".
constexpr std::string_view kHeartbeat =
    "0000001b 000c 0000 00000007 0007 72646b61666b61 0001 67 00000003 0001 6d";

std::string without_spaces(std::string_view hex) {
    return to_hex(from_hex(hex));
}

TEST(KafkaFrame, ARequestOfAnInflexibleVersionHasHeaderOne) {
    const HeartbeatRequest request{.group_id = "g", .generation_id = 3, .member_id = "m"};
    EXPECT_EQ(to_hex(encode_request({0, 7, "rdkafka"}, request)), without_spaces(kHeartbeat));

    const std::string bytes = from_hex(kHeartbeat).substr(4);
    const RequestFrame frame = parse(bytes);
    EXPECT_EQ(frame.support, Support::kSupported);
    EXPECT_EQ(frame.key(), ApiKey::kHeartbeat);
    EXPECT_EQ(frame.version, 0);
    EXPECT_EQ(frame.correlation_id, 7);
    EXPECT_EQ(frame.client_id, "rdkafka");
    const auto read = decode_request<HeartbeatRequest>(frame);
    ASSERT_TRUE(read) << read.error().to_string();
    EXPECT_EQ(read->group_id, "g");
    EXPECT_EQ(read->generation_id, 3);
    EXPECT_EQ(read->member_id, "m");
}

// By hand: header v2 has tagged fields behind a client_id that is not compact.
constexpr std::string_view kApiVersions3 =
    "00000017 0012 0003 00000001 0007 72646b61666b61 00 02 61 02 62 00";

TEST(KafkaFrame, ARequestOfAFlexibleVersionHasHeaderTwo) {
    const ApiVersionsRequest request{.client_software_name = "a", .client_software_version = "b"};
    EXPECT_EQ(to_hex(encode_request({3, 1, "rdkafka"}, request)), without_spaces(kApiVersions3));
    const std::string bytes = from_hex(kApiVersions3).substr(4);
    const auto read = decode_request<ApiVersionsRequest>(parse(bytes));
    ASSERT_TRUE(read) << read.error().to_string();
    EXPECT_EQ(read->client_software_name, "a");
    EXPECT_EQ(read->client_software_version, "b");
}

// One byte more, and librdkafka takes what follows for a length of gigabytes.
TEST(KafkaFrame, AnApiVersionsResponseAlwaysHasHeaderZero) {
    ApiVersionsResponse response{.api_keys = {{18, 0, 3}}};
    const std::string frame = encode_response(3, 1, response);
    EXPECT_EQ(to_hex(frame),
              without_spaces("00000013 00000001 0000 02 0012 0000 0003 00 00000000 00"));
    const auto read = decode_response<ApiVersionsResponse>(as_bytes(frame).subspan(4), {3, 1, {}});
    ASSERT_TRUE(read) << read.error().to_string();
    ASSERT_EQ(read->api_keys.size(), 1U);
    EXPECT_EQ(read->api_keys[0].key, 18);
}

// What librdkafka gets for version 3 from a server that does not have it: version 0, error 35.
TEST(KafkaFrame, AnUnknownVersionOfApiVersionsIsAnsweredInVersionZero) {
    const RequestFrame frame = parse(from_hex("0012 0009 00000001 0000 00 01 01 00"));
    EXPECT_EQ(frame.support, Support::kUnsupportedVersion);
    EXPECT_EQ(frame.key(), ApiKey::kApiVersions);
    const ApiVersionsResponse response{.error = ErrorCode::kUnsupportedVersion};
    EXPECT_EQ(to_hex(encode_response(0, frame.correlation_id, response)),
              without_spaces("0000000a 00000001 0023 00000000"));
}

TEST(KafkaFrame, UnknownApisAndVersionsAreToldApart) {
    EXPECT_EQ(parse(from_hex("0063 0000 00000001")).support, Support::kUnknownApi);
    EXPECT_EQ(parse(from_hex("ffff 0000 00000001")).support, Support::kUnknownApi);
    EXPECT_EQ(parse(from_hex("0000 0063 00000005")).support, Support::kUnsupportedVersion);
    const RequestFrame negative = parse(from_hex("0000 ffff 00000005"));
    EXPECT_EQ(negative.support, Support::kUnsupportedVersion);
    EXPECT_EQ(negative.correlation_id, 5);
}

TEST(KafkaFrame, AClientWithoutANameIsKnownAsOne) {
    EXPECT_EQ(parse(from_hex("0010 0000 00000001 ffff")).client_id, std::nullopt);
    EXPECT_EQ(parse(from_hex("0010 0000 00000001 0000")).client_id, "");
}

TEST(KafkaFrame, AMalformedHeaderIsRefused) {
    for (const char* hex : {"", "0012", "0012 0003 000000", "0010 0000 00000001",
                            "0010 0000 00000001 0005 61", "0012 0003 00000001 0000"}) {
        const std::string bytes = from_hex(hex);
        const auto frame = parse_request_frame(as_bytes(bytes));
        ASSERT_FALSE(frame) << hex;
        EXPECT_EQ(frame.error().code, Errc::kInvalidArgument) << hex;
    }
}

TEST(KafkaFrame, AResponseToAnotherRequestIsRefused) {
    const std::string frame = encode_response(0, 7, HeartbeatResponse{});
    const auto body = as_bytes(frame).subspan(4);
    EXPECT_TRUE(decode_response<HeartbeatResponse>(body, {0, 7, {}}));
    EXPECT_EQ(decode_response<HeartbeatResponse>(body, {0, 8, {}}).error().code,
              Errc::kInvalidArgument);
}

TEST(KafkaErrorCode, CodesHaveKafkasNumbersAndNames) {
    EXPECT_EQ(error_name(ErrorCode::kNone), "NONE");
    EXPECT_EQ(error_name(static_cast<ErrorCode>(1)), "OFFSET_OUT_OF_RANGE");
    EXPECT_EQ(error_name(static_cast<ErrorCode>(6)), "NOT_LEADER_OR_FOLLOWER");
    EXPECT_EQ(error_name(static_cast<ErrorCode>(27)), "REBALANCE_IN_PROGRESS");
    EXPECT_EQ(error_name(static_cast<ErrorCode>(35)), "UNSUPPORTED_VERSION");
    EXPECT_EQ(error_name(static_cast<ErrorCode>(45)), "OUT_OF_ORDER_SEQUENCE_NUMBER");
    EXPECT_EQ(error_name(static_cast<ErrorCode>(56)), "KAFKA_STORAGE_ERROR");
    EXPECT_EQ(error_name(static_cast<ErrorCode>(-1)), "UNKNOWN_SERVER_ERROR");
    EXPECT_EQ(error_name(static_cast<ErrorCode>(9999)), "UNKNOWN_CODE");
}

}  // namespace
}  // namespace walrus::protocol::kafka
