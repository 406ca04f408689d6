#include "walrus/broker/topic_config.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace walrus::broker {
namespace {

using wal::DurabilityClass;

constexpr ConfigDefaults::Limits kLimits{8 << 20, 200, 64 << 20};

ConfigDefaults defaults(const std::vector<ConfigEntry>& changed = {}) {
    return ConfigDefaults::make(kLimits, changed).value();
}

DurabilityClass durability(const std::vector<ConfigEntry>& configs,
                           const std::vector<ConfigEntry>& changed = {}) {
    return defaults(changed).effective(configs).durability;
}

TEST(TopicConfig, KafkasNamesChooseTheDurabilityAndOursWins) {
    EXPECT_EQ(durability({}), DurabilityClass::kDisk);
    EXPECT_EQ(durability({{"flush.messages", "1"}}), DurabilityClass::kDisk);
    EXPECT_EQ(durability({{"flush.ms", "1000"}}), DurabilityClass::kOsInterval);
    EXPECT_EQ(durability({{"flush.ms", "10"}}), DurabilityClass::kDisk);  // We sync less often.
    EXPECT_EQ(durability({{"flush.messages", "1"}, {"flush.ms", "1000"}}), DurabilityClass::kDisk);
    EXPECT_EQ(durability({{"flush.messages", "1"}, {"walrus.durability", "process"}}),
              DurabilityClass::kProcess);
    // The broker's default, and a topic that says otherwise in Kafka's words.
    EXPECT_EQ(durability({}, {{"walrus.durability", "process"}}), DurabilityClass::kProcess);
    EXPECT_EQ(durability({{"flush.messages", "1"}}, {{"walrus.durability", "process"}}),
              DurabilityClass::kDisk);
    EXPECT_EQ(
        durability({{"flush.messages", "9223372036854775807"}}, {{"walrus.durability", "process"}}),
        DurabilityClass::kProcess);
}

TEST(TopicConfig, NumbersAreAsKafkaMeansThem) {
    const TopicConfig usual = defaults().effective({});
    EXPECT_EQ(usual.max_message_bytes, 1'048'588U);
    EXPECT_EQ(usual.retention.max_age_ms, 604'800'000U);
    EXPECT_EQ(usual.retention.max_bytes, 0U);
    EXPECT_FALSE(usual.append_time);
    const TopicConfig set = defaults().effective({{"retention.ms", "-1"},
                                                  {"retention.bytes", "0"},
                                                  {"message.timestamp.type", "LogAppendTime"}});
    EXPECT_EQ(set.retention.max_age_ms, 0U);
    EXPECT_EQ(set.retention.max_bytes, 1U);
    EXPECT_TRUE(set.append_time);
}

TEST(TopicConfig, EveryKnownNameIsDescribed) {
    const std::vector<ConfigEntry> all =
        defaults({{"retention.ms", "7"}}).describe({{"flush.ms", "1000"}});
    EXPECT_EQ(all.size(), 11U);
    EXPECT_TRUE(std::ranges::is_sorted(all, {}, &ConfigEntry::name));
    const auto value = [&](std::string_view name) {
        const auto it = std::ranges::find(all, name, &ConfigEntry::name);
        return it->value + (it->is_default ? "" : "!");
    };
    EXPECT_EQ(value("retention.ms"), "7");
    EXPECT_EQ(value("flush.ms"), "1000!");
    EXPECT_EQ(value("walrus.durability"), "os-interval");
    EXPECT_EQ(value("segment.bytes"), "67108864");
}

TEST(TopicConfig, ChangesReplaceAddAndGoBackToTheDefault) {
    const std::vector<ConfigEntry> merged =
        merge_configs({{"b", "1"}, {"c", "2"}}, {{"c", "3"}, {"a", "4"}, {"b", "", true}});
    ASSERT_EQ(merged.size(), 2U);
    EXPECT_EQ(merged[0].name + merged[0].value, "a4");
    EXPECT_EQ(merged[1].name + merged[1].value, "c3");
}

// --- error paths ---

TEST(TopicConfig, ImpossibleValuesAreRefusedByNameWithWhatWouldDo) {
    const ConfigDefaults known = defaults();
    const std::vector<ConfigEntry> bad[] = {
        {{"cleanup.policy", "compact"}},     {{"compression.type", "gzip"}},
        {{"flush.messages", "0"}},           {{"flush.ms", "-1"}},
        {{"max.message.bytes", "8388609"}},  {{"max.message.bytes", "1e3"}},
        {{"message.timestamp.type", "now"}}, {{"min.insync.replicas", "2"}},
        {{"retention.bytes", "-2"}},         {{"retention.ms", ""}},
        {{"segment.bytes", "13"}},           {{"walrus.durability", "none"}},
        {{"retention.hours", "1"}}};
    for (const std::vector<ConfigEntry>& configs : bad) {
        const Status status = known.check(configs);
        ASSERT_FALSE(status) << configs[0].name;
        EXPECT_EQ(status.error().code, Errc::kInvalidArgument);
        EXPECT_NE(status.error().message.find(configs[0].name), std::string::npos);
    }
    EXPECT_NE(known.check({{"walrus.durability", "none"}}).error().message.find("process"),
              std::string::npos);
    EXPECT_TRUE(known.check({{"max.message.bytes", "8388608"}, {"retention.ms", "0"}}));
}

}  // namespace
}  // namespace walrus::broker
