// Every request in every version, in the bytes of Kafka's own client library
// (protocol/testdata/kafka_clients.txt), is answered with something that its client can read.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "walrus/node/kafka/test_kafka.h"

namespace walrus::node::kafka {
namespace {

using namespace wire;

std::string from_hex(const std::string& hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return bytes;
}

template <class Response>
bool is_response(std::string_view frame, std::int16_t version, std::int32_t correlation_id) {
    const auto response =
        decode_response<Response>(as_bytes(frame).subspan(4), {version, correlation_id, {}});
    EXPECT_TRUE(response) << response.error().to_string();
    return response.has_value();
}

bool can_be_read(ApiKey key, std::string_view frame, std::int16_t version, std::int32_t id) {
    switch (key) {
        case ApiKey::kProduce: return is_response<ProduceResponse>(frame, version, id);
        case ApiKey::kFetch: return is_response<FetchResponse>(frame, version, id);
        case ApiKey::kListOffsets: return is_response<ListOffsetsResponse>(frame, version, id);
        case ApiKey::kMetadata: return is_response<MetadataResponse>(frame, version, id);
        case ApiKey::kOffsetCommit: return is_response<OffsetCommitResponse>(frame, version, id);
        case ApiKey::kOffsetFetch: return is_response<OffsetFetchResponse>(frame, version, id);
        case ApiKey::kFindCoordinator:
            return is_response<FindCoordinatorResponse>(frame, version, id);
        case ApiKey::kJoinGroup: return is_response<JoinGroupResponse>(frame, version, id);
        case ApiKey::kHeartbeat: return is_response<HeartbeatResponse>(frame, version, id);
        case ApiKey::kLeaveGroup: return is_response<LeaveGroupResponse>(frame, version, id);
        case ApiKey::kSyncGroup: return is_response<SyncGroupResponse>(frame, version, id);
        case ApiKey::kDescribeGroups:
            return is_response<DescribeGroupsResponse>(frame, version, id);
        case ApiKey::kListGroups: return is_response<ListGroupsResponse>(frame, version, id);
        case ApiKey::kApiVersions: return is_response<ApiVersionsResponse>(frame, version, id);
        case ApiKey::kCreateTopics: return is_response<CreateTopicsResponse>(frame, version, id);
        case ApiKey::kDeleteTopics: return is_response<DeleteTopicsResponse>(frame, version, id);
        case ApiKey::kDeleteRecords: return is_response<DeleteRecordsResponse>(frame, version, id);
        case ApiKey::kInitProducerId:
            return is_response<InitProducerIdResponse>(frame, version, id);
        case ApiKey::kOffsetForLeaderEpoch:
            return is_response<OffsetForLeaderEpochResponse>(frame, version, id);
        case ApiKey::kDescribeConfigs:
            return is_response<DescribeConfigsResponse>(frame, version, id);
    }
    return false;
}

TEST(GoldenRequests, EachIsAnsweredWithAResponseOfItsVersion) {
    std::ifstream file(WALRUS_KAFKA_VECTORS);
    std::size_t requests = 0;
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string direction;
        std::string kind;
        std::string hex;
        int key = 0;
        std::int16_t version = 0;
        words >> direction >> key >> version >> kind >> hex;
        if (direction != "request") continue;
        SCOPED_TRACE(line.substr(0, 40));
        KafkaFixture kafka;
        const auto api = static_cast<ApiKey>(key);
        std::string frame = begin_request(api, {version, 7, "golden"});
        if (hex != "-") frame += from_hex(hex);
        const std::uint64_t number = kafka.send(as_bytes(frame).subspan(4));
        kafka.loop.advance_ms(200'000);  // Whatever it waits for.
        ASSERT_TRUE(kafka.answered(number));
        EXPECT_FALSE(kafka.closed(number));
        EXPECT_TRUE(can_be_read(api, kafka.replies->sent[number]->bytes, version, 7));
        ++requests;
    }
    std::size_t expected = 0;
    for (const Api& api : kApis) expected += 2 * static_cast<std::size_t>(api.max_version + 1);
    EXPECT_EQ(requests, expected);
}

}  // namespace
}  // namespace walrus::node::kafka
