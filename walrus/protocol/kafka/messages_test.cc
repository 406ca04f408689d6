// Every request and response in every version, against bytes of Kafka's own client library
// (testdata/kafka_clients.txt says how they were made).
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "walrus/protocol/kafka/test_messages.h"
#include "walrus/protocol/test_hex.h"

namespace walrus::protocol::kafka {
namespace {

struct Vector {
    bool is_request = false;
    ApiKey key = ApiKey::kProduce;
    std::int16_t version = 0;
    bool is_full = false;
    std::string bytes = {};

    std::string name() const {
        return std::string(is_request ? "request " : "response ") + std::string(api_of(key).name) +
               " v" + std::to_string(version) + (is_full ? " full" : " sparse");
    }
};

std::vector<Vector> vectors() {
    std::ifstream file(WALRUS_KAFKA_VECTORS);
    std::vector<Vector> all;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) continue;
        std::istringstream words(line);
        std::string direction;
        std::string kind;
        std::string hex;
        int key = 0;
        int version = 0;
        words >> direction >> key >> version >> kind >> hex;
        all.push_back({.is_request = direction == "request",
                       .key = static_cast<ApiKey>(key),
                       .version = static_cast<std::int16_t>(version),
                       .is_full = kind == "full",
                       .bytes = hex == "-" ? std::string() : from_hex(hex)});
    }
    return all;
}

Reader reader_of(const Vector& vector, Bytes bytes) {
    return {bytes, vector.version, api_of(vector.key).is_flexible(vector.version)};
}

template <class Message>
Result<Message> decode(const Vector& vector, Bytes bytes) {
    Reader reader = reader_of(vector, bytes);
    Message message;
    reader(message);
    WALRUS_RETURN_IF_ERROR(reader.finish(vector.name()));
    return message;
}

// Calls check.template operator()<Message>() with the type of the vector.
void with_type(const Vector& vector, auto&& check) {
    with_types(vector.key, [&]<class Request, class Response>() {
        if (vector.is_request)
            check.template operator()<Request>();
        else
            check.template operator()<Response>();
    });
}

// The full message of the newest version, whose values the counter gave in the order of its fields.
template <class Message>
Message newest(bool is_request) {
    for (const Vector& vector : vectors())
        if (vector.is_request == is_request && vector.key == Message::kKey && vector.is_full &&
            vector.version == api_of(Message::kKey).max_version) {
            static std::string bytes;  // Outlives the message, which views it.
            bytes = vector.bytes;
            const auto message = decode<Message>(vector, as_bytes(bytes));
            EXPECT_TRUE(message) << message.error().to_string();
            return message.value_or(Message{});
        }
    ADD_FAILURE() << "no vector of " << api_of(Message::kKey).name;
    return {};
}

TEST(KafkaMessages, EveryVersionOfEveryApiHasVectors) {
    const std::vector<Vector> all = vectors();
    std::size_t expected = 0;
    for (const Api& api : kApis) {
        for (std::int16_t version = 0; version <= api.max_version; ++version)
            for (const bool is_request : {true, false})
                EXPECT_EQ(std::count_if(all.begin(), all.end(),
                                        [&](const Vector& vector) {
                                            return vector.is_request == is_request &&
                                                   vector.key == api.key &&
                                                   vector.version == version;
                                        }),
                          2)
                    << api.name << " v" << version;
        expected += 4 * static_cast<std::size_t>(api.max_version + 1);
    }
    EXPECT_EQ(all.size(), expected);
}

TEST(KafkaMessages, KafkasBytesAreReadAndWrittenAgain) {
    for (const Vector& vector : vectors())
        with_type(vector, [&]<class Message>() {
            const auto message = decode<Message>(vector, as_bytes(vector.bytes));
            ASSERT_TRUE(message) << message.error().to_string();
            std::string written;
            Writer(written, vector.version,
                   api_of(vector.key).is_flexible(vector.version))(*message);
            EXPECT_EQ(to_hex(written), to_hex(vector.bytes)) << vector.name();
        });
}

