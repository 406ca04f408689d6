#include "harness/scenario/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/file_driver.h"
#include "harness/driver/null_driver.h"
#include "harness/scenario/resilience.h"
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

// What the file at `path` is called, when all is well with it.
Result<std::string> checked_name(const std::string& path, const Registry& registry) {
    const auto kind = document_kind(path);
    if (!kind) return kind.error();
    if (*kind == DocumentKind::kSuite) {
        const auto suite = load_suite(path);
        if (!suite) return suite.error();
        return suite->name;
    }
    if (*kind == DocumentKind::kResilience) {
        const auto scenario = parse_resilience(read_whole_file(path).value_or(""), path);
        if (!scenario) return scenario.error();
        WALRUS_RETURN_IF_ERROR(check_against(*scenario, registry));
        return scenario->name;
    }
    const auto scenario = load_scenario(path);
    if (!scenario) return scenario.error();
    WALRUS_RETURN_IF_ERROR(check_against(*scenario, registry));
    return scenario->name;
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

TEST(Scenario, SettingsOfARowAreOnTopOfThoseOfItsSystems) {
    const auto scenario =
        parse_scenario(edited("baseline = \"a\"", "settings = { misbehave = \"none\" }"), "x.toml");
    ASSERT_TRUE(scenario) << scenario.error().message;
    const Row& row = scenario->rows.front();
    EXPECT_EQ(merged_settings(scenario->find_system("b")->settings, row.settings),
              (Settings{{"misbehave", "none"}}));
    EXPECT_EQ(merged_settings({{"x", "1"}}, row.settings),
              (Settings{{"misbehave", "none"}, {"x", "1"}}));
    EXPECT_EQ(nlohmann::json(row).get<Row>(), row);
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
    for (const char* server : {"kafka", "walrusd"}) {
        registry.add_absent(server, "its settings are checked by its own tests");
    }
    registry.add_absent("upstream", "its settings are checked by its own tests");
    int files = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(WALRUS_SCENARIO_DIRECTORY)) {
        const std::string kind = entry.path().extension();
        if (kind != ".toml" && kind != ".yaml") continue;
        ++files;
        const Result<std::string> name = checked_name(entry.path(), registry);
        ASSERT_TRUE(name) << name.error().message;
        EXPECT_EQ(*name, entry.path().stem());
    }
    EXPECT_GT(files, 0);
}

TEST(Scenario, OpenLoopsBurstsAndReadersHaveTheirKeys) {
    const auto scenario = parse_scenario(R"(name = "loads"
[workload]
payload_bytes = 500
payload_bytes_max = 1024
[[system]]
name = "a"
driver = "file"
[[row]]
name = "open"
durability = "disk"
systems = ["a"]
p99 = "5ms"
workload = { load = "open", rate_per_s = [100, 2_000], arrivals = "poisson", outstanding = 8 }
[[row]]
name = "burst"
durability = "disk"
systems = ["a"]
[row.workload]
load = "burst"
burst_records = 50
burst_growth_records = 10
burst_most_records = 90
burst_pause = "3ms"
[[row]]
name = "search"
measure = "max-rate"
durability = "disk"
systems = ["a"]
p99 = "10ms"
workload = { load = "open" }
[[row]]
name = "drain"
measure = "drain"
durability = "disk"
systems = ["a"]
workload = { readers = 3, max_bytes = "1MiB", under_load = true }
)",
                                         "x.toml");
    ASSERT_TRUE(scenario) << scenario.error().message;
    ASSERT_EQ(scenario->rows.size(), 5u);
    const Row& open = *scenario->find_row("open, 2,000/s");
    EXPECT_EQ(open.p99_ns, 5'000'000u);
    EXPECT_EQ(open.workload.load, Load::kOpen);
    EXPECT_EQ(open.workload.rate_per_s, 2'000u);
    EXPECT_EQ(open.workload.arrivals, Arrivals::kPoisson);
    EXPECT_EQ(open.workload.outstanding, 8u);
    EXPECT_EQ(open.workload.payload_bytes_max, 1'024u);
    EXPECT_EQ(describe(open.workload), "1 writer, 8 in flight, 2,000 records/s (Poisson)");
    EXPECT_EQ(
        scenario->find_row("burst")->workload.bursts,
        (Bursts{.records = 50, .growth_records = 10, .most_records = 90, .pause_ns = 3'000'000}));
    EXPECT_EQ(scenario->find_row("search")->measure, Measure::kMaxRate);
    const Row& drain = *scenario->find_row("drain");
    EXPECT_TRUE(drain.workload.under_load);
    EXPECT_TRUE(needs_live_read(drain));
    EXPECT_EQ(drain.workload.readers, 3u);
    const auto again = nlohmann::json::parse(nlohmann::json(*scenario).dump()).get<Scenario>();
    EXPECT_EQ(again.rows, scenario->rows);
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
                HasSubstr("8 is not between 40 and"));
}

