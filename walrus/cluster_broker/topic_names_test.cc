#include "walrus/cluster_broker/topic_names.h"

#include <gtest/gtest.h>

namespace walrus::cluster_broker {
namespace {

TEST(TopicNames, EveryPartitionHasANameOfItsOwn) {
    EXPECT_EQ(cluster_topic_name("logs", 0), "logs");
    EXPECT_EQ(cluster_topic_name("logs", 1), "logs/1");
    EXPECT_EQ(cluster_topic_name("logs", 12), "logs/12");
}

TEST(TopicNames, ANameSaysWhichPartitionItIs) {
    for (const std::int32_t partition : {0, 1, 9, 10, 2147483647}) {
        const std::string name = cluster_topic_name("a.b-c_1", partition);
        EXPECT_EQ(parse_cluster_topic(name), (PartitionName{"a.b-c_1", partition})) << name;
    }
}

TEST(TopicNames, NoTwoNamesAreOnePartition) {
    for (const char* name : {"t/", "t/0", "t/01", "t/+1", "t/-1", "t/1x", "t/1/2", "t/2147483648"})
        EXPECT_EQ(parse_cluster_topic(name), std::nullopt) << name;
}

}  // namespace
}  // namespace walrus::cluster_broker
