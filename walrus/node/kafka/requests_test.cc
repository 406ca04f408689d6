// Every request but Produce and Fetch.
#include <gtest/gtest.h>

#include "walrus/node/kafka/test_kafka.h"

namespace walrus::node::kafka {
namespace {

using namespace wire;

class RequestsTest : public ::testing::Test, protected KafkaFixture {
protected:
    RequestsTest() { create("t", 2); }

    // Joins the group "g" alone and leads it.
    JoinGroupResponse join(std::int16_t version = 5) {
        JoinGroupRequest request{.group_id = "g",
                                 .session_timeout_ms = 10'000,
                                 .rebalance_timeout_ms = 60'000,
                                 .protocol_type = "consumer"};
        request.protocols = {{"range", as_bytes("subscription")}};
        if (version >= 4) {
            const auto first = call<JoinGroupResponse>(version, request);
            EXPECT_EQ(first.error, ErrorCode::kMemberIdRequired);
            request.member_id = first.member_id;
        }
        const std::uint64_t number = ask(version, request);
        loop.advance_ms(500);
        return reply<JoinGroupResponse>(version, number);
    }
    SyncGroupResponse sync(const JoinGroupResponse& joined) {
        SyncGroupRequest request{
            .group_id = "g", .generation_id = joined.generation_id, .member_id = joined.member_id};
        request.assignments = {{joined.member_id, as_bytes("everything")}};
        return call<SyncGroupResponse>(3, request);
    }
    OffsetCommitRequest commit_request(std::int64_t offset) {
        OffsetCommitRequest request{.group_id = "g"};
        request.topics = {{"t", {{.index = 1, .committed_offset = offset, .metadata = "note"}}}};
        return request;
    }
};

// --- what a client asks first ---

TEST_F(RequestsTest, EveryVersionThatIsOfferedBeginsAtZero) {
    for (std::int16_t version = 0; version <= 3; ++version) {
        const auto response = call<ApiVersionsResponse>(version, ApiVersionsRequest{});
        EXPECT_EQ(response.error, ErrorCode::kNone);
        EXPECT_EQ(response.api_keys.size(), kApis.size());
        for (const ApiVersionRange& range : response.api_keys) {
            EXPECT_EQ(range.min_version, 0);
            EXPECT_EQ(range.max_version, find_api(range.key)->max_version);
        }
    }
}

TEST_F(RequestsTest, AnUnknownVersionOfApiVersionsIsAnsweredInVersionZero) {
    std::string frame = encode_request({3, correlation(0), "x"}, ApiVersionsRequest{});
    frame[7] = 4;  // Its version.
    const std::uint64_t number = send(as_bytes(frame).subspan(4));
    const auto response = reply<ApiVersionsResponse>(0, number);
    EXPECT_EQ(response.error, ErrorCode::kUnsupportedVersion);
    EXPECT_FALSE(response.api_keys.empty());
    EXPECT_FALSE(closed(number));
}

TEST_F(RequestsTest, MetadataTellsWhereEveryPartitionIs) {
    for (std::int16_t version = 0; version <= 8; ++version) {
        MetadataRequest request;
        request.topics = {{{"t"}}};
        const auto response = call<MetadataResponse>(version, request);
        ASSERT_EQ(response.brokers.size(), 1u);
        EXPECT_EQ(response.brokers[0].host, "walrus.test");
        EXPECT_EQ(response.brokers[0].port, 9092);
        ASSERT_EQ(response.topics.size(), 1u);
        ASSERT_EQ(response.topics[0].partitions.size(), 2u);
        const MetadataPartition& part = response.topics[0].partitions[1];
        EXPECT_EQ(part.index, 1);
        EXPECT_EQ(part.leader_id, 1);
        EXPECT_EQ(part.replica_nodes, std::vector<std::int32_t>{1});
        EXPECT_EQ(part.leader_epoch, version >= 7 ? 3 : -1);
        EXPECT_EQ(response.controller_id, version >= 1 ? 1 : -1);
        EXPECT_EQ(response.cluster_id.value_or(""), version >= 2 ? "memory" : "");
    }
}

TEST_F(RequestsTest, NullMeansAllTopicsAndNoneMeansNoneButNotInVersionZero) {
    create("u");
    MetadataRequest all;
    EXPECT_EQ(call<MetadataResponse>(1, all).topics.size(), 2u);
    MetadataRequest none;
    none.topics.emplace();
    EXPECT_EQ(call<MetadataResponse>(1, none).topics.size(), 0u);
    EXPECT_EQ(call<MetadataResponse>(0, none).topics.size(), 2u);
}

TEST_F(RequestsTest, ATopicIsMadeWhenAProducerAsksForIt) {
    MetadataRequest request;
    request.topics = {{{"new"}, {"bad/name"}, {"new"}}};
    request.allow_auto_topic_creation = false;
    auto response = call<MetadataResponse>(4, request);
    ASSERT_EQ(response.topics.size(), 2u) << "each once";
    EXPECT_EQ(response.topics[0].error, ErrorCode::kInvalidTopicException);
    EXPECT_EQ(response.topics[1].error, ErrorCode::kUnknownTopicOrPartition);
    request.allow_auto_topic_creation = true;
    response = call<MetadataResponse>(4, request);
    EXPECT_EQ(response.topics[1].error, ErrorCode::kNone);
    EXPECT_EQ(response.topics[1].partitions.size(), 1u);
    broker.create_error = Error{Errc::kNoSpace, "full"};
    request.topics = {{{"other"}}};
    EXPECT_EQ(call<MetadataResponse>(4, request).topics[0].error, ErrorCode::kKafkaStorageError);
}

TEST(Requests, NoTopicIsMadeWhenThatIsSwitchedOff) {
    KafkaFixture kafka({.auto_create_topics = false});
    MetadataRequest request;
    request.topics = {{{"new"}}};
    EXPECT_EQ(kafka.call<MetadataResponse>(4, request).topics[0].error,
              ErrorCode::kUnknownTopicOrPartition);
}

TEST_F(RequestsTest, ProducersGetNumbersAndTransactionsAreRefusedForGood) {
    const auto first = call<InitProducerIdResponse>(1, InitProducerIdRequest{});
    const auto second = call<InitProducerIdResponse>(0, InitProducerIdRequest{});
    EXPECT_EQ(first.error, ErrorCode::kNone);
    EXPECT_EQ(first.producer_epoch, 0);
    EXPECT_NE(first.producer_id, second.producer_id);
    EXPECT_EQ(
        call<InitProducerIdResponse>(1, InitProducerIdRequest{.transactional_id = "tx"}).error,
        ErrorCode::kTransactionalIdAuthorizationFailed);
    const auto found =
        call<FindCoordinatorResponse>(2, FindCoordinatorRequest{.key = "tx", .key_type = 1});
    EXPECT_EQ(found.error, ErrorCode::kTransactionalIdAuthorizationFailed);
    EXPECT_TRUE(found.error_message);
}

TEST_F(RequestsTest, TheCoordinatorOfAGroupIsThisBroker) {
    for (std::int16_t version = 0; version <= 2; ++version) {
        const auto found =
            call<FindCoordinatorResponse>(version, FindCoordinatorRequest{.key = "g"});
        EXPECT_EQ(found.error, ErrorCode::kNone);
        EXPECT_EQ(found.node_id, 1);
        EXPECT_EQ(found.host, "walrus.test");
        EXPECT_EQ(found.port, 9092);
    }
}

TEST_F(RequestsTest, TheCoordinatorOfAGroupIsTheControllerOfACluster) {
    broker.described.brokers.push_back({.id = 2, .kafka_host = "other.test", .kafka_port = 9093});
    broker.described.controller = 2;
    const FindCoordinatorRequest request{.key = "g"};
    EXPECT_EQ(call<FindCoordinatorResponse>(2, request).node_id, 2);
    EXPECT_EQ(call<FindCoordinatorResponse>(2, request).port, 9093);
    broker.described.controller = -1;
    EXPECT_EQ(call<FindCoordinatorResponse>(2, request).error, ErrorCode::kCoordinatorNotAvailable);
}

// --- where a partition begins and ends ---

TEST_F(RequestsTest, OffsetsAreListedByEndAndByTime) {
    produce("t", {"a", "b", "c"}, 1000);  // At 1000, 1001, 1002.
    produce("t", {"d"}, 5000);
    const auto at = [&](std::int64_t time, std::int16_t version = 5) {
        ListOffsetsRequest request;
        request.topics = {{"t", {{.timestamp = time}}}};
        return call<ListOffsetsResponse>(version, request).topics.at(0).partitions.at(0);
    };
    EXPECT_EQ(at(-1).offset, 4);
    EXPECT_EQ(at(-2).offset, 0);
    EXPECT_EQ(at(-1).leader_epoch, 3);
    EXPECT_EQ(at(0).offset, 0);
    EXPECT_EQ(at(1001).offset, 1) << "the record, not its batch";
    EXPECT_EQ(at(1001).timestamp, 1001);
    EXPECT_EQ(at(1003).offset, 3);
    EXPECT_EQ(at(1003).timestamp, 5000);
    EXPECT_EQ(at(5001).offset, -1) << "there is none";
    EXPECT_EQ(at(5001).error, ErrorCode::kNone);
    EXPECT_EQ(at(-3).error, ErrorCode::kInvalidRequest);
    EXPECT_EQ(at(-1, 0).old_style_offsets, std::vector<std::int64_t>{4});
    EXPECT_EQ(at(-1, 1).offset, 4);
}

TEST_F(RequestsTest, WhereNothingIsThereIsNoOffset) {
    ListOffsetsRequest request;
    request.topics = {{"t", {{.index = 7, .timestamp = -1}}}, {"u", {{.timestamp = 5}}}};
    const auto response = call<ListOffsetsResponse>(5, request);
    EXPECT_EQ(response.topics[0].partitions[0].error, ErrorCode::kUnknownTopicOrPartition);
    EXPECT_EQ(response.topics[1].partitions[0].error, ErrorCode::kUnknownTopicOrPartition);
    request.topics = {{"t", {{.current_leader_epoch = 2, .timestamp = -1}}}};
    EXPECT_EQ(call<ListOffsetsResponse>(5, request).topics[0].partitions[0].error,
              ErrorCode::kFencedLeaderEpoch);
}

TEST_F(RequestsTest, AnEpochEndsWhereTheLogDoes) {
    produce("t", {"a", "b"});
    const auto end = [&](std::int32_t epoch) {
        OffsetForLeaderEpochRequest request;
        request.topics = {{"t", {{.leader_epoch = epoch}}}};
        return call<OffsetForLeaderEpochResponse>(3, request).topics.at(0).partitions.at(0);
    };
    EXPECT_EQ(end(3).end_offset, 2);
    EXPECT_EQ(end(2).end_offset, 2);
    EXPECT_EQ(end(2).leader_epoch, 2);
    EXPECT_EQ(end(4).end_offset, -1);
    EXPECT_EQ(end(4).leader_epoch, -1);
}

TEST_F(RequestsTest, RecordsAreDeletedUpToAnOffset) {
    produce("t", {"a"});
    produce("t", {"b"});
    const auto remove = [&](std::int64_t offset) {
        DeleteRecordsRequest request;
        request.topics = {{"t", {{.offset = offset}}}};
        return call<DeleteRecordsResponse>(1, request).topics.at(0).partitions.at(0);
    };
    EXPECT_EQ(remove(1).low_watermark, 1);
    EXPECT_EQ(remove(3).error, ErrorCode::kOffsetOutOfRange);
    EXPECT_EQ(remove(-2).error, ErrorCode::kOffsetOutOfRange);
    EXPECT_EQ(remove(-1).low_watermark, 2);
}

// --- topics ---

TEST_F(RequestsTest, TopicsAreMadeAsAsked) {
    CreateTopicsRequest request;
    request.topics = {{.name = "a", .num_partitions = 3, .replication_factor = 1},
                      {.name = "b"},
                      {.name = "c", .assignments = {{0, {1}}, {1, {1}}}}};
    request.topics[0].configs = {{"retention.ms", "1000"}};
    const auto response = call<CreateTopicsResponse>(4, request);
    for (const CreateTopicResult& result : response.topics)
        EXPECT_EQ(result.error, ErrorCode::kNone) << result.error_message.value_or("");
    EXPECT_EQ(broker.describe("a")->spec.partitions, 3u);
    EXPECT_EQ(broker.describe("a")->spec.configs[0].value, "1000");
    EXPECT_EQ(broker.describe("b")->spec.partitions, 1u);
    EXPECT_EQ(broker.describe("c")->spec.partitions, 2u);
}

TEST_F(RequestsTest, TopicsThatCannotBeAreRefusedEachForItsReason) {
    const auto refused = [&](CreatableTopic topic) {
        CreateTopicsRequest request;
        request.topics = {std::move(topic)};
        const auto response = call<CreateTopicsResponse>(4, request);
        EXPECT_FALSE(response.topics.at(0).error_message.value_or("").empty());
        return response.topics[0].error;
    };
    const auto one = [](std::string name) {
        return CreatableTopic{
            .name = std::move(name), .num_partitions = 1, .replication_factor = 1};
    };
    EXPECT_EQ(refused(one("t")), ErrorCode::kTopicAlreadyExists);
    for (const char* bad : {"", ".", "..", "a b", "a/b"})
        EXPECT_EQ(refused(one(bad)), ErrorCode::kInvalidTopicException) << bad;
    EXPECT_EQ(refused(one(std::string(250, 'x'))), ErrorCode::kInvalidTopicException);
    CreatableTopic topic = one("x");
    topic.num_partitions = 0;
    EXPECT_EQ(refused(topic), ErrorCode::kInvalidPartitions);
    topic = one("x");
    topic.replication_factor = 2;
    EXPECT_EQ(refused(topic), ErrorCode::kInvalidReplicationFactor);
    topic.replication_factor = 0;
    EXPECT_EQ(refused(topic), ErrorCode::kInvalidReplicationFactor);
    topic = one("x");
    topic.configs = {{"no.such.config", "1"}};
    EXPECT_EQ(refused(topic), ErrorCode::kInvalidConfig);
    topic = {.name = "x", .assignments = {{0, {1, 2}}}};
    EXPECT_EQ(refused(topic), ErrorCode::kInvalidReplicaAssignment);
    topic.assignments = {{1, {1}}};
    EXPECT_EQ(refused(topic), ErrorCode::kInvalidReplicaAssignment);
    topic.assignments = {{0, {1}}};
    topic.num_partitions = 1;
    EXPECT_EQ(refused(topic), ErrorCode::kInvalidRequest);
    EXPECT_EQ(broker.topic_names().size(), 1u);
}

TEST_F(RequestsTest, ATopicThatIsNamedTwiceIsNotMade) {
    CreateTopicsRequest request;
    request.topics = {{.name = "a"}, {.name = "b"}, {.name = "a"}};
    const auto response = call<CreateTopicsResponse>(4, request);
    EXPECT_EQ(response.topics[0].error, ErrorCode::kInvalidRequest);
    EXPECT_EQ(response.topics[1].error, ErrorCode::kNone);
    EXPECT_EQ(response.topics[2].error, ErrorCode::kInvalidRequest);
    EXPECT_FALSE(broker.describe("a"));
}

TEST_F(RequestsTest, ValidatingMakesNothing) {
    CreateTopicsRequest request{.validate_only = true};
    request.topics = {{.name = "a"}};
    EXPECT_EQ(call<CreateTopicsResponse>(4, request).topics[0].error, ErrorCode::kNone);
    EXPECT_FALSE(broker.describe("a"));
}

TEST_F(RequestsTest, ADeletedTopicTakesItsOffsetsAlong) {
    ASSERT_EQ(call<OffsetCommitResponse>(7, commit_request(1)).topics[0].partitions[0].error,
              ErrorCode::kNone);
    DeleteTopicsRequest request;
    request.topic_names = {"t", "nothing"};
    const auto response = call<DeleteTopicsResponse>(3, request);
    EXPECT_EQ(response.topics[0].error, ErrorCode::kNone);
    EXPECT_EQ(response.topics[1].error, ErrorCode::kUnknownTopicOrPartition);
    EXPECT_FALSE(offsets->committed("g", "t", 1));
}

TEST(Requests, ConfigsOfTopicsAndOfTheBrokerAreTold) {
    KafkaOptions options;
    options.broker_configs = {{"log.dirs", "/data", false}, {"num.workers", "2", true}};
    KafkaFixture kafka(options);
    kafka.create("t");
    DescribeConfigsRequest request;
    request.resources = {{.type = 2, .name = "t"},
                         {.type = 4, .name = "1", .config_names = {{"log.dirs"}}},
                         {.type = 4, .name = "2"},
                         {.type = 2, .name = "nothing"},
                         {.type = 8, .name = "1"}};
    for (std::int16_t version = 0; version <= 2; ++version) {
        const auto response = kafka.call<DescribeConfigsResponse>(version, request);
        ASSERT_EQ(response.resources.size(), 5u);
        ASSERT_EQ(response.resources[0].configs.size(), 1u);
        EXPECT_EQ(response.resources[0].configs[0].name, "retention.ms");
        EXPECT_EQ(response.resources[0].configs[0].source, version == 0 ? -1 : 5);
        ASSERT_EQ(response.resources[1].configs.size(), 1u);
        EXPECT_EQ(response.resources[1].configs[0].value, "/data");
        EXPECT_TRUE(response.resources[1].configs[0].is_read_only);
        EXPECT_EQ(response.resources[2].error, ErrorCode::kInvalidRequest);
        EXPECT_EQ(response.resources[3].error, ErrorCode::kUnknownTopicOrPartition);
        EXPECT_EQ(response.resources[4].error, ErrorCode::kInvalidRequest);
    }
}

// --- groups ---

TEST_F(RequestsTest, AGroupOfOneJoinsWorksAndLeaves) {
    for (std::int16_t version = 0; version <= 5; ++version) {
        const auto joined = join(version);
        EXPECT_EQ(joined.error, ErrorCode::kNone) << version;
        EXPECT_EQ(joined.leader, joined.member_id);
        EXPECT_EQ(joined.member_id.rfind("test-client-", 0), 0u);
        ASSERT_EQ(joined.members.size(), 1u);
        EXPECT_EQ(as_text(joined.members[0].metadata), "subscription");
        EXPECT_EQ(as_text(sync(joined).assignment), "everything");
        HeartbeatRequest beat{
            .group_id = "g", .generation_id = joined.generation_id, .member_id = joined.member_id};
        EXPECT_EQ(call<HeartbeatResponse>(3, beat).error, ErrorCode::kNone);
        OffsetCommitRequest commit = commit_request(version);
        commit.generation_id = joined.generation_id;
        commit.member_id = joined.member_id;
        EXPECT_EQ(call<OffsetCommitResponse>(7, commit).topics[0].partitions[0].error,
                  ErrorCode::kNone);
        LeaveGroupRequest leave{.group_id = "g", .member_id = joined.member_id};
        EXPECT_EQ(call<LeaveGroupResponse>(1, leave).error, ErrorCode::kNone);
        EXPECT_EQ(call<HeartbeatResponse>(3, beat).error, ErrorCode::kUnknownMemberId);
    }
}

TEST_F(RequestsTest, WhoWaitsForMembersIsAnsweredWhenItsConnectionEnds) {
    const auto joined = join();
    sync(joined);
    JoinGroupRequest request{.group_id = "g",
                             .session_timeout_ms = 10'000,
                             .rebalance_timeout_ms = 60'000,
                             .protocol_type = "consumer"};
    request.protocols = {{"range", as_bytes("subscription")}};
    const std::uint64_t waits = ask(3, request);
    EXPECT_FALSE(answered(waits)) << "the other member has not come yet";
    handler->on_input_end();
    EXPECT_EQ(reply<JoinGroupResponse>(3, waits).error, ErrorCode::kCoordinatorNotAvailable);
    loop.advance_ms(1'000'000);  // And not once more when the group comes to it.
}

TEST_F(RequestsTest, GroupsAreDescribedAndListed) {
    const auto joined = join();
    sync(joined);
    DescribeGroupsRequest request;
    request.groups = {"g", "nobody", "g"};
    const auto response = call<DescribeGroupsResponse>(4, request);
    ASSERT_EQ(response.groups.size(), 2u) << "each once";
    EXPECT_EQ(response.groups[0].state, "Stable");
    EXPECT_EQ(response.groups[0].protocol_data, "range");
    ASSERT_EQ(response.groups[0].members.size(), 1u);
    EXPECT_EQ(response.groups[0].members[0].client_id, "test-client");
    EXPECT_EQ(response.groups[0].members[0].client_host, "/10.0.0.7");
    EXPECT_EQ(as_text(response.groups[0].members[0].assignment), "everything");
    EXPECT_EQ(response.groups[1].state, "Dead");
    const auto listed = call<ListGroupsResponse>(2, ListGroupsRequest{});
    ASSERT_EQ(listed.groups.size(), 1u);
    EXPECT_EQ(listed.groups[0].group_id, "g");
    EXPECT_EQ(listed.groups[0].protocol_type, "consumer");
}

TEST_F(RequestsTest, CommittedOffsetsAreFetched) {
    for (std::int16_t version = 0; version <= 7; ++version)
        EXPECT_EQ(call<OffsetCommitResponse>(version, commit_request(40 + version))
                      .topics[0]
                      .partitions[0]
                      .error,
                  ErrorCode::kNone);
    OffsetFetchRequest request{.group_id = "g"};
    request.topics = {{{"t", {0, 1}}, {"never", {0}}}};
    for (std::int16_t version = 0; version <= 5; ++version) {
        const auto response = call<OffsetFetchResponse>(version, request);
        ASSERT_EQ(response.topics.size(), 2u);
        EXPECT_EQ(response.topics[0].partitions[0].committed_offset, -1);
        EXPECT_EQ(response.topics[0].partitions[1].committed_offset, 47);
        EXPECT_EQ(response.topics[0].partitions[1].metadata, "note");
        EXPECT_EQ(response.topics[1].partitions[0].committed_offset, -1);
        EXPECT_EQ(response.topics[1].partitions[0].error, ErrorCode::kNone);
    }
    request.topics.reset();
    const auto all = call<OffsetFetchResponse>(5, request);
    ASSERT_EQ(all.topics.size(), 1u);
    EXPECT_EQ(all.topics[0].partitions[0].index, 1);
    EXPECT_EQ(call<OffsetFetchResponse>(5, OffsetFetchRequest{.group_id = ""}).error,
              ErrorCode::kInvalidGroupId)
        << "the shared cursor is the text protocol's";
}

TEST_F(RequestsTest, EachOffsetOfACommitIsJudgedByItself) {
    OffsetCommitRequest request = commit_request(5);
    request.topics[0].partitions.push_back({.index = 9, .committed_offset = 1});
    request.topics[0].partitions.push_back({.index = 0, .committed_offset = -1});
    request.topics[0].partitions.push_back(
        {.index = 0, .committed_offset = 1, .metadata = std::string(5000, 'x')});
    const auto response = call<OffsetCommitResponse>(7, request);
    const auto& parts = response.topics[0].partitions;
    EXPECT_EQ(parts[0].error, ErrorCode::kNone);
    EXPECT_EQ(parts[1].error, ErrorCode::kUnknownTopicOrPartition);
    EXPECT_EQ(parts[2].error, ErrorCode::kInvalidRequest);
    EXPECT_EQ(parts[3].error, ErrorCode::kOffsetMetadataTooLarge);
    EXPECT_EQ(offsets->of_group("g").size(), 1u);
}

// --- what closes a connection ---

TEST_F(RequestsTest, MalformedRequestsCloseTheirConnection) {
    for (const Api& api : kApis) {
        std::string frame;
        Writer writer(frame, 0, false);
        writer(static_cast<std::int16_t>(api.key), std::int16_t{0}, std::int32_t{1},
               std::optional<std::string>("x"));
        frame += "\xFF\xFF\xFF\xFE nonsense";
        EXPECT_TRUE(closed(send(as_bytes(frame)))) << api.name;
    }
    EXPECT_TRUE(closed(send({})));
    EXPECT_TRUE(closed(send(as_bytes("abc"))));
    EXPECT_EQ(service->counters().malformed, kApis.size() + 2);
}

TEST_F(RequestsTest, UnknownApisAndVersionsCloseTheirConnection) {
    std::string frame = encode_request({7, 1, "x"}, ProduceRequest{});
    frame[7] = 8;  // Its version.
    EXPECT_TRUE(closed(send(as_bytes(frame).subspan(4))));
    frame[5] = 99;  // Its key.
    EXPECT_TRUE(closed(send(as_bytes(frame).subspan(4))));
    EXPECT_EQ(service->counters().unsupported, 2u);
}

TEST(Requests, MoreElementsThanAreAllowedAreRefusedBeforeAnyIsLookedAt) {
    KafkaFixture kafka({.max_request_elements = 50});
    OffsetFetchRequest request{.group_id = "g"};
    request.topics = {{{"t", std::vector<std::int32_t>(40)}}};
    EXPECT_FALSE(kafka.closed(kafka.ask(5, request)));
    request.topics->push_back({"u", std::vector<std::int32_t>(40)});
    EXPECT_TRUE(kafka.closed(kafka.ask(5, request)));
}

TEST_F(RequestsTest, ALengthAboveTheLimitIsCounted) {
    EXPECT_EQ(handler->on_bad_length(1u << 31).size_bytes(), 0u);
    EXPECT_EQ(service->counters().malformed, 1u);
}

TEST_F(RequestsTest, RequestsAreCountedByApi) {
    call<ApiVersionsResponse>(3, ApiVersionsRequest{});
    call<ApiVersionsResponse>(3, ApiVersionsRequest{});
    EXPECT_EQ(service->counters().requests[18], 2u);
}

}  // namespace
}  // namespace walrus::node::kafka