TEST(ScenarioErrors, OnlyServersAreKeptAndOnlyWhereNothingIsOpenedAgain) {
    EXPECT_THAT(problems_of(edited("baseline = \"a\"", "ending = \"keep\"\nmeasure = \"restart\"")),
                HasSubstr("\"keep\" does not fit measure = \"restart\""));
    Registry registry;
    registry.add(make_file_driver());
    const auto scenario = parse_scenario(edited("baseline = \"a\"", "ending = \"keep\""), "x.toml");
    ASSERT_TRUE(scenario) << scenario.error().message;
    EXPECT_THAT(check_against(*scenario, registry).error().message,
                HasSubstr("ending = \"keep\" needs a server"));
}

TEST(ScenarioErrors, LoadsAndMeasuresNeedWhatBelongsToThemAndNothingElse) {
    const auto with = [](const std::string& workload) {
        return problems_of(edited("batch = 4", workload));
    };
    EXPECT_THAT(with("load = \"open\""),
                HasSubstr("x.toml:16: [[row]] workload: load = \"open\" needs rate_per_s"));
    EXPECT_THAT(with("rate_per_s = 5"), HasSubstr("rate_per_s needs load = \"open\""));
    EXPECT_THAT(with("arrivals = \"poisson\""), HasSubstr("arrivals needs load = \"open\""));
    EXPECT_THAT(with("load = \"burst\""), HasSubstr("needs burst_records"));
    EXPECT_THAT(with("burst_pause = \"1ms\""), HasSubstr("need load = \"burst\""));
    EXPECT_THAT(with("burst_pauze = \"1ms\""),
                HasSubstr("unknown key \"burst_pauze\" (did you mean \"burst_pause\"?)"));
    EXPECT_THAT(with("load = \"opened\""),
                HasSubstr("unknown value \"opened\" (did you mean \"open\"?)"));
    EXPECT_THAT(with("load = \"open\", rate_per_s = 5, max_bytes = \"1MiB\""),
                HasSubstr("load = \"open\" takes its duration"));
    EXPECT_THAT(with("payload_bytes_max = 50"), HasSubstr("50 is less than payload_bytes, 100"));
    EXPECT_THAT(with("readers = 1"), HasSubstr("readers needs measure = \"tail\""));
    EXPECT_THAT(with("under_load = true"), HasSubstr("under_load needs measure = \"drain\""));
    EXPECT_THAT(with("under_load = 1"), HasSubstr("must be true or false"));
}

TEST(ScenarioErrors, MeasuresNeedWhatTheyAreMadeOf) {
    const auto with = [](const std::string& measure, const std::string& workload) {
        std::string text = edited("batch = 4", workload);
        const std::string name = "name = \"appends\"";
        text.replace(text.find(name), name.size(), name + "\nmeasure = \"" + measure + "\"");
        return problems_of(text);
    };
    EXPECT_THAT(with("max-rate", "batch = 1"), HasSubstr("needs load = \"open\""));
    EXPECT_THAT(with("max-rate", "load = \"open\""), HasSubstr("[[row]] p99: is needed"));
    EXPECT_THAT(with("tail", "batch = 1"), HasSubstr("measure = \"tail\" needs readers"));
    EXPECT_THAT(with("tail", "readers = 1, max_bytes = \"1MiB\""),
                HasSubstr("measure = \"tail\" takes its duration"));
    EXPECT_THAT(with("catch-up", "readers = 1"), HasSubstr("needs max_bytes"));
    EXPECT_EQ(with("drain", "readers = 1, max_bytes = \"1MiB\""), "none");
    EXPECT_THAT(
        problems_of(edited("durability = \"disk\"", "durability = \"disk\"\np99 = \"1ms\"")),
        HasSubstr("[[row]] p99: needs load = \"open\""));
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
