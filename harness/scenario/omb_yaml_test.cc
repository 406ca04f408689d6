#include "harness/scenario/omb_yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/scenario/scenario.h"

namespace walrus::harness {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

constexpr const char* kWorkload = R"(name: 2 topics / 4 partitions / 1kb
topics: 2
partitionsPerTopic: 4
keyDistributor: "KEY_ROUND_ROBIN"
messageSize: 1024
payloadFile: "payload/payload-1Kb.data"
subscriptionsPerTopic: 3
consumerPerSubscription: 1
producersPerTopic: 5
producerRate: 50000
consumerBacklogSizeGB: 0
testDurationMinutes: 5
)";

// kWorkload with one piece replaced.
std::string edited(const std::string& from, const std::string& to) {
    std::string text = kWorkload;
    text.replace(text.find(from), from.size(), to);
    return text;
}

Row row_of(const std::string& text) {
    const auto omb = read_omb_workload(text, "dir/two-topics.yaml");
    EXPECT_TRUE(omb) << omb.error().message;
    const auto scenario = parse_scenario(omb->toml, "dir/two-topics.yaml");
    EXPECT_TRUE(scenario) << scenario.error().message << "\n" << omb->toml;
    EXPECT_EQ(scenario->name, "two-topics");
    EXPECT_EQ(scenario->rows.size(), 1u);
    return scenario->rows.front();
}

std::string problems_of(const std::string& text) {
    const auto omb = read_omb_workload(text, "x.yaml");
    return omb ? "none" : omb.error().message;
}

TEST(OmbYaml, ARateWithConsumersIsATailRow) {
    const Row row = row_of(kWorkload);
    EXPECT_EQ(row.name, "2 topics / 4 partitions / 1kb");
    EXPECT_EQ(row.measure, Measure::kTail);
    EXPECT_EQ(row.durability, Durability::kDisk);
    const Workload& workload = row.workload;
    EXPECT_EQ(workload.load, Load::kOpen);
    EXPECT_EQ(workload.rate_per_s, 50'000u);
    EXPECT_EQ(workload.topics, 8u);
    EXPECT_EQ(workload.writers, 10u);
    EXPECT_EQ(workload.readers, 3u);
    EXPECT_EQ(workload.payload_bytes, 1'024u);
    EXPECT_EQ(workload.duration_ns, 300'000'000'000u);
    EXPECT_EQ(workload.warmup_ns, 60'000'000'000u);  // That benchmark's default.
}

TEST(OmbYaml, WithoutARateTheHighestOneIsSearched) {
    const Row row = row_of(edited("producerRate: 50000", "producerRate: 0"));
    EXPECT_EQ(row.measure, Measure::kMaxRate);
    EXPECT_GT(row.p99_ns, 0u);
    EXPECT_EQ(row.workload.readers, 0u);
}

TEST(OmbYaml, ABacklogIsDrainedUnderLoad) {
    const Row row = row_of(edited("consumerBacklogSizeGB: 0", "consumerBacklogSizeGB: 6"));
    EXPECT_EQ(row.measure, Measure::kDrain);
    EXPECT_TRUE(row.workload.under_load);
    EXPECT_EQ(row.workload.max_bytes, std::uint64_t{2} << 30);  // Per subscription.
}

TEST(OmbYaml, WithoutConsumersItIsAnAppendRow) {
    EXPECT_EQ(row_of(edited("subscriptionsPerTopic: 3", "subscriptionsPerTopic: 0")).measure,
              Measure::kAppend);
}

TEST(OmbYaml, WhatIsDoneInAnotherWayIsSaid) {
    const auto omb = read_omb_workload(kWorkload, "x.yaml");
    ASSERT_TRUE(omb);
    EXPECT_THAT(omb->notes, Contains(HasSubstr("KEY_ROUND_ROBIN")));
    EXPECT_THAT(omb->notes, Contains(HasSubstr("payloads are always random")));
}

// --- what is refused ---

TEST(OmbYamlErrors, UnknownKeysHaveTheirLineAndASuggestion) {
    EXPECT_EQ(problems_of(edited("producerRate", "producersRate")),
              "x.yaml:10: unknown key \"producersRate\" (did you mean \"producerRate\"?)\n"
              "x.yaml:1: producerRate: is needed");
}

TEST(OmbYamlErrors, ValuesThatCannotBeHaveTheirLine) {
    EXPECT_THAT(problems_of(edited("messageSize: 1024", "messageSize: 8")),
                HasSubstr("x.yaml:5: messageSize: 8 is not between 40 and"));
    EXPECT_THAT(problems_of(edited("topics: 2", "topics: many")),
                HasSubstr("x.yaml:2: topics: must be a whole number"));
    EXPECT_THAT(problems_of(edited("testDurationMinutes: 5", "testDurationMinutes: -1")),
                HasSubstr("-1 is not between 1 and"));
    EXPECT_THAT(problems_of(edited("topics: 2", "topics: [1, 2]")),
                HasSubstr("x.yaml:2: topics: must be a whole number"));
}

TEST(OmbYamlErrors, WhatIsNoYamlHasItsLine) {
    EXPECT_THAT(problems_of("name: x\ntopics: [1, 2\n"), HasSubstr("x.yaml:"));
    EXPECT_THAT(problems_of("just text"), HasSubstr("x.yaml:1: must be a table"));
    EXPECT_THAT(problems_of(""), HasSubstr("x.yaml:1: must be a table"));
    EXPECT_THAT(problems_of("? [a, b]\n: c\n"), HasSubstr("unknown key"));
}

TEST(OmbYamlErrors, ABacklogNeedsSomebodyToDrainIt) {
    std::string text = edited("consumerBacklogSizeGB: 0", "consumerBacklogSizeGB: 1");
    text.replace(text.find("subscriptionsPerTopic: 3"), 24, "subscriptionsPerTopic: 0");
    EXPECT_THAT(problems_of(text), HasSubstr("needs subscriptionsPerTopic"));
}

}  // namespace
}  // namespace walrus::harness
