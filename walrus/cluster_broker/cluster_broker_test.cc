// Three brokers in one process: what clients see, also when nodes die.
#include "walrus/cluster_broker/cluster_broker.h"

#include <gtest/gtest.h>

#include <set>

#include "walrus/cluster_broker/test_world.h"
#include "walrus/testing/seed.h"

namespace walrus::cluster_broker {
namespace {

using broker::AppendOutcome;

std::vector<std::string> values_of(const std::vector<Consumed>& records) {
    std::vector<std::string> values;
    for (const Consumed& record : records) values.push_back(record.value);
    return values;
}

class ClusterBrokerTest : public ::testing::Test {
protected:
    void make(std::size_t nodes = 3, const broker::TopicSpec& spec = {.name = "t"}) {
        world_.make(nodes);
        const Status created = world_.create(1, spec);
        ASSERT_TRUE(created) << created.error().to_string();
    }
    broker::PartitionInfo info(cluster::NodeId at, std::int32_t partition = 0) {
        return world_[at].find("t", partition)->info();
    }

    World world_{testing::test_seed()};
};

// --- topics ---

TEST_F(ClusterBrokerTest, ATopicThatOneNodeMadeIsTheSameOnAll) {
    make(3, {.name = "t", .partitions = 3, .configs = {{"retention.ms", "60000"}}});
    for (const cluster::NodeId id : {1, 2, 3}) {
        ASSERT_TRUE(world_.run_until([&] { return world_[id].find("t", 2) != nullptr; }));
        EXPECT_EQ(world_[id].topic_names(), std::vector<std::string>{"t"});
        const auto topic = world_[id].describe("t").value();
        EXPECT_EQ(topic.spec.partitions, 3u);
        EXPECT_EQ(topic.spec.replication_factor, 3u);
        EXPECT_EQ(topic.partitions.size(), 3u);
        EXPECT_EQ(topic.partitions[2].index, 2);
        EXPECT_EQ(topic.partitions[0].replicas.size(), 3u);
        EXPECT_EQ(topic.partitions[0].in_sync.size(), 3u);
        EXPECT_EQ(topic.partitions[0].leader_epoch, 1);
        EXPECT_EQ(topic.partitions[0].segments.front().state, "open");
        EXPECT_EQ(world_[id].find("t", 3), nullptr);
        EXPECT_EQ(world_[id].find("t/1", 0), nullptr) << "a partition has no name of its own";
    }
    std::set<broker::BrokerId> leaders;
    const broker::TopicDescription topic = world_[1].describe("t").value();
    for (const broker::PartitionInfo& partition : topic.partitions)
        leaders.insert(partition.leader);
    EXPECT_EQ(leaders.size(), 3u) << "leaders go round";
}

TEST_F(ClusterBrokerTest, ATopicIsMadeOnceAndRefusedWhenItCannotBe) {
    make();
    EXPECT_EQ(world_.create(2, {.name = "t"}).error().code, Errc::kAlreadyExists);
    for (const broker::TopicSpec& wrong :
         {broker::TopicSpec{.name = "a/b"}, broker::TopicSpec{.name = "a", .partitions = 0},
          broker::TopicSpec{.name = "a", .replication_factor = 4},
          broker::TopicSpec{.name = "a", .configs = {{"no.such", "1"}}}})
        EXPECT_EQ(world_.create(1, wrong).error().code, Errc::kInvalidArgument);
    EXPECT_EQ(world_[1].topic_names().size(), 1u);
}

TEST_F(ClusterBrokerTest, ADeletedTopicIsGoneEverywhereAndMayComeAgainEmpty) {
    make(3, {.name = "t", .partitions = 2});
    ASSERT_TRUE(world_.put(1, "t", "old"));
    ASSERT_TRUE(world_.drop(2, "t"));
    EXPECT_EQ(world_.drop(2, "t").error().code, Errc::kNotFound);
    EXPECT_EQ(world_.put(3, "t", "x").error().code, Errc::kNotFound);
    ASSERT_TRUE(world_.create(3, {.name = "t"}));
    EXPECT_EQ(world_.get(1, "t").value(), std::nullopt);
    EXPECT_EQ(world_[3].describe("t")->spec.partitions, 1u);
}

TEST_F(ClusterBrokerTest, ConfigsAreChangedOnEveryPartition) {
    make(3, {.name = "t", .partitions = 2});
    ASSERT_TRUE(world_.configure(2, "t", {{"retention.ms", "1234"}}));
    for (const char* name : {"t", "t/1"})
        EXPECT_EQ(world_.member(2).state().find_topic(name)->config.retention.max_age_ms, 1234u);
    EXPECT_EQ(world_.configure(2, "t", {{"retention.ms", "no"}}).error().code,
              Errc::kInvalidArgument);
    EXPECT_EQ(world_.configure(2, "nope", {}).error().code, Errc::kNotFound);
}

TEST_F(ClusterBrokerTest, EveryNodeNamesAllNodesAndTheController) {
    make();
    const cluster::NodeId controller = world_.controller();
    for (const cluster::NodeId id : {1, 2, 3}) {
        const broker::ClusterDescription cluster = world_[id].cluster();
        EXPECT_EQ(cluster.self, static_cast<broker::BrokerId>(id));
        EXPECT_EQ(cluster.controller, static_cast<broker::BrokerId>(controller));
        EXPECT_EQ(cluster.brokers.size(), 3u);
        EXPECT_EQ(cluster.cluster_id, world_[1].cluster().cluster_id);
        EXPECT_EQ(cluster.metadata->voters.size(), 3u);
        EXPECT_GT(cluster.metadata->term, 0u);
        EXPECT_EQ(world_[id].offsets().coordinates().has_value(), id == controller);
    }
}

// --- Kafka's clients ---

TEST_F(ClusterBrokerTest, TheLeaderTakesBatchesAndOthersSayThatTheyDoNotLead) {
    make();
    const cluster::NodeId leader = world_.leader("t");
    const auto appended = world_.produce(leader, "t", {"a", "b"});
    EXPECT_EQ(appended.outcome, AppendOutcome::kAppended);
    EXPECT_EQ(appended.base_offset, Offset{0});
    EXPECT_EQ(world_.produce(leader, "t", {"c"}).base_offset, Offset{2});
    const cluster::NodeId other = world_.follower("t");
    EXPECT_EQ(world_.produce(other, "t", {"x"}).status.error().code, Errc::kNotLeader);
    EXPECT_EQ(world_.fetch(other, "t", Offset{0}).status.error().code, Errc::kNotLeader);
    EXPECT_EQ(world_.end_offset(other, "t").error().code, Errc::kNotLeader);
    EXPECT_EQ(info(other).leader, static_cast<broker::BrokerId>(leader));
    EXPECT_EQ(world_.consume("t"), (std::vector<Consumed>{{0, "a"}, {1, "b"}, {2, "c"}}));
    EXPECT_EQ(world_.fetch(leader, "t", Offset{4}).status.error().code, Errc::kOutOfRange);
    EXPECT_EQ(world_.fetch(leader, "t", Offset{3}).size_bytes, 0u);
}

TEST_F(ClusterBrokerTest, ADamagedBatchIsRefused) {
    make();
    std::string batch = protocol::one_record_batch(as_bytes("x"), 0);
    batch.back() ^= 1;
    broker::AppendResult result;
    world_[world_.leader("t")].find("t", 0)->append(
        as_bytes(batch), broker::Acks::kAll,
        {[](void* where, const broker::AppendResult& given) {
             *static_cast<broker::AppendResult*>(where) = given;
         },
         &result});
    EXPECT_EQ(result.status.error().code, Errc::kCorruption);
}

TEST_F(ClusterBrokerTest, AWatchEndsWhenThereIsMoreOrNobodyLeadsHere) {
    make();
    const cluster::NodeId leader = world_.leader("t");
    int told = 0;
    world_[leader].find("t", 0)->watch(Offset{0}, [&] { ++told; });
    EXPECT_EQ(told, 0);
    world_.produce(leader, "t", {"a"});
    ASSERT_TRUE(world_.run_until([&] { return told == 1; }));
    world_[leader].find("t", 0)->watch(Offset{1}, [&] { ++told; });
    ASSERT_TRUE(world_.drop(leader, "t"));
    EXPECT_EQ(told, 2);
}

TEST_F(ClusterBrokerTest, AnIdempotentProducerFindsItsBatchWithTheNextLeader) {
    make();
    const protocol::BatchProducer first{.id = 77, .epoch = 0, .base_sequence = 0};
    const protocol::BatchProducer second{.id = 77, .epoch = 0, .base_sequence = 2};
    const cluster::NodeId leader = world_.leader("t");
    EXPECT_EQ(world_.produce(leader, "t", {"a", "b"}, first).base_offset, Offset{0});
    EXPECT_EQ(world_.produce(leader, "t", {"c"}, second).base_offset, Offset{2});
    EXPECT_EQ(world_.produce(leader, "t", {"c"}, second).outcome, AppendOutcome::kDuplicate);
    world_.kill(leader);
    const auto again = world_.produce(world_.leader("t"), "t", {"c"}, second);
    EXPECT_EQ(again.outcome, AppendOutcome::kDuplicate);
    EXPECT_EQ(again.base_offset, Offset{2});
    const protocol::BatchProducer gap{.id = 77, .epoch = 0, .base_sequence = 9};
    EXPECT_EQ(world_.produce(world_.leader("t"), "t", {"x"}, gap).outcome,
              AppendOutcome::kOutOfOrderSequence);
    EXPECT_EQ(values_of(world_.consume("t")), (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(ClusterBrokerTest, SegmentsEndWhileAProducerWritesAndNothingIsLost) {
    make(3, {.name = "t", .replication_factor = 2, .configs = {{"walrus.segment.records", "5"}}});
    std::vector<std::string> written;
    for (int i = 0; i < 23; ++i) {
        written.push_back("record " + std::to_string(i));
        for (;;) {  // As a client does that follows the leader.
            const auto result = world_.produce(world_.leader("t"), "t", {written.back()});
            if (result.outcome == AppendOutcome::kAppended) break;
            ASSERT_EQ(result.status.error().code, Errc::kNotLeader);
        }
    }
    const cluster::NodeId leader = world_.leader("t");
    EXPECT_GT(info(leader).leader_epoch, 4);
    // With two copies of each on three nodes, the leader must ask others for some.
    EXPECT_EQ(values_of(world_.consume("t")), written);
    EXPECT_EQ(world_.end_offset(leader, "t").value(), Offset{23});
    EXPECT_EQ(world_.offset_at(leader, "t", 0).value(), Offset{0});
    EXPECT_EQ(world_.offset_at(leader, "t", INT64_MAX).value(), Offset{23});
    const broker::TopicDescription topic = world_[leader].describe("t").value();
    const std::vector<broker::SegmentInfo>& segments = topic.partitions[0].segments;
    EXPECT_EQ(segments.front().records, 5u);
    EXPECT_EQ(segments[1].base_offset, Offset{5});
}

TEST_F(ClusterBrokerTest, RecordsAreGivenUpByWholeSegments) {
    make(3, {.name = "t", .configs = {{"walrus.segment.records", "5"}}});
    for (int i = 0; i < 12; ++i) ASSERT_TRUE(world_.put(1, "t", std::to_string(i)));
    std::optional<Status> done;
    const cluster::NodeId leader = world_.leader("t");
    world_[leader].find("t", 0)->delete_records(Offset{7}, [&](Status status) { done = status; });
    ASSERT_TRUE(world_.run_until([&] { return done.has_value(); }));
    EXPECT_TRUE(*done);
    EXPECT_EQ(info(leader).log_start_offset, Offset{5});
    EXPECT_EQ(world_.consume("t").front().value, "5");
    EXPECT_EQ(world_.fetch(leader, "t", Offset{4}).status.error().code, Errc::kOutOfRange);
}

// --- PUT and GET ---

TEST_F(ClusterBrokerTest, PutAndGetWorkFromEveryNodeAndEachRecordIsGotOnce) {
    make();
    std::vector<std::string> written;
    for (int i = 0; i < 9; ++i) {
        written.push_back(std::to_string(i));
        const Status put = world_.put(static_cast<cluster::NodeId>(1 + i % 3), "t", written.back());
        ASSERT_TRUE(put) << put.error().to_string();
    }
    EXPECT_EQ(values_of(world_.consume("t")), written);
    for (int i = 0; i < 9; ++i) {
        const auto got = world_.get(static_cast<cluster::NodeId>(1 + (i + 1) % 3), "t");
        ASSERT_TRUE(got) << got.error().to_string();
        EXPECT_EQ(*got, written[static_cast<std::size_t>(i)]);
    }
    for (const cluster::NodeId id : {1, 2, 3}) EXPECT_EQ(world_.get(id, "t").value(), std::nullopt);
    EXPECT_EQ(world_.get(1, "nope").error().code, Errc::kNotFound);
    EXPECT_EQ(world_.put(1, "nope", "x").error().code, Errc::kNotFound);
}

TEST_F(ClusterBrokerTest, ARecordIsThereForWhoeverAsksAfterItsAcknowledgement) {
    make();
    for (int i = 0; i < 20; ++i) {
        const auto at = [i](int n) { return static_cast<cluster::NodeId>(1 + (i + n) % 3); };
        ASSERT_TRUE(world_.put(at(0), "t", std::to_string(i)));
        EXPECT_EQ(world_.get(at(1), "t").value(), std::to_string(i));
        EXPECT_EQ(world_.get(at(2), "t").value(), std::nullopt);
    }
}

TEST_F(ClusterBrokerTest, ManyPutsShareBatchesAndKeepTheirOrder) {
    make();
    const cluster::NodeId other = world_.follower("t");
    std::vector<std::string> written;
    int acknowledged = 0;
    for (int i = 0; i < 2'500; ++i) {
        written.push_back("record " + std::to_string(i));
        world_[other].put("t", as_bytes(written.back()), [&](const Status& status) {
            EXPECT_TRUE(status);
            ++acknowledged;
        });
    }
    ASSERT_TRUE(world_.run_until([&] { return acknowledged == 2'500; }));
    EXPECT_EQ(values_of(world_.consume("t")), written);
}

// A PUT whose leader dies is sent again; it is there once.
TEST_F(ClusterBrokerTest, PutsSurviveTheirLeaderExactlyOnce) {
    make();
    std::vector<std::string> written;
    int acknowledged = 0;
    for (int round = 0; round < 3; ++round) {
        const cluster::NodeId leader = world_.leader("t");
        const cluster::NodeId other = world_.follower("t");
        for (int i = 0; i < 50; ++i) {
            written.push_back(std::to_string(round) + "." + std::to_string(i));
            world_[other].put("t", as_bytes(written.back()), [&](const Status& status) {
                EXPECT_TRUE(status) << status.error().to_string();
                ++acknowledged;
            });
            if (i == 25) world_.run_for(static_cast<std::uint64_t>(round) * 7);
            if (i == 25) world_.kill(leader);
        }
        ASSERT_TRUE(
            world_.run_until([&] { return acknowledged == static_cast<int>(written.size()); }));
        world_.start(leader);
        ASSERT_TRUE(world_.wait_for_live(3));
    }
    EXPECT_EQ(values_of(world_.consume("t")), written);
}

// What an unknown GET took is lost to it; but no record is given to two.
TEST_F(ClusterBrokerTest, NoRecordIsGotTwiceWhileLeadersDie) {
    make();
    constexpr int kRecords = 60;
    for (int i = 0; i < kRecords; ++i) ASSERT_TRUE(world_.put(1, "t", std::to_string(i)));
    std::multiset<std::string> got;
    int answered = 0;
    int asked = 0;
    int unknown = 0;
    for (int round = 0; round < 3; ++round) {
        const cluster::NodeId leader = world_.leader("t");
        for (int i = 0; i < 10; ++i) {
            for (const cluster::NodeId id : world_.running()) {
                if (id == leader) continue;
                ++asked;
                world_[id].get("t", [&](const Result<std::optional<std::string>>& record) {
                    ++answered;
                    if (!record) ++unknown;
                    if (record && *record) got.insert(**record);
                });
            }
            world_.run_for(static_cast<std::uint64_t>(i % 3));
            if (i == 5) world_.kill(leader);
        }
        ASSERT_TRUE(world_.run_until([&] { return answered == asked; }));
        world_.start(leader);
        ASSERT_TRUE(world_.wait_for_live(3));
    }
    for (;;) {
        const auto rest = world_.get(1, "t");
        ASSERT_TRUE(rest);
        if (!*rest) break;
        got.insert(**rest);
    }
    for (const std::string& value : got) EXPECT_EQ(got.count(value), 1u) << value;
    EXPECT_GE(static_cast<int>(got.size()) + unknown, kRecords) << "only unknown ones are missing";
}

TEST_F(ClusterBrokerTest, WithoutAQuorumAPutSaysInTheEndThatItIsNotKnown) {
    make();
    const cluster::NodeId leader = world_.leader("t");
    ASSERT_TRUE(world_.put(leader, "t", "first"));
    world_.network().isolate(leader);
    const Status put = world_.put(leader, "t", "x");
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code, Errc::kTimeout);
    EXPECT_FALSE(world_.get(leader, "t")) << "it cannot be known whether that was read";
    world_.network().heal_all();
    ASSERT_TRUE(world_.wait_for_live(3));
    ASSERT_TRUE(world_.put(leader, "t", "y"));
    const auto values = values_of(world_.consume("t"));
    EXPECT_EQ(values.front(), "first");
    EXPECT_EQ(values.back(), "y");
    EXPECT_LE(values.size(), 3u);
}

// --- groups ---

TEST_F(ClusterBrokerTest, OffsetsOfGroupsSurviveTheirCoordinator) {
    make(3, {.name = "t", .partitions = 2});
    for (int i = 0; i < 9; ++i) ASSERT_TRUE(world_.put(1, "t", "x"));
    const cluster::NodeId coordinator = world_.controller();
    ASSERT_TRUE(world_.commit(coordinator, "g", "t", 3));
    ASSERT_TRUE(world_.commit(coordinator, "g", "t", 7));
    ASSERT_TRUE(world_.commit(coordinator, "other", "t", 1));
    EXPECT_EQ(world_[coordinator].offsets().committed("g", "t", 0)->offset, Offset{7});
    world_.kill(coordinator);
    const cluster::NodeId next = world_.controller();
    ASSERT_NE(next, coordinator);
    broker::OffsetStore& offsets = world_[next].offsets();
    EXPECT_EQ(offsets.committed("g", "t", 0)->offset, Offset{7});
    EXPECT_EQ(offsets.committed("g", "t", 1), std::nullopt);
    EXPECT_EQ(offsets.of_group("g").size(), 1u);
    EXPECT_EQ(offsets.groups(), (std::vector<std::string>{"g", "other"}));
    ASSERT_TRUE(world_.commit(next, "g", "t", 8));
    ASSERT_TRUE(world_.commit(next, "g", "t", 2)) << "a group may go back";
    EXPECT_EQ(offsets.committed("g", "t", 0)->offset, Offset{2});
    EXPECT_EQ(world_.commit(next, "g", "nope", 2).error().code, Errc::kNotFound);
}

TEST_F(ClusterBrokerTest, AForgottenGroupIsGone) {
    make();
    const cluster::NodeId coordinator = world_.controller();
    ASSERT_TRUE(world_.commit(coordinator, "g", "t", 0));
    std::optional<Status> done;
    world_[coordinator].offsets().forget_group("g", [&](Status status) { done = status; });
    ASSERT_TRUE(world_.run_until([&] { return done.has_value(); }));
    EXPECT_TRUE(*done);
    EXPECT_TRUE(world_[coordinator].offsets().groups().empty());
}

TEST_F(ClusterBrokerTest, ManyCommitsShareProposals) {
    make();
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(world_.put(1, "t", "x"));
    const cluster::NodeId coordinator = world_.controller();
    ASSERT_TRUE(world_.commit(coordinator, "g", "t", 0));
    const auto before = world_.member(coordinator).metadata_facts().applied_index;
    int done = 0;
    for (std::uint64_t i = 1; i <= 100; ++i) {
        std::vector<broker::OffsetCommit> offsets(1);
        offsets[0].topic = "t";
        offsets[0].committed.offset = Offset{i};
        world_[coordinator].offsets().commit("g", std::move(offsets), [&](const Status& status) {
            EXPECT_TRUE(status);
            ++done;
        });
    }
    ASSERT_TRUE(world_.run_until([&] { return done == 100; }));
    EXPECT_LE(world_.member(coordinator).metadata_facts().applied_index, before + 5);
    EXPECT_EQ(world_[coordinator].offsets().committed("g", "t", 0)->offset, Offset{100});
}

TEST_F(ClusterBrokerTest, ProducerIdsAreNeverGivenTwice) {
    make();
    std::set<std::int64_t> ids;
    int answered = 0;
    for (const cluster::NodeId id : {1, 2, 3, 1, 2, 3})
        world_[id].new_producer_id([&](const Result<std::int64_t>& producer) {
            ++answered;
            ASSERT_TRUE(producer);
            EXPECT_GT(*producer, 0);
            ids.insert(*producer);
        });
    ASSERT_TRUE(world_.run_until([&] { return answered == 6; }));
    EXPECT_EQ(ids.size(), 6u);
}

// --- the end ---

TEST_F(ClusterBrokerTest, ClosingAnswersWhatWaitsAndLaterCalls) {
    make();
    const cluster::NodeId leader = world_.leader("t");
    int answered = 0;
    const auto closed = [&](const auto& answer) {
        ++answered;
        EXPECT_EQ(answer.error().code, Errc::kClosed);
    };
    world_[leader].put("t", as_bytes("x"), closed);
    world_[leader].get("t", closed);
    world_[leader].create_topic({.name = "new"}, false, closed);
    world_[leader].close();
    EXPECT_EQ(answered, 3);
    world_[leader].put("t", as_bytes("x"), closed);
    world_[leader].get("t", closed);
    world_[leader].create_topic({.name = "new"}, false, closed);
    world_[leader].new_producer_id(closed);
    EXPECT_EQ(answered, 7);
    EXPECT_EQ(world_[leader].find("t", 0)->info().leader, -1);
}

}  // namespace
}  // namespace walrus::cluster_broker
