// Resilience scenarios from the command line to the exit code, with a system that is honest and
// with ones that lie; and their bundles afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "harness/cli/test_program.h"

namespace walrus::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ProofTest : public ::testing::Test {
protected:
    static std::string program() { return WALRUS_TEST_HARNESS_PATH; }
    std::string bundle() const { return directory_.path() + "/bundle"; }

    std::string scenario(const std::string& misbehave, const std::string& check = "",
                         const std::string& name = "tiny") const {
        std::string path = directory_.path() + "/" + name + ".toml";
        std::ofstream(path) << "name = \"" << name << "\"\nkind = \"resilience\"\n"
                            << "[[system]]\nname = \"sut\"\ndriver = \"file\"\n"
                            << "settings = { misbehave = \"" << misbehave << "\" }\n"
                            << "[load]\ndurability = \"process\"\nrate_per_s = 2000\n"
                            << "payload_bytes = 100\nsettle = \"200ms\"\n[phases]\n"
                            << "warm_up = \"20ms\"\nsteady = \"150ms\"\nfault = \"0s\"\n"
                            << "healed = \"20ms\"\n"
                            << check;
        return path;
    }
    ShellResult run(const std::string& path, const std::string& prefix = "") const {
        return run_shell(prefix + program() + " run --quiet " + path + " --out " + bundle());
    }
    nlohmann::json result() const {
        const auto text = read_whole_file(bundle() + "/result.json");
        return text ? nlohmann::json::parse(*text) : nlohmann::json();
    }
    ShellResult verb(const std::string& verb) const {
        return run_shell(program() + " " + verb + " " + bundle());
    }
    std::string history() const { return bundle() + "/histories/sut.jsonl"; }

    ScratchDirectory directory_;
};

TEST_F(ProofTest, AnHonestSystemPassesAndItsBundleVerifies) {
    const ShellResult outcome = run(scenario("none"));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("tiny / sut: passed"));
    EXPECT_THAT(outcome.output, HasSubstr("anomalies: none"));
    EXPECT_GT(result().at("runs").at(0).at("records").at("acknowledged"), 100);
    const ShellResult verified = verb("verify");
    EXPECT_EQ(verified.exit_code, 0) << verified.output;
    const ShellResult judged = verb("judge");
    EXPECT_EQ(judged.exit_code, 0) << judged.output;
    EXPECT_THAT(judged.output, HasSubstr("tiny / sut: passed"));
    EXPECT_THAT(read_whole_file(bundle() + "/report.html").value_or(""),
                HasSubstr("unread over time"));
    EXPECT_FALSE(std::filesystem::exists(bundle() + "/data"));
}

struct Lie {
    const char* misbehave;
    const char* anomaly;
};

class ProofLieTest : public ProofTest, public ::testing::WithParamInterface<Lie> {};

TEST_P(ProofLieTest, IsCaughtWithItsName) {
    const ShellResult outcome = run(scenario(GetParam().misbehave));
    EXPECT_EQ(outcome.exit_code, 20) << outcome.output;
    const nlohmann::json found = result().at("runs").at(0);
    EXPECT_EQ(found.at("outcome"), "safety violation");
    EXPECT_GT(found.at("anomalies").at(GetParam().anomaly).at("count"), 0) << found.dump(1);
}

INSTANTIATE_TEST_SUITE_P(Lies, ProofLieTest,
                         ::testing::Values(Lie{"drop", "lost-write"}, Lie{"duplicate", "duplicate"},
                                           Lie{"reorder", "nonmonotonic-poll"},
                                           Lie{"corrupt", "corrupt"}),
                         [](const auto& test) { return std::string(test.param.misbehave); });

TEST_F(ProofTest, WhatTheScenarioExpectsIsNoViolation) {
    EXPECT_EQ(run(scenario("drop", "[check]\nexpect = [\"lost-write\"]\n")).exit_code, 0);
    EXPECT_EQ(verb("judge").exit_code, 0);
    // Without the scenario nothing is expected.
    EXPECT_EQ(run_shell(program() + " judge " + history()).exit_code, 20);
    EXPECT_EQ(
        run_shell(program() + " judge --scenario " + directory_.path() + "/tiny.toml " + history())
            .exit_code,
        0);
}

TEST_F(ProofTest, WhatWasExpectedAndDidNotHappenProvesNothing) {
    const ShellResult outcome = run(scenario("none", "[check]\nexpect = [\"lost-write\"]\n"));
    EXPECT_EQ(outcome.exit_code, 11) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("lost-write was expected and not found"));
}

TEST_F(ProofTest, AHistoryThatWasChangedDoesNotVerify) {
    ASSERT_EQ(run(scenario("none")).exit_code, 0);
    std::string text = read_whole_file(history()).value_or("");
    const auto at = text.find("{\"op\":\"ok\"");
    text.replace(at, 10, "{\"op\":\"fail\"");
    ASSERT_TRUE(write_whole_file(history(), text));
    const ShellResult outcome = verb("verify");
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_THAT(outcome.output, HasSubstr("histories/sut.jsonl: was changed"));
    EXPECT_THAT(outcome.output, HasSubstr("is not what the history says"));
}

TEST_F(ProofTest, AKilledHarnessLeavesAHistoryThatCanBeJudged) {
    std::string path = scenario("none");
    std::ofstream(path, std::ios::app) << "[check]\n";
    const ShellResult outcome =
        run_shell(program() + " run --quiet --set phases.steady=60s " + path + " --out " +
                  bundle() + " & pid=$!; while ! grep -q '\"op\":\"ok\"' " + history() +
                  " 2>/dev/null; do :; done; kill -KILL $pid; wait $pid");
    EXPECT_EQ(outcome.exit_code, 137) << outcome.output;
    const ShellResult judged = run_shell(program() + " judge " + history());
    EXPECT_EQ(judged.exit_code, 21) << judged.output;  // No final read: nothing is known.
    EXPECT_THAT(judged.output, HasSubstr("the harness ended early"));
    EXPECT_THAT(judged.output, Not(HasSubstr("lost-write")));
}

TEST_F(ProofTest, ASuiteRunsItsScenariosAndEndsWithTheWorstCode) {
    scenario("none", "", "honest");
    scenario("drop");
    const std::string suite = directory_.path() + "/suite.toml";
    std::ofstream(suite) << "name = \"both\"\nkind = \"suite\"\n"
                            "scenarios = [\"honest.toml\", \"tiny.toml\"]\n";
    EXPECT_EQ(run_shell(program() + " validate " + suite).exit_code, 0);
    const ShellResult outcome = run(suite);
    EXPECT_EQ(outcome.exit_code, 20) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("honest / sut: passed"));
    EXPECT_THAT(outcome.output, HasSubstr("tiny / sut: safety violation"));
    EXPECT_THAT(outcome.output, HasSubstr("scenario"));
}

TEST_F(ProofTest, ASystemThatCannotBeSetUpIsASetupFailure) {
    std::string path = scenario("none");
    const ShellResult outcome =
        run_shell(program() + " run --quiet " + path + " --out " + bundle() +
                  " --set system.0.driver=bad --set "
                  "'system.0.settings={trouble=\"refuse-open\"}'");
    EXPECT_EQ(outcome.exit_code, 22) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("the system refused to start"));
}

}  // namespace
}  // namespace walrus::harness
