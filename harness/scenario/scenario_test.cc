#include "harness/scenario/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "harness/driver/file_driver.h"
#include "harness/driver/null_driver.h"
#include "harness/scenario/scenario_json.h"

namespace walrus::harness {
namespace {

using ::testing::HasSubstr;

constexpr const char* kSmall = R"(name = "small"
[workload]
payload_bytes = 100
[[system]]
name = "a"
driver = "file"
[[system]]
name = "b"
driver = "file"
settings = { misbehave = "drop" }
[[row]]
name = "appends"
durability = "disk"
systems = ["a", "b"]
baseline = "a"
workload = { writers = [1, 10], batch = 4, duration = "2s" }
)";

std::string problems_of(const std::string& text, const std::vector<Override>& overrides = {}) {
    const auto scenario = parse_scenario(text, "x.toml", overrides);
    return scenario ? "none" : scenario.error().message;
}

// kSmall with one piece replaced.
std::string edited(const std::string& from, const std::string& to) {
    std::string text = kSmall;
    text.replace(text.find(from), from.size(), to);
    return text;
}

TEST(Scenario, ListsAreSweptIntoRows) {
    const auto scenario = parse_scenario(kSmall, "x.toml");
    ASSERT_TRUE(scenario) << scenario.error().message;
    ASSERT_EQ(scenario->rows.size(), 2u);
    EXPECT_EQ(scenario->rows[0].name, "appends, 1 writer");
    EXPECT_EQ(scenario->rows[1].name, "appends, 10 writers");
    EXPECT_EQ(scenario->rows[1].workload.writers, 10u);
    EXPECT_EQ(scenario->rows[1].workload.batch, 4u);
    EXPECT_EQ(scenario->rows[1].workload.payload_bytes, 100u);
    EXPECT_EQ(scenario->rows[1].workload.duration_ns, 2'000'000'000u);
    EXPECT_EQ(scenario->find_system("b")->settings.at("misbehave"), "drop");
}

TEST(Scenario, SurvivesTheWayThroughJson) {
    const auto scenario = parse_scenario(kSmall, "x.toml");
    const auto again = nlohmann::json::parse(nlohmann::json(*scenario).dump()).get<Scenario>();
    EXPECT_EQ(again.rows, scenario->rows);
    EXPECT_EQ(again.systems, scenario->systems);
    EXPECT_EQ(again.seed, scenario->seed);
}

TEST(Scenario, OverridesReplaceValuesAndCreateThem) {
    const auto scenario =
        parse_scenario(kSmall, "x.toml",
                       {"row.*.workload.duration=500ms", "workload.payload_bytes=200",
                        "repetitions=3", "system.1.settings.misbehave=none"});
    ASSERT_TRUE(scenario) << scenario.error().message;
    EXPECT_EQ(scenario->rows[0].workload.duration_ns, 500'000'000u);
    EXPECT_EQ(scenario->rows[0].workload.payload_bytes, 200u);
    EXPECT_EQ(scenario->repetitions, 3u);
    EXPECT_EQ(scenario->systems[1].settings.at("misbehave"), "none");
}

TEST(Scenario, QuickShortensButKeepsTheRows) {
    auto scenario = parse_scenario(kSmall, "x.toml");
    make_quick(*scenario);
    EXPECT_EQ(scenario->repetitions, 3u);
    EXPECT_EQ(scenario->rows.size(), 2u);
    EXPECT_EQ(scenario->rows[0].workload.duration_ns, 500'000'000u);
}

TEST(Scenario, EveryFileOfTheProjectIsValid) {
    Registry registry;
    registry.add(make_null_driver());
    registry.add(make_file_driver());
    registry.add_absent("walrus", "its settings are checked by its own tests");
    registry.add_absent("rocksdb", "its settings are checked by its own tests");
    int files = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(WALRUS_SCENARIO_DIRECTORY)) {
        if (entry.path().extension() != ".toml") continue;
        ++files;
        const auto scenario = load_scenario(entry.path());
        ASSERT_TRUE(scenario) << scenario.error().message;
        const Status status = check_against(*scenario, registry);
        EXPECT_TRUE(status) << status.error().message;
        EXPECT_EQ(scenario->name, entry.path().stem());
    }
    EXPECT_GT(files, 0);
}

// --- what is refused ---

TEST(ScenarioErrors, AnUnknownKeyHasItsLineAndASuggestion) {
    EXPECT_EQ(problems_of(edited("payload_bytes", "payload_byte")),
              "x.toml:3: [workload]: unknown key \"payload_byte\" (did you mean "
              "\"payload_bytes\"?)");
    EXPECT_THAT(problems_of(edited("durability", "durabilty")),
                HasSubstr("x.toml:13: [[row]]: unknown key \"durabilty\" (did you mean "
                          "\"durability\"?)"));
}

TEST(ScenarioErrors, AllProblemsAreReportedAtOnce) {
    std::string text = edited("\"disk\"", "\"dsk\"");
    text.replace(text.find("batch = 4"), 9, "batch = 0");
    EXPECT_THAT(problems_of(text), HasSubstr("unknown durability class \"dsk\" (did you mean"));
    EXPECT_THAT(problems_of(text),
                HasSubstr("x.toml:16: [[row]] workload batch: 0 is not between"));
}

TEST(ScenarioErrors, AMissingSystemIsNamed) {
    EXPECT_THAT(problems_of(edited("[\"a\", \"b\"]", "[\"a\", \"c\"]")),
                HasSubstr("x.toml:14: [[row]] systems: no [[system]] is called \"c\""));
    EXPECT_THAT(problems_of(edited("baseline = \"a\"", "baseline = \"z\"")),
                HasSubstr("x.toml:15: [[row]] baseline: no [[system]] is called \"z\""));
}

TEST(ScenarioErrors, ImpossibleCombinationsAreRefused) {
    EXPECT_THAT(problems_of(edited("batch = 4", "outstanding = 4")),
                HasSubstr("outstanding > 1 needs load = \"window\""));
    EXPECT_THAT(problems_of(edited("name = \"appends\"", "name = \"s\"\nmeasure = \"scan\"")),
                HasSubstr("measure = \"scan\" needs max_bytes"));
    EXPECT_THAT(problems_of(edited("\"2s\"", "\"0s\"")), HasSubstr("nothing is measured in 0 s"));
    EXPECT_THAT(problems_of(edited("payload_bytes = 100", "payload_bytes = 8")),
                HasSubstr("8 is not between 32 and"));
}

TEST(ScenarioErrors, UnlikeRowsAreNotCompared) {
    const std::string text = std::string(kSmall) +
                             "[[row]]\nname = \"other\"\ndurability = \"process\"\n"
                             "systems = [\"a\"]\nbaseline = \"a\"\n"
                             "baseline_row = \"appends, 1 writer\"\n";
    EXPECT_THAT(problems_of(text), HasSubstr("unlike rows are not compared"));
}

TEST(ScenarioErrors, WrongTypesAndBadSyntaxHaveTheirLine) {
    EXPECT_THAT(problems_of(edited("payload_bytes = 100", "payload_bytes = \"many\"")),
                HasSubstr("x.toml:3: [workload] payload_bytes: must be a whole number"));
    EXPECT_THAT(problems_of("name = \n"), HasSubstr("x.toml:1: "));
    EXPECT_THAT(problems_of("name = \"x\"\n"), HasSubstr("needs at least one [[row]]"));
}

TEST(ScenarioErrors, AnOverrideMustFindItsPlace) {
    EXPECT_THAT(problems_of(kSmall, {"nonsense"}), HasSubstr("must be key=value"));
    EXPECT_THAT(problems_of(kSmall, {"row.7.name=x"}), HasSubstr("no such place"));
    EXPECT_THAT(problems_of(kSmall, {"repetition=3"}),
                HasSubstr("unknown key \"repetition\" (did you mean \"repetitions\"?)"));
}

TEST(ScenarioErrors, AMissingFileIsNotFound) {
    EXPECT_EQ(load_scenario("/nowhere/at/all.toml").error().code, Errc::kNotFound);
}

TEST(ScenarioErrors, WhatADriverCannotDoIsRefusedBeforeTheRun) {
    Registry registry;
    registry.add(make_file_driver());
    const auto problems = [&](const std::string& text) {
        const Status status = check_against(*parse_scenario(text, "x.toml"), registry);
        return status ? "none" : status.error().message;
    };
    EXPECT_EQ(problems(kSmall), "none");
    EXPECT_THAT(problems(edited("\"disk\"", "\"none\"")),
                HasSubstr("x.toml:11: row \"appends, 1 writer\" with system a: durability class "
                          "none is not offered"));
    EXPECT_THAT(problems(edited("\"drop\"", "\"dorp\"")), HasSubstr("did you mean \"drop\"?"));
    EXPECT_THAT(problems(edited("driver = \"file\"", "driver = \"fill\"")),
                HasSubstr("x.toml:4: unknown driver \"fill\" (did you mean \"file\"?)"));
}

}  // namespace
}  // namespace walrus::harness