TEST(KafkaMessages, EveryCutAndEveryByteTooManyIsRefused) {
    for (const Vector& vector : vectors())
        with_type(vector, [&]<class Message>() {
            for (std::size_t size = 0; size < vector.bytes.size(); ++size) {
                const auto less = as_bytes(vector.bytes).first(size);
                EXPECT_FALSE(decode<Message>(vector, less)) << vector.name() << " " << size;
            }
            const std::string more = vector.bytes + '\0';
            EXPECT_FALSE(decode<Message>(vector, as_bytes(more))) << vector.name();
        });
}

// --- that fields of the same kind are not taken for each other ---

TEST(KafkaMessages, ProduceFieldsAreWhereKafkaHasThem) {
    const auto request = newest<ProduceRequest>(true);
    EXPECT_EQ(request.transactional_id, "s1");
    EXPECT_EQ(request.acks, 2);
    EXPECT_EQ(request.timeout_ms, 3);
    EXPECT_EQ(request.topics[0].name, "s4");
    EXPECT_EQ(request.topics[0].partitions[0].index, 5);
    EXPECT_EQ(as_text(*request.topics[0].partitions[0].records), "b6");

    const auto response = newest<ProduceResponse>(false);
    const ProducePartitionResponse& partition = response.topics[0].partitions[0];
    EXPECT_EQ(partition.index, 2);
    EXPECT_EQ(partition.error, static_cast<ErrorCode>(3));
    EXPECT_EQ(partition.base_offset, 4);
    EXPECT_EQ(partition.log_append_time_ms, 5);
    EXPECT_EQ(partition.log_start_offset, 6);
}

TEST(KafkaMessages, FetchFieldsAreWhereKafkaHasThem) {
    const auto request = newest<FetchRequest>(true);
    EXPECT_EQ(request.max_wait_ms, 2);
    EXPECT_EQ(request.min_bytes, 3);
    EXPECT_EQ(request.max_bytes, 4);
    EXPECT_EQ(request.isolation_level, 5);
    EXPECT_EQ(request.session_id, 6);
    EXPECT_EQ(request.session_epoch, 7);
    const FetchPartition& asked = request.topics[0].partitions[0];
    EXPECT_EQ(asked.index, 9);
    EXPECT_EQ(asked.current_leader_epoch, 10);
    EXPECT_EQ(asked.fetch_offset, 11);
    EXPECT_EQ(asked.log_start_offset, 12);
    EXPECT_EQ(asked.max_bytes, 13);
    EXPECT_EQ(request.forgotten_topics[0].partitions, (std::vector{31, 32}));
    EXPECT_EQ(request.rack_id, "s36");

    const auto response = newest<FetchResponse>(false);
    EXPECT_EQ(response.error, static_cast<ErrorCode>(2));
    EXPECT_EQ(response.session_id, 3);
    const FetchPartitionResponse& partition = response.topics[0].partitions[0];
    EXPECT_EQ(partition.index, 5);
    EXPECT_EQ(partition.high_watermark, 7);
    EXPECT_EQ(partition.last_stable_offset, 8);
    EXPECT_EQ(partition.log_start_offset, 9);
    EXPECT_EQ(partition.aborted_transactions->at(0).producer_id, 10);
    EXPECT_EQ(partition.preferred_read_replica, 14);
    EXPECT_EQ(as_text(*partition.records), "b15");
}

