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

// One row with its own measure and keys.
class LoadTest : public CliTest {
protected:
    Repetition measure(const std::string& row_keys, const std::string& workload,
                       const std::string& settings = "") {
        const std::string path = scenario("file", settings, "process", workload);
        std::ofstream(path, std::ios::app) << "\n" << row_keys;
        const Outcome outcome = run_scenario(path);
        EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
        const RunResult bundle_result = result();
        if (bundle_result.rows.empty()) return {};
        const auto& repetitions = bundle_result.rows.at(0).systems.at(0).repetitions;
        return repetitions.empty() ? Repetition{} : repetitions.front();
    }
};

TEST_F(LoadTest, AnOpenLoopKeepsItsBooks) {
    const Repetition r =
        measure("", "load = \"open\", rate_per_s = 2_000, writers = 2, duration = \"400ms\"");
    EXPECT_TRUE(r.checked);
    EXPECT_EQ(r.write.offered_rate_per_s, 2'000u);
    EXPECT_GT(r.write.records, 0u);
    EXPECT_EQ(r.write.latency_ns.count(), r.write.appends);
    EXPECT_EQ(r.write.service_ns.count(), r.write.appends);
    // 40 in the warm-up and 800 in the window were due.
    EXPECT_EQ(r.write.sent + r.write.unsent_at_end, 840u);
    EXPECT_EQ(r.read_back.verdict.acknowledged, r.write.sent - r.write.failed - r.write.unknown);
    ASSERT_EQ(r.write.series.size(), 4u);
    EXPECT_EQ(r.write.series_p99_ns.size(), 4u);
}

TEST_F(LoadTest, BurstsAndSizesWithinARangeAreReadBack) {
    const Repetition r = measure("",
                                 "load = \"burst\", burst_records = 10, burst_pause = \"5ms\", "
                                 "payload_bytes_max = 300");
    EXPECT_TRUE(r.checked);
    EXPECT_GT(r.write.records, 0u);
}

TEST_F(LoadTest, TheHighestRateIsSearchedInSteps) {
    const Repetition r = measure("measure = \"max-rate\"\np99 = \"2s\"\n",
                                 "load = \"open\", rate_per_s = 100_000, duration = \"400ms\"");
    ASSERT_FALSE(r.write.search.empty());
    EXPECT_EQ(r.write.search.front().rate_per_s, 100'000u);
    EXPECT_EQ(r.write.sustained_rate_per_s > 0,
              r.write.search.back().confirms && r.write.search.back().sustained);
    EXPECT_GT(r.write.search.front().latency_ns.count(), 0u);
    EXPECT_TRUE(r.checked);
}

TEST_F(LoadTest, ASearchThatFindsNothingIsAFailureThatSaysSo) {
    const std::string path =
        scenario("file", "", "process", "load = \"open\", rate_per_s = 1, duration = \"400ms\"");
    std::ofstream(path, std::ios::app) << "\nmeasure = \"max-rate\"\np99 = \"1ns\"\n";
    const Outcome outcome = run_scenario(path);
    EXPECT_NE(outcome.exit_code, 0);
    EXPECT_THAT(outcome.output, HasSubstr("no rate was sustained with p99 within 1 ns"));
    EXPECT_FALSE(result().rows.at(0).systems.at(0).repetitions.at(0).write.search.empty());
}

TEST_F(LoadTest, TailReadersSeeEverythingThatIsAcknowledged) {
    const Repetition r = measure("measure = \"tail\"\n",
                                 "load = \"open\", rate_per_s = 2_000, writers = 3, topics = 2, "
                                 "readers = 2, duration = \"300ms\"");
    EXPECT_EQ(r.read.readers, 2u);
    EXPECT_GT(r.read.records, 0u);
    EXPECT_EQ(r.read.bytes, r.read.records * 100);
    EXPECT_GT(r.read.latency_ns.count(), 0u);
    EXPECT_EQ(r.read.backlog.size(), r.read.series.size());
    EXPECT_EQ(r.read.ns, 300'000'000u);
}

TEST_F(LoadTest, ACatchUpBeginsBehindAndEndsWithTheWriters) {
    const Repetition r = measure("measure = \"catch-up\"\n",
                                 "load = \"open\", rate_per_s = 1_000, max_bytes = \"1MiB\", "
                                 "readers = 1, duration = \"400ms\"");
    EXPECT_GE(r.read.backlog_records, 10'485u);
    EXPECT_TRUE(r.read.caught_up);
    EXPECT_GE(r.read.records, r.read.backlog_records);
    EXPECT_LT(r.read.ns, 400'000'000u);
}

TEST_F(LoadTest, ADrainReadsTheBacklogAndNothingElse) {
    const Repetition r =
        measure("measure = \"drain\"\n", "max_bytes = \"1MiB\", readers = 3, writers = 2");
    EXPECT_TRUE(r.read.caught_up);
    EXPECT_EQ(r.read.records, 3 * r.read.backlog_records);
    EXPECT_EQ(r.read.backlog_records, r.write.sent);
    EXPECT_EQ(r.read.backlog.back(), 0u);
}

// A reader beside the writers is the first who can know.
TEST_F(LoadTest, AReaderThatMissesAcknowledgedRecordsFailsTheRepetition) {
    const std::string path =
        scenario("file", "misbehave = \"reorder\"", "process",
                 "load = \"open\", rate_per_s = 2_000, readers = 1, writers = 1");
    std::ofstream(path, std::ios::app) << "\nmeasure = \"tail\"\n";
    const Outcome outcome = run_scenario(path);
    EXPECT_NE(outcome.exit_code, 0);
    EXPECT_THAT(outcome.output, HasSubstr("a reader got writer 0 record"));
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
