#include "harness/scenario/resilience.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/file_driver.h"
#include "harness/driver/scratch_directory.h"

namespace walrus::harness {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kSmall = R"(name = "small"
kind = "resilience"
[[system]]
name = "a"
driver = "file"
[load]
durability = "process"
topics = 2
rate_per_s = 100
[phases]
steady = "1s"
[[fault]]
kind = "kill"
target = "leader"
at = "1s"
every = "2s"
times = 3
duration = "250ms"
[[fault]]
kind = "pause"
target = "all"
at = "2s"
[check]
allow = ["lost-write"]
recovered_within = "5s"
)";

std::string edited(const std::string& from, const std::string& to) {
    std::string text = kSmall;
    return text.replace(text.find(from), from.size(), to);
}

std::string problems_of(const std::string& text) {
    const auto scenario = parse_resilience(text, "x.toml");
    return scenario ? "none" : scenario.error().message;
}

TEST(Resilience, IsReadWithItsFaultsInOrderOfTime) {
    const auto scenario = parse_resilience(kSmall, "x.toml", {"load.topics=3"});
    ASSERT_TRUE(scenario) << scenario.error().message;
    EXPECT_EQ(scenario->load.topics, 3u);
    EXPECT_EQ(scenario->load.durability, Durability::kProcess);
    EXPECT_EQ(scenario->phases.steady_ns, 1'000'000'000u);
    EXPECT_EQ(scenario->check.recovered_within_ns, 5'000'000'000u);
    EXPECT_THAT(scenario->check.allow, ElementsAre("lost-write"));
    ASSERT_EQ(scenario->faults.size(), 2u);
    EXPECT_EQ(scenario->faults[0].duration_ns, 250'000'000u);
    EXPECT_EQ(scenario->faults[1].target, Role::kAll);
    std::vector<std::string> order;
    for (const DueFault& due : due_faults(*scenario)) {
        order.push_back(std::to_string(due.at_ns / 1'000'000) + " " +
                        std::string(fault_name(due.plan->kind)));
    }
    EXPECT_THAT(order, ElementsAre("1000 kill", "2000 pause", "3000 kill", "5000 kill"));
}

TEST(Resilience, EveryProblemIsNamedWithItsLine) {
    EXPECT_THAT(problems_of(edited("\"kill\"", "\"kil\"")),
                HasSubstr("x.toml:13: [[fault]] kind: unknown value \"kil\" (did you mean "
                          "\"kill\"?)"));
    EXPECT_THAT(problems_of(edited("\"leader\"", "\"boss\"")), HasSubstr("target: unknown value"));
    EXPECT_THAT(problems_of(edited("every = \"2s\"\n", "")), HasSubstr("every: is needed"));
    EXPECT_THAT(problems_of(edited("\"lost-write\"", "\"lost\"")),
                HasSubstr("no anomaly is called \"lost\""));
    EXPECT_THAT(problems_of(edited("steady = \"1s\"", "steady = \"0s\"")),
                HasSubstr("must be more than 0"));
    EXPECT_THAT(problems_of(edited("\"kill\"", "\"disk-full\"")), HasSubstr("set disk ="));
    EXPECT_THAT(problems_of(edited("topics = 2", "topic = 2")), HasSubstr("did you mean"));
    EXPECT_THAT(problems_of("name = \"x\""), HasSubstr("at least one [[system]]"));
}

TEST(Resilience, AnEngineHasNoProcessToBreak) {
    Registry registry;
    registry.add(make_file_driver());
    const auto scenario = parse_resilience(kSmall, "x.toml");
    ASSERT_TRUE(scenario);
    EXPECT_THAT(check_against(*scenario, registry).error().message,
                HasSubstr("x.toml:3: system a: is an engine"));
    std::string without = kSmall;
    without = without.substr(0, without.find("[[fault]]"));
    EXPECT_TRUE(check_against(*parse_resilience(without, "x.toml"), registry));
}

TEST(Resilience, ASuiteNamesFilesFromItsOwnPlace) {
    const ScratchDirectory directory;
    const std::string path = directory.path() + "/suite.toml";
    ASSERT_TRUE(write_whole_file(directory.path() + "/a.toml", kSmall));
    ASSERT_TRUE(write_whole_file(
        path, "kind = \"suite\"\nname = \"s\"\nscenarios = [\"a.toml\", \"../b.toml\"]\n"));
    EXPECT_EQ(document_kind(path).value_or(DocumentKind::kMeasure), DocumentKind::kSuite);
    EXPECT_EQ(document_kind(directory.path() + "/a.toml").value_or(DocumentKind::kMeasure),
              DocumentKind::kResilience);
    const auto suite = load_suite(path);
    ASSERT_FALSE(suite);
    EXPECT_THAT(suite.error().message, HasSubstr("b.toml is not there"));
}

}  // namespace
}  // namespace walrus::harness
