#include "walrus/cluster_broker/cluster_configs.h"

#include <gtest/gtest.h>

#include <map>

namespace walrus::cluster_broker {
namespace {

using Entries = std::vector<broker::ConfigEntry>;

constexpr std::uint64_t kBatchBytes = 1'048'588;

ClusterConfigs configs(const Entries& changed = {}) {
    return ClusterConfigs::make(kBatchBytes, changed).value();
}

std::map<std::string, std::string> described(const ClusterConfigs& configs,
                                             const cluster::TopicConfig& config) {
    std::map<std::string, std::string> values;
    for (const broker::ConfigEntry& entry : configs.describe(config))
        values[entry.name] = entry.value;
    return values;
}

TEST(ClusterConfigs, ATopicThatSaysNothingHasThreeCopiesOfWhichTwoMakeABatchDurable) {
    const cluster::TopicConfig config = configs().of_new_topic(0, 5, {}).value();
    EXPECT_EQ(config.replication_factor, 3u);
    EXPECT_EQ(config.ack_quorum, 2u);
    EXPECT_EQ(config.min_ack, 2u);
    EXPECT_EQ(config.durability, cluster::Durability::kDisk);
    EXPECT_EQ(config.retention.max_age_ms, 604'800'000u);
}

TEST(ClusterConfigs, ASmallClusterHasAsManyCopiesAsNodes) {
    EXPECT_EQ(configs().of_new_topic(0, 1, {})->replication_factor, 1u);
    EXPECT_EQ(configs().of_new_topic(0, 1, {})->ack_quorum, 1u);
    EXPECT_EQ(configs().of_new_topic(0, 2, {})->ack_quorum, 2u);
}

TEST(ClusterConfigs, MoreCopiesThanNodesAreRefused) {
    const auto refused = configs().of_new_topic(4, 3, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::kInvalidArgument);
    EXPECT_NE(refused.error().message.find("has 3 nodes"), std::string::npos);
}

TEST(ClusterConfigs, EveryNameSetsWhatItSays) {
    const cluster::TopicConfig config = configs()
                                            .of_new_topic(3, 3,
                                                          {{"retention.bytes", "1000"},
                                                           {"retention.ms", "-1"},
                                                           {"walrus.retention.records", "7"},
                                                           {"walrus.reclaim.read", "true"},
                                                           {"segment.bytes", "4096"},
                                                           {"segment.ms", "60000"},
                                                           {"walrus.segment.records", "100"},
                                                           {"walrus.durability", "process"}})
                                            .value();
    EXPECT_EQ(config.retention, (cluster::Retention{0, 1000, 7, true}));
    EXPECT_EQ(config.limits, (cluster::SegmentLimits{100, 4096, 60'000}));
    EXPECT_EQ(config.durability, cluster::Durability::kProcess);
}

TEST(ClusterConfigs, WhatIsDescribedMakesTheSameTopic) {
    const ClusterConfigs all = configs({{"walrus.durability", "os-interval"}});
    const cluster::TopicConfig config = all.of_new_topic(5, 5,
                                                         {{"min.insync.replicas", "1"},
                                                          {"walrus.ack.quorum", "4"},
                                                          {"retention.ms", "5"},
                                                          {"walrus.segment.records", "9"}})
                                            .value();
    Entries entries;
    for (broker::ConfigEntry entry : all.describe(config)) {
        entry.is_default = false;
        entries.push_back(entry);
    }
    EXPECT_EQ(all.of_new_topic(5, 5, entries).value(), config);
}

TEST(ClusterConfigs, DefaultsAreToldApartFromWhatWasSet) {
    const ClusterConfigs all = configs();
    const auto config = all.of_new_topic(3, 3, {{"retention.ms", "5"}});
    for (const broker::ConfigEntry& entry : all.describe(*config))
        EXPECT_EQ(entry.is_default, entry.name != "retention.ms") << entry.name;
}

TEST(ClusterConfigs, MinInsyncReplicasRaisesTheQuorumAndNeverLowersItBelowAMajority) {
    EXPECT_EQ(configs().of_new_topic(3, 3, {{"min.insync.replicas", "3"}})->ack_quorum, 3u);
    const auto low = configs().of_new_topic(3, 3, {{"min.insync.replicas", "1"}});
    EXPECT_EQ(low->ack_quorum, 2u) << "while two nodes live, both have what was acknowledged";
    EXPECT_EQ(low->min_ack, 1u) << "the last node goes on alone";
}

TEST(ClusterConfigs, AnImpossibleQuorumIsRefusedWithItsNumbers) {
    const auto refused = configs().of_new_topic(3, 3, {{"min.insync.replicas", "4"}});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("replication factor 3"), std::string::npos);
}

TEST(ClusterConfigs, AChangeKeepsTheRest) {
    const ClusterConfigs all = configs();
    const auto before = all.of_new_topic(3, 3, {{"retention.ms", "5"}, {"segment.bytes", "6"}});
    const auto after = all.changed(*before, {{"retention.ms", "", true}, {"segment.ms", "7"}});
    EXPECT_EQ(after->retention.max_age_ms, 604'800'000u) << "back to the default";
    EXPECT_EQ(after->limits.max_bytes, 6u);
    EXPECT_EQ(after->limits.max_age_ms, 7u);
    EXPECT_EQ(all.changed(*before, {{"min.insync.replicas", "3"}})->ack_quorum, 3u);
}

TEST(ClusterConfigs, TheBrokersDefaultsAreThoseOfNewTopics) {
    const ClusterConfigs all = configs({{"walrus.replication.factor", "2"},
                                        {"walrus.segment.records", "10"},
                                        {"min.insync.replicas", "3"}});
    const auto config = all.of_new_topic(0, 5, {});
    EXPECT_EQ(config->replication_factor, 2u);
    EXPECT_EQ(config->limits.max_records, 10u);
    EXPECT_EQ(config->min_ack, 2u) << "cut to the copies there are";
    EXPECT_EQ(described(all, *config)["walrus.segment.records"], "10");
}

TEST(ClusterConfigs, FlushMeansTheDisk) {
    const ClusterConfigs all = configs({{"walrus.durability", "process"}});
    EXPECT_EQ(all.of_new_topic(1, 1, {})->durability, cluster::Durability::kProcess);
    EXPECT_EQ(all.of_new_topic(1, 1, {{"flush.messages", "1"}})->durability,
              cluster::Durability::kDisk);
}

TEST(ClusterConfigs, WhatCannotBeIsRefusedByName) {
    const Entries impossible = {
        {"cleanup.policy", "compact"}, {"message.timestamp.type", "LogAppendTime"},
        {"retention.ms", "-2"},        {"retention.ms", "soon"},
        {"no.such.config", "1"},       {"max.message.bytes", "5"},
        {"walrus.durability", "tape"}, {"walrus.segment.records", "0"},
        {"walrus.ack.quorum", "17"}};
    for (const broker::ConfigEntry& entry : impossible) {
        const auto refused = configs().of_new_topic(1, 1, {entry});
        ASSERT_FALSE(refused) << entry.name;
        EXPECT_EQ(refused.error().code, Errc::kInvalidArgument);
        EXPECT_NE(refused.error().message.find(entry.name), std::string::npos);
    }
    EXPECT_FALSE(ClusterConfigs::make(kBatchBytes, {{"walrus.replication.factor", "0"}}));
}

}  // namespace
}  // namespace walrus::cluster_broker
