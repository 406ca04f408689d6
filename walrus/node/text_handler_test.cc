// Every reply of the text protocol that one node can give, byte for byte.
#include "walrus/node/text_handler.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "walrus/node/test_broker.h"
#include "walrus/node/text_reply.h"
#include "walrus/protocol/record_batch_builder.h"
#include "walrus/testing/manual_loop.h"

namespace walrus::node {
namespace {

// Takes replies in the order in which they are given.
class Replies final : public net::ReplySink {
public:
    void complete(std::uint64_t request, net::Reply reply, net::AfterReply after) override {
        EXPECT_EQ(after, net::AfterReply::kGoOn);
        by_request[request] = reply.head;
    }
    void reserve(std::uint64_t /*request*/, std::uint64_t /*bytes*/) override {}

    std::map<std::uint64_t, std::string> by_request;
};

class TextHandlerTest : public ::testing::Test {
protected:
    // Sends a command and returns its number.
    std::uint64_t send(std::string_view command) {
        handler_->on_frame(as_bytes(command), net::ReplySlot(replies_, requests_));
        return requests_++;
    }
    // The text of the reply, whose length must be right; "(none)" while there is none.
    std::string reply_to(std::uint64_t request) {
        const auto found = replies_->by_request.find(request);
        if (found == replies_->by_request.end()) return "(none)";
        const std::string& frame = found->second;
        EXPECT_GE(frame.size(), 4U);
        EXPECT_EQ(load_le<std::uint32_t>(as_bytes(frame).data()), frame.size() - 4);
        return frame.substr(4);
    }
    std::string ask(std::string_view command) { return reply_to(send(command)); }

    // Appends a batch of such records, as a Kafka client would.
    void produce(const std::string& topic, const std::vector<std::string>& values) {
        protocol::RecordBatchBuilder builder;
        for (const std::string& value : values) builder.add({.value = as_bytes(value)});
        broker_.topics.at(topic)->add(std::move(builder).finish());
    }
    TestPartition& partition(const std::string& topic) { return *broker_.topics.at(topic); }

    testing::ManualLoop loop_;
    TestBroker broker_;
    TestOffsets offsets_;
    TextService service_{broker_, offsets_, loop_, {.address = "127.0.0.1:6001"}};
    std::unique_ptr<net::ConnectionHandler> handler_ = service_.make_handler();
    std::shared_ptr<Replies> replies_ = std::make_shared<Replies>();
    std::uint64_t requests_ = 0;
};

// --- replies ---

TEST_F(TextHandlerTest, RegisterIsIdempotent) {
    EXPECT_EQ(ask("REGISTER logs"), "OK");
    EXPECT_EQ(ask("REGISTER logs"), "OK");
    EXPECT_TRUE(broker_.topics.contains("logs"));
}

TEST_F(TextHandlerTest, WhatIsPutIsGotByteForByte) {
    ask("REGISTER logs");
    EXPECT_EQ(ask("PUT logs hello world"), "OK");
    EXPECT_EQ(ask("PUT logs   two spaces, then an end \n "), "OK");
    EXPECT_EQ(ask("PUT logs "), "OK");
    EXPECT_EQ(ask("GET logs"), "OK hello world");
    EXPECT_EQ(ask("GET logs"), "OK   two spaces, then an end \n ");
    EXPECT_EQ(ask("GET logs"), "OK ");
    EXPECT_EQ(ask("GET logs"), "EMPTY");
}

TEST_F(TextHandlerTest, AnEmptyTopicIsEmpty) {
    ask("REGISTER logs");
    EXPECT_EQ(ask("GET logs"), "EMPTY");
    EXPECT_EQ(offsets_.commit_calls, 0) << "finding nothing changes nothing on disk";
}

TEST_F(TextHandlerTest, StateIsOneLineOfJson) {
    ask("REGISTER logs");
    EXPECT_EQ(ask("STATE logs"),
              R"({"current_segment":1,"leader_node":1,"last_sealed_entry_offset":0,)"
              R"("sealed_segments":{},"segment_leaders":{"1":1}})");
}

TEST(TextReply, TheStateOfAClustersTopicNamesItsSegments) {
    broker::TopicDescription topic;
    broker::PartitionInfo partition{.leader = 3, .leader_epoch = 2};
    partition.in_sync = {3, 1};
    partition.high_watermark = Offset{12};
    partition.segments = {{.number = 1,
                           .epoch = 20,
                           .state = "sealed",
                           .leader = 2,
                           .replicas = {1, 2, 3},
                           .records = 10},
                          {.number = 2,
                           .epoch = 31,
                           .state = "open",
                           .leader = 3,
                           .replicas = {1, 3},
                           .base_offset = Offset{10}}};
    topic.partitions = {partition};
    EXPECT_EQ(state_document(topic),
              R"({"current_segment":2,"leader_node":3,"last_sealed_entry_offset":10,)"
              R"("sealed_segments":{"1":10},"segment_leaders":{"1":2,"2":3},)"
              R"("segment_state":"open","segment_replicas":{"1":[1,2,3],"2":[1,3]},)"
              R"("segment_epochs":{"1":20,"2":31},"in_sync":[3,1],"high_watermark":12})");
}

TEST(TextReply, TheMetricsOfAClusterTellItsLeaderAndMembers) {
    broker::ClusterDescription cluster{.controller = 2, .self = 1};
    cluster.metadata = broker::MetadataLogInfo{.term = 5,
                                               .commit_index = 40,
                                               .applied_index = 39,
                                               .voters = {1, 2, 3},
                                               .addresses = {{1, "a:1"}, {2, "b:2"}, {3, "c:3"}}};
    const auto metrics = nlohmann::json::parse(metrics_document(cluster, "a:1"));
    EXPECT_EQ(metrics["id"], 1);
    EXPECT_EQ(metrics["state"], "Follower");
    EXPECT_EQ(metrics["current_term"], 5);
    EXPECT_EQ(metrics["current_leader"], 2);
    EXPECT_EQ(metrics["last_log_index"], 40);
    EXPECT_EQ(metrics["last_applied"]["index"], 39);
    EXPECT_EQ(metrics["membership_config"]["membership"]["configs"].dump(), "[[1,2,3]]");
    EXPECT_EQ(metrics["membership_config"]["membership"]["nodes"]["3"]["addr"], "c:3");
    cluster.self = 2;
    EXPECT_EQ(nlohmann::json::parse(metrics_document(cluster, ""))["replication"]["2"]["index"],
              40);
    cluster.controller = -1;
    EXPECT_EQ(nlohmann::json::parse(metrics_document(cluster, ""))["current_leader"], nullptr);
}

// A cluster's records, as far as a node's door sees them.
class TestRecords final : public broker::RecordService {
public:
    void put(std::string_view topic, Bytes value, broker::StatusCallback done) override {
        asked += "put " + std::string(topic) + " " + std::string(as_text(value)) + ";";
        done(status);
    }
    void get(std::string_view topic, broker::RecordCallback done) override {
        asked += "get " + std::string(topic) + ";";
        status ? done(record) : done(status.error());
    }

