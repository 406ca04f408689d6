#include "harness/driver/settings.h"

#include <gtest/gtest.h>

#include <array>

namespace walrus::harness {
namespace {

TEST(Settings, SizesHaveBinaryAndDecimalUnits) {
    EXPECT_EQ(*parse_bytes("4096"), 4096u);
    EXPECT_EQ(*parse_bytes("64KiB"), 65536u);
    EXPECT_EQ(*parse_bytes("1.5 GiB"), 1610612736u);
    EXPECT_EQ(*parse_bytes("10MB"), 10'000'000u);
    EXPECT_EQ(parse_bytes("10 parsecs").error().code, Errc::kInvalidArgument);
    EXPECT_EQ(parse_bytes("-1").error().code, Errc::kInvalidArgument);
    EXPECT_EQ(parse_bytes("").error().code, Errc::kInvalidArgument);
}

TEST(Settings, DurationsNeedAUnit) {
    EXPECT_EQ(*parse_duration_ns("250us"), 250'000u);
    EXPECT_EQ(*parse_duration_ns("1.5s"), 1'500'000'000u);
    EXPECT_EQ(*parse_duration_ns("2m"), 120'000'000'000u);
    EXPECT_EQ(parse_duration_ns("10").error().code, Errc::kInvalidArgument);
}

TEST(Settings, NumbersArePrintedForPeople) {
    EXPECT_EQ(format_count(0), "0");
    EXPECT_EQ(format_count(999), "999");
    EXPECT_EQ(format_count(1'234'567), "1,234,567");
    EXPECT_EQ(format_duration(131'400), "131 us");
    EXPECT_EQ(format_duration(2'500'000), "2.50 ms");
    EXPECT_EQ(format_duration(999'600), "1.00 ms");
    EXPECT_EQ(format_bytes(64 << 20), "64 MiB");
}

TEST(Settings, AMisspeltNameGetsASuggestion) {
    const std::array<std::string_view, 3> known = {"writers", "batch", "topics"};
    EXPECT_EQ(did_you_mean("writrs", known), " (did you mean \"writers\"?)");
    EXPECT_EQ(did_you_mean("zzzzzz", known), " (known: writers, batch, topics)");
}

TEST(SettingsReader, UnknownSettingsAreErrors) {
    const Settings settings = {{"file_sze", "1MiB"}};
    SettingsReader reader(settings);
    EXPECT_EQ(reader.bytes("file_size", 7), 7u);
    const Status status = reader.finish();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message, "unknown setting \"file_sze\" (did you mean \"file_size\"?)");
}

TEST(SettingsReader, BadValuesAreErrorsThatNameTheSetting) {
    const Settings settings = {{"shards", "many"}};
    SettingsReader reader(settings);
    EXPECT_EQ(reader.number("shards", 1), 1u);
    const Status status = reader.finish();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message, "setting shards: \"many\" is not a whole number");
}

TEST(Durability, UnknownClassesAreRefusedWithASuggestion) {
    EXPECT_EQ(*parse_durability("os-interval"), Durability::kOsInterval);
    EXPECT_EQ(parse_durability("dsk").error().message,
              "unknown durability class \"dsk\" (did you mean \"disk\"?)");
}

TEST(Registry, AbsentDriversAreKnownByNameWithTheReason) {
    Registry registry;
    registry.add_absent("kafka", "no Java");
    EXPECT_EQ(registry.find("kafka").error().code, Errc::kUnsupported);
    EXPECT_EQ(registry.find("kafkq").error().code, Errc::kNotFound);
    EXPECT_NE(registry.find("kafkq").error().message.find("did you mean"), std::string::npos);
}

}  // namespace
}  // namespace walrus::harness
