// The program from outside: real processes, exit codes, bundles.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/scratch_directory.h"
#include "harness/report/result_json.h"

namespace walrus::harness {
namespace {

using ::testing::HasSubstr;

struct Outcome {
    int exit_code = -1;
    std::string output;  // Both streams.
};

class CliTest : public ::testing::Test {
protected:
    static Outcome run(const std::string& arguments, const std::string& prefix = "") {
        const std::string command = prefix + WALRUS_HARNESS_PATH + " " + arguments + " 2>&1";
        Outcome outcome;
        FILE* pipe = ::popen(command.c_str(), "r");
        std::array<char, 4096> piece;
        for (std::size_t got; (got = std::fread(piece.data(), 1, piece.size(), pipe)) > 0;) {
            outcome.output.append(piece.data(), got);
        }
        const int status = ::pclose(pipe);
        outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
        return outcome;
    }

    // A scenario of one tiny row on one system; returns its path.
    std::string scenario(const std::string& driver, const std::string& settings,
                         const std::string& durability = "process",
                         const std::string& workload = "writers = 2") const {
        const std::string path = directory_.path() + "/tiny.toml";
        std::ofstream(path) << "name = \"tiny\"\nrepetitions = 1\n[workload]\n"
                            << "payload_bytes = 100\nwarmup = \"20ms\"\nduration = \"60ms\"\n"
                            << "[[system]]\nname = \"sut\"\ndriver = \"" << driver << "\"\n"
                            << "settings = {" << settings << "}\n"
                            << "[[row]]\nname = \"tiny row\"\ndurability = \"" << durability
                            << "\"\nsystems = [\"sut\"]\nworkload = {" << workload << "}\n";
        return path;
    }

    std::string bundle() const { return directory_.path() + "/bundle"; }
    Outcome run_scenario(const std::string& path) const {
        return run("run " + path + " --out " + bundle());
    }
    RunResult result() const {
        const auto text = read_whole_file(bundle() + "/result.json");
        EXPECT_TRUE(text);
        auto parsed = parse_result(text.value_or(""));
        EXPECT_TRUE(parsed) << parsed.error().message;
        return parsed ? *parsed : RunResult{};
    }

    // A process of this machine has a file below `path` open.
    static bool somebody_has_open(const std::string& path) {
        std::error_code error;
        for (const auto& process : std::filesystem::directory_iterator("/proc")) {
            for (const auto& fd :
                 std::filesystem::directory_iterator(process.path() / "fd", error)) {
                const std::string target = std::filesystem::read_symlink(fd, error);
                if (target.starts_with(path)) return true;
            }
        }
        return false;
    }

    ScratchDirectory directory_;
};

TEST_F(CliTest, AnHonestSystemIsMeasuredCheckedAndReported) {
    const Outcome outcome = run_scenario(scenario("file", ""));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("tiny row"));
    const RunResult bundle_result = result();
    EXPECT_TRUE(bundle_result.complete);
    const Repetition& repetition = bundle_result.rows.at(0).systems.at(0).repetitions.at(0);
    EXPECT_TRUE(repetition.checked);
    EXPECT_GT(repetition.write.records, 0u);
    EXPECT_GE(repetition.read_back.verdict.acknowledged, repetition.write.records);
    EXPECT_FALSE(std::filesystem::exists(bundle() + "/data"));
}

TEST_F(CliTest, TheTablesCanBeComputedAgainFromTheBundle) {
    const Outcome ran = run_scenario(scenario("file", ""));
    const Outcome reported = run("report " + bundle());
    EXPECT_EQ(reported.exit_code, 0);
    EXPECT_THAT(ran.output, HasSubstr(reported.output));
}

TEST_F(CliTest, AppendsInFlightAreCheckedToo) {
    const Outcome outcome = run_scenario(scenario(
        "file", "", "process", "load = \"window\", outstanding = 16, batch = 3, topics = 5"));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
}

// --- systems that lie ---

class LiarTest : public CliTest,
                 public ::testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(LiarTest, IsCaughtWithTheRightName) {
    const auto [lie, anomaly] = GetParam();
    const Outcome outcome =
        run_scenario(scenario("file", std::string("misbehave = \"") + lie + "\""));
    EXPECT_EQ(outcome.exit_code, 20) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr(std::string("SAFETY VIOLATION: ") + anomaly));
}