    Status status;
    std::optional<std::string> record;
    std::string asked;
};

TEST_F(TextHandlerTest, InAClusterRecordsComeFromWhereverTheirTopicIsLed) {
    TestRecords records;
    TextService service(broker_, offsets_, loop_, {.address = "", .records = &records});
    handler_ = service.make_handler();
    EXPECT_EQ(ask("PUT far a value"), "OK");
    EXPECT_EQ(ask("GET far"), "EMPTY");
    records.record = "a value";
    EXPECT_EQ(ask("GET far"), "OK a value");
    EXPECT_EQ(records.asked, "put far a value;get far;get far;");
    records.status = Error{Errc::kNotFound, "none"};
    EXPECT_EQ(ask("PUT far x"), "ERR unknown topic far");
    EXPECT_EQ(ask("GET far"), "ERR unknown topic far");
    records.status = Error{Errc::kTimeout, "it may or may not be there"};
    EXPECT_EQ(ask("PUT far x"),
              "ERR append failed for t_far_s_1: timeout: it may or may not be there");
    EXPECT_EQ(ask("GET far"), "ERR read failed for far: timeout: it may or may not be there");
    handler_ = service_.make_handler();
}

TEST_F(TextHandlerTest, MetricsAreIndentedJsonWithUpstreamsFields) {
    EXPECT_EQ(ask("METRICS"), R"({
  "running_state": {
    "Ok": null
  },
  "id": 1,
  "current_term": 1,
  "vote": {
    "leader_id": {
      "term": 1,
      "node_id": 1
    },
    "committed": true
  },
  "last_log_index": 0,
  "last_applied": {
    "leader_id": {
      "term": 1,
      "node_id": 1
    },
    "index": 0
  },
  "snapshot": null,
  "purged": null,
  "state": "Leader",
  "current_leader": 1,
  "millis_since_quorum_ack": 0,
  "last_quorum_acked": null,
  "membership_config": {
    "log_id": {
      "leader_id": {
        "term": 1,
        "node_id": 1
      },
      "index": 0
    },
    "membership": {
      "configs": [
        [
          1
        ]
      ],
      "nodes": {
        "1": {
          "addr": "127.0.0.1:6001"
        }
      }
    }
  },
  "heartbeat": {
    "1": null
  },
  "replication": {
    "1": {
      "leader_id": {
        "term": 1,
        "node_id": 1
      },
      "index": 0
    }
  }
})");
}

TEST_F(TextHandlerTest, RepliesMayComeLaterAndOutOfOrder) {
    ask("REGISTER logs");
    partition("logs").appends.close();
    const auto put = send("PUT logs a");
    EXPECT_EQ(ask("STATE logs").substr(0, 1), "{");
    EXPECT_EQ(reply_to(put), "(none)");
    partition("logs").appends.open();
    EXPECT_EQ(reply_to(put), "OK");
}

// --- the shared cursor ---

TEST_F(TextHandlerTest, GetTakesTheRecordsOfALargeBatchOneByOneAndFetchesItOnce) {
    ask("REGISTER logs");
    produce("logs", {"a", "b", "c"});
    produce("logs", {"d"});
    for (const std::string value : {"a", "b", "c"}) EXPECT_EQ(ask("GET logs"), "OK " + value);
    EXPECT_EQ(partition("logs").fetches, 1);
    EXPECT_EQ(ask("GET logs"), "OK d");
    EXPECT_EQ(ask("GET logs"), "EMPTY");
    EXPECT_EQ(partition("logs").fetches, 2);
}

TEST_F(TextHandlerTest, ABatchMayComeInAnyPieces) {
    ask("REGISTER logs");
    for (const std::size_t bytes : {1, 7, 12, 61, 100}) {
        partition("logs").piece_bytes = bytes;
        produce("logs", {std::string(300, 'a'), "b"});
        EXPECT_EQ(ask("GET logs"), "OK " + std::string(300, 'a')) << bytes;
        EXPECT_EQ(ask("GET logs"), "OK b") << bytes;
        EXPECT_EQ(ask("GET logs"), "EMPTY") << bytes;
    }
}

TEST_F(TextHandlerTest, GetAnswersWhenTheCursorIsDurable) {
    ask("REGISTER logs");
    ask("PUT logs a");
    offsets_.commits.close();
    const auto get = send("GET logs");
    EXPECT_EQ(reply_to(get), "(none)");
    offsets_.commits.open();
    EXPECT_EQ(reply_to(get), "OK a");
    EXPECT_EQ(offsets_.committed("", "logs", 0)->offset, Offset{1});
}

TEST_F(TextHandlerTest, ConcurrentGetsNeverShareARecordButShareCommits) {
    ask("REGISTER logs");
    produce("logs", {"a", "b", "c", "d"});
    offsets_.commits.close();
    std::vector<std::uint64_t> gets;
    for (int i = 0; i < 5; ++i) gets.push_back(send("GET logs"));
    EXPECT_EQ(offsets_.commits.held(), 1U);
    offsets_.commits.open();
    const std::vector<std::string> expected = {"OK a", "OK b", "OK c", "OK d", "EMPTY"};
    for (std::size_t i = 0; i < gets.size(); ++i) EXPECT_EQ(reply_to(gets[i]), expected[i]);
    EXPECT_EQ(offsets_.commit_calls, 2);
}

TEST_F(TextHandlerTest, ARecordWhoseCommitFailedIsReadAgain) {
    ask("REGISTER logs");
    produce("logs", {"a", "b"});
    offsets_.status = Error{Errc::kNoSpace, "offsets: full"};
    EXPECT_EQ(ask("GET logs"), "ERR read failed for logs: no_space: offsets: full");
    offsets_.status = {};
    EXPECT_EQ(ask("GET logs"), "OK a");
    EXPECT_EQ(ask("GET logs"), "OK b");
}

TEST_F(TextHandlerTest, TheCursorGoesOnAtTheLogStart) {
    ask("REGISTER logs");
    for (const std::string value : {"a", "b", "c"}) ask("PUT logs " + value);
    EXPECT_EQ(ask("GET logs"), "OK a");
    partition("logs").log_start = Offset{2};
    EXPECT_EQ(ask("GET logs"), "OK c");
}

TEST_F(TextHandlerTest, ANewTopicOfAnOldNameHasNothingOfTheOld) {
    ask("REGISTER logs");
    produce("logs", {"old", "older"});
    EXPECT_EQ(ask("GET logs"), "OK old");
    broker_.delete_topic("logs", [](const Status&) {});
    offsets_.stored.clear();
    EXPECT_EQ(ask("GET logs"), "ERR unknown topic logs");
    ask("REGISTER logs");
    EXPECT_EQ(ask("GET logs"), "EMPTY");
    produce("logs", {"new", "newer"});
    EXPECT_EQ(ask("GET logs"), "OK new");
}

TEST_F(TextHandlerTest, ATombstoneIsAnEmptyRecord) {
    ask("REGISTER logs");
    protocol::RecordBatchBuilder builder;
    builder.add({});
    partition("logs").add(std::move(builder).finish());
    EXPECT_EQ(ask("GET logs"), "OK ");
}

TEST_F(TextHandlerTest, ManyTopicsAreReadInTurn) {
    for (int round = 0; round < 3; ++round)
        for (int i = 0; i < 40; ++i) {
            const std::string topic = "t" + std::to_string(i);
            if (round == 0) {
                ask("REGISTER " + topic);
                produce(topic, {topic + "-0", topic + "-1", topic + "-2"});
            }
            EXPECT_EQ(ask("GET " + topic), "OK " + topic + "-" + std::to_string(round));
        }
}

// --- error paths ---

TEST_F(TextHandlerTest, RequestsThatMakeNoSenseAreToldSoInUpstreamsWords) {
    EXPECT_EQ(ask(""), "ERR invalid frame length");
    EXPECT_EQ(ask(std::string_view("\xff\xfe", 2)), "ERR invalid utf-8");
    EXPECT_EQ(ask("FLY logs"), "ERR unknown command");
    EXPECT_EQ(ask("put logs x"), "ERR unknown command");
    EXPECT_EQ(ask("REGISTER"), "ERR REGISTER requires a topic");
    EXPECT_EQ(ask("PUT"), "ERR PUT requires a topic");
    EXPECT_EQ(ask("PUT logs"), "ERR PUT requires a payload");
    EXPECT_EQ(ask("GET"), "ERR GET requires a topic");
    EXPECT_EQ(ask("STATE "), "ERR STATE requires a topic");
    EXPECT_EQ(service_.counters().refused, 9U);
    EXPECT_EQ(handler_->on_bad_length(1 << 20).head,
              protocol::encode_text_error("invalid frame length"));
}

TEST_F(TextHandlerTest, AnUnknownTopicIsNamed) {
    EXPECT_EQ(ask("PUT nope x"), "ERR unknown topic nope");
    EXPECT_EQ(ask("GET nope"), "ERR unknown topic nope");
    EXPECT_EQ(ask("STATE nope"), "ERR unknown topic nope");
}

TEST_F(TextHandlerTest, ATopicThatCannotBeMadeSaysWhy) {
    broker_.create_status = Error{Errc::kInvalidArgument, "topic 'a b': not a name"};
    EXPECT_EQ(ask("REGISTER a"), "ERR topic 'a b': not a name");
}

TEST_F(TextHandlerTest, APutThatFailedNamesTheSegmentAndTheCause) {
    ask("REGISTER logs");
    partition("logs").next_status = Error{Errc::kNoSpace, "disk full"};
    EXPECT_EQ(ask("PUT logs x"), "ERR append failed for t_logs_s_1: no_space: disk full");
    partition("logs").next_status = Error{Errc::kNotLeader, "ask 2"};
    EXPECT_EQ(ask("PUT logs x"), "ERR NotLeaderForPartition: t_logs_s_1");
    partition("logs").next_status = Error{Errc::kNotFound, "deleted"};
    EXPECT_EQ(ask("PUT logs x"), "ERR unknown topic logs");
    partition("logs").next_status = {};
    EXPECT_EQ(ask("PUT logs y"), "OK");
    EXPECT_EQ(ask("GET logs"), "OK y");
}

TEST_F(TextHandlerTest, AReadThatFailedIsToldToEveryoneWhoWaits) {
    ask("REGISTER logs");
    ask("PUT logs a");
    partition("logs").next_status = Error{Errc::kCorruption, "lsn 4096"};
    partition("logs").reads.close();
    const auto first = send("GET logs");
    const auto second = send("GET logs");
    partition("logs").reads.open();
    for (const auto get : {first, second})
        EXPECT_EQ(reply_to(get), "ERR read failed for logs: corruption: lsn 4096");
    partition("logs").next_status = {};
    EXPECT_EQ(ask("GET logs"), "OK a");
}

TEST_F(TextHandlerTest, ADamagedBatchIsNotHandedOut) {
    ask("REGISTER logs");
    std::string batch = protocol::one_record_batch(as_bytes("a"), 0);
    batch.back() = '\x7f';  // One header, which is not there.
    partition("logs").add(batch);
    EXPECT_TRUE(ask("GET logs").starts_with("ERR read failed for logs: corruption: "));
    EXPECT_EQ(offsets_.commit_calls, 0);
}

}  // namespace
}  // namespace walrus::node