TEST(KafkaMessages, OffsetFieldsAreWhereKafkaHasThem) {
    const auto listed = newest<ListOffsetsResponse>(false);
    EXPECT_EQ(listed.topics[0].partitions[0].timestamp, 5);
    EXPECT_EQ(listed.topics[0].partitions[0].offset, 6);
    EXPECT_EQ(listed.topics[0].partitions[0].leader_epoch, 7);

    const auto epochs = newest<OffsetForLeaderEpochResponse>(false);
    EXPECT_EQ(epochs.topics[0].partitions[0].index, 4);
    EXPECT_EQ(epochs.topics[0].partitions[0].leader_epoch, 5);
    EXPECT_EQ(epochs.topics[0].partitions[0].end_offset, 6);

    const auto commit = newest<OffsetCommitRequest>(true);
    EXPECT_EQ(commit.generation_id, 2);
    EXPECT_EQ(commit.member_id, "s3");
    EXPECT_EQ(commit.group_instance_id, "s4");
    EXPECT_EQ(commit.topics[0].partitions[0].committed_offset, 7);
    EXPECT_EQ(commit.topics[0].partitions[0].leader_epoch, 8);
    EXPECT_EQ(commit.topics[0].partitions[0].metadata, "s9");

    const auto fetched = newest<OffsetFetchResponse>(false);
    EXPECT_EQ(fetched.topics[0].partitions[0].committed_offset, 4);
    EXPECT_EQ(fetched.topics[0].partitions[0].leader_epoch, 5);
    EXPECT_EQ(fetched.topics[0].partitions[0].error, static_cast<ErrorCode>(7));
}

TEST(KafkaMessages, MetadataFieldsAreWhereKafkaHasThem) {
    const auto response = newest<MetadataResponse>(false);
    EXPECT_EQ(response.throttle_time_ms, 1);
    EXPECT_EQ(response.brokers[0].node_id, 2);
    EXPECT_EQ(response.brokers[0].host, "s3");
    EXPECT_EQ(response.brokers[0].port, 4);
    EXPECT_EQ(response.brokers[0].rack, "s5");
    EXPECT_EQ(response.cluster_id, "s10");
    EXPECT_EQ(response.controller_id, 11);
    const MetadataPartition& partition = response.topics[0].partitions[0];
    EXPECT_EQ(partition.error, static_cast<ErrorCode>(15));
    EXPECT_EQ(partition.index, 16);
    EXPECT_EQ(partition.leader_id, 17);
    EXPECT_EQ(partition.leader_epoch, 18);
    EXPECT_EQ(partition.replica_nodes, (std::vector{19, 20}));
    EXPECT_EQ(partition.isr_nodes, (std::vector{21, 22}));
    EXPECT_EQ(partition.offline_replicas, (std::vector{23, 24}));
}

TEST(KafkaMessages, GroupFieldsAreWhereKafkaHasThem) {
    const auto join = newest<JoinGroupRequest>(true);
    EXPECT_EQ(join.session_timeout_ms, 2);
    EXPECT_EQ(join.rebalance_timeout_ms, 3);
    EXPECT_EQ(join.member_id, "s4");
    EXPECT_EQ(join.protocol_type, "s6");

    const auto joined = newest<JoinGroupResponse>(false);
    EXPECT_EQ(joined.generation_id, 3);
    EXPECT_EQ(joined.protocol_name, "s4");
    EXPECT_EQ(joined.leader, "s5");
    EXPECT_EQ(joined.member_id, "s6");
    EXPECT_EQ(joined.members[0].member_id, "s7");
    EXPECT_EQ(joined.members[0].group_instance_id, "s8");

    const auto coordinator = newest<FindCoordinatorResponse>(false);
    EXPECT_EQ(coordinator.error, static_cast<ErrorCode>(2));
    EXPECT_EQ(coordinator.error_message, "s3");
    EXPECT_EQ(coordinator.node_id, 4);
    EXPECT_EQ(coordinator.host, "s5");
    EXPECT_EQ(coordinator.port, 6);

    const auto described = newest<DescribeGroupsResponse>(false);
    EXPECT_EQ(described.groups[0].state, "s4");
    EXPECT_EQ(described.groups[0].members[0].client_host, "s10");
    EXPECT_EQ(described.groups[0].authorized_operations, 19);
}

}  // namespace
}  // namespace walrus::protocol::kafka