INSTANTIATE_TEST_SUITE_P(Lies, LiarTest,
                         ::testing::Values(std::pair("ack-early", "lost-write"),
                                           std::pair("drop", "lost-write"),
                                           std::pair("duplicate", "duplicate"),
                                           std::pair("corrupt", "corrupt")),
                         [](const auto& test) {
                             std::string name = test.param.first;
                             std::erase(name, '-');
                             return name;
                         });

TEST_F(CliTest, ReorderedRecordsAreCaught) {
    // One writer, so that its records are neighbours in the file.
    const Outcome outcome =
        run_scenario(scenario("file", "misbehave = \"reorder\"", "process", "writers = 1"));
    EXPECT_EQ(outcome.exit_code, 20) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("nonmonotonic-poll"));
}

TEST_F(CliTest, ClaimingDiskWithoutFlushesIsWithheld) {
    const Outcome outcome =
        run_scenario(scenario("file", "misbehave = \"no-sync\"", "disk", "writers = 1"));
    if (result().host.at("device").starts_with("not visible")) GTEST_SKIP() << "no block device";
    EXPECT_EQ(outcome.exit_code, 1) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("its flushes allow only process; withheld"));
}

// --- bad input ---

TEST_F(CliTest, UsageErrorsExitWithTwo) {
    EXPECT_EQ(run("").exit_code, 2);
    EXPECT_EQ(run("dance").exit_code, 2);
    EXPECT_EQ(run("run").exit_code, 2);
    EXPECT_EQ(run("run /nowhere/at/all.toml").exit_code, 2);
    EXPECT_EQ(run("run --repetitions 0 " + scenario("file", "")).exit_code, 2);
    EXPECT_EQ(run("--help").exit_code, 0);
    EXPECT_EQ(run("--version").exit_code, 0);
}

TEST_F(CliTest, ABadScenarioIsRefusedBeforeAnythingRuns) {
    const Outcome outcome = run_scenario(scenario("file", "misbehave = \"dorp\""));
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.output, HasSubstr("did you mean \"drop\"?"));
    EXPECT_FALSE(std::filesystem::exists(bundle()));
    EXPECT_EQ(run("validate " + scenario("file", "speed = 1")).exit_code, 2);
    EXPECT_EQ(run("validate " + scenario("file", "")).exit_code, 0);
}

TEST_F(CliTest, AnExistingBundleIsNotOverwritten) {
    EXPECT_EQ(run_scenario(scenario("file", "")).exit_code, 0);
    const Outcome again = run_scenario(scenario("file", ""));
    EXPECT_EQ(again.exit_code, 22);
    EXPECT_THAT(again.output, HasSubstr("holds a bundle already"));
}

TEST_F(CliTest, AnUnwritableOutputDirectoryIsASetupError) {
    const Outcome outcome = run("run " + scenario("file", "") + " --out /proc/none/bundle");
    EXPECT_EQ(outcome.exit_code, 22) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("cannot create"));
}

TEST_F(CliTest, AnInterruptLeavesAnIncompleteBundleAndNoProcess) {
    const std::string path = scenario("file", "", "process", "writers = 1, duration = \"60s\"");
    const Outcome outcome =
        run("run " + path + " --out " + bundle(), "timeout --preserve-status -s INT 1 ");
    EXPECT_EQ(outcome.exit_code, 130) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("INCOMPLETE"));
    EXPECT_FALSE(result().complete);
    EXPECT_FALSE(somebody_has_open(bundle()));
    EXPECT_FALSE(std::filesystem::exists(bundle() + "/data"));
}

TEST_F(CliTest, JsonOutputIsTheResult) {
    const Outcome outcome =
        run("-o json run --quiet " + scenario("null", "", "none") + " --out " + bundle());
    ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
    EXPECT_EQ(nlohmann::json::parse(outcome.output).at("schema"), "walrus.bench/v1");
    EXPECT_EQ(nlohmann::json::parse(run("-o json list").output).at("drivers").at(0).at("name"),
              "file");
}

}  // namespace
}  // namespace walrus::harness
