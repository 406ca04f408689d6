// The program from outside: real processes, exit codes, bundles.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/cli/test_program.h"

namespace walrus::harness {
namespace {

using ::testing::HasSubstr;

class CliTest : public ::testing::Test, protected TinyRun {
protected:
    static ShellResult run(const std::string& arguments, const std::string& prefix = "") {
        return run_shell(prefix + WALRUS_HARNESS_PATH + " " + arguments);
    }
    ShellResult run_scenario(const std::string& path) const {
        return run("run --no-gate " + path + " --out " + bundle());
    }
};

TEST_F(CliTest, AnHonestSystemIsMeasuredCheckedAndReported) {
    const ShellResult outcome = run_scenario(scenario("file", ""));
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
    const ShellResult ran = run_scenario(scenario("file", ""));
    const ShellResult reported = run("report " + bundle());
    EXPECT_EQ(reported.exit_code, 0);
    EXPECT_THAT(ran.output, HasSubstr(reported.output));
}

TEST_F(CliTest, TheBundleOfARunVerifiesUntilANumberIsChanged) {
    ASSERT_EQ(run_scenario(scenario("file", "")).exit_code, 0);
    const ShellResult verified = run("verify " + bundle());
    EXPECT_EQ(verified.exit_code, 0) << verified.output;
    EXPECT_THAT(verified.output, HasSubstr(": verified: "));

    std::string figures = read_whole_file(bundle() + "/figures.json").value_or("");
    const std::size_t digit = figures.find_first_of("123456789", figures.find("\"value\""));
    ASSERT_NE(digit, std::string::npos);
    figures[digit] = figures[digit] == '9' ? '8' : '9';
    std::ofstream(bundle() + "/figures.json") << figures;
    const ShellResult changed = run("verify " + bundle());
    EXPECT_EQ(changed.exit_code, 1) << changed.output;
    EXPECT_THAT(changed.output, HasSubstr("NOT VERIFIED"));
}

TEST_F(CliTest, AppendsInFlightAreCheckedToo) {
    const ShellResult outcome = run_scenario(scenario(
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
        const ShellResult outcome = run_scenario(path);
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
        scenario("file", "", "process", "load = \"open\", rate_per_s = 4, duration = \"400ms\"");
    std::ofstream(path, std::ios::app) << "\nmeasure = \"max-rate\"\np99 = \"1ns\"\n";
    const ShellResult outcome = run_scenario(path);
    EXPECT_NE(outcome.exit_code, 0);
    EXPECT_THAT(outcome.output, HasSubstr("no rate was sustained with p99 within 1 ns"));
    EXPECT_FALSE(result().rows.at(0).systems.at(0).repetitions.at(0).write.search.empty());
}

TEST_F(LoadTest, TailReadersSeeEverythingThatIsAcknowledged) {
    const Repetition r = measure("measure = \"tail\"\n",
                                 "load = \"open\", rate_per_s = 2_000, writers = 3, topics = 2, "
                                 "readers = 2, duration = \"300ms\"");
    EXPECT_EQ(r.read.readers, 2u);
    EXPECT_EQ(r.read.bytes, r.read.records * 100);
    EXPECT_EQ(r.read.backlog.size(), r.read.series.size());
    EXPECT_EQ(r.read.ns, 300'000'000u);
}

TEST_F(LoadTest, ACatchUpBeginsBehindAndEndsWithTheWriters) {
    const Repetition r = measure("measure = \"catch-up\"\n",
                                 "load = \"open\", rate_per_s = 1_000, max_bytes = \"1MiB\", "
                                 "readers = 1, duration = \"400ms\"");
    EXPECT_GE(r.read.backlog_records, 10'485u);
    EXPECT_EQ(r.read.caught_up, r.read.ns < 400'000'000u);
    if (r.read.caught_up) {
        EXPECT_GE(r.read.records, r.read.backlog_records);
    }
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
    const ShellResult outcome = run_scenario(path);
    EXPECT_NE(outcome.exit_code, 0);
    EXPECT_THAT(outcome.output, HasSubstr("a reader got writer 0 record"));
}

TEST_F(CliTest, ClaimingDiskWithoutFlushesIsWithheld) {
    const ShellResult outcome =
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

TEST_F(CliTest, AMisspeltVerbIsAnsweredWithTheNearestOne) {
    EXPECT_THAT(run("vaildate x.toml").output,
                HasSubstr("unknown verb \"vaildate\" (did you mean \"validate\"?)"));
    EXPECT_THAT(run("-o json dance").output, HasSubstr("unknown verb \"dance\" (known: "));
    EXPECT_THAT(run("dance").output, ::testing::Not(HasSubstr("child")));
}

TEST_F(CliTest, EveryVerbHasHelpWithExamples) {
    for (const char* verb : {"run", "list", "validate", "doctor", "report", "verify", "compare"}) {
        const ShellResult help = run(std::string(verb) + " --help");
        EXPECT_EQ(help.exit_code, 0) << verb;
        EXPECT_THAT(help.output, HasSubstr("Examples:")) << verb;
        EXPECT_THAT(help.output, HasSubstr(std::string("walrus-harness ") + verb)) << verb;
    }
}

TEST_F(CliTest, ProgressAndColoursAreForTerminalsOnly) {
    const ShellResult ran = run_scenario(scenario("file", ""));
    EXPECT_THAT(ran.output, ::testing::Not(HasSubstr("\033[")));
    EXPECT_THAT(run("doctor --data " + directory_.path()).output,
                ::testing::Not(HasSubstr("\033[")));
}

TEST_F(CliTest, TheDoctorSpeaksTextAndJson) {
    const ShellResult text = run("doctor --data " + directory_.path());
    EXPECT_EQ(text.exit_code, 0) << text.output;
    for (const char* topic : {"machine", "io_uring", "O_DIRECT", "write cache", "neighbours",
                              "clock", "floor", "driver null"}) {
        EXPECT_THAT(text.output, HasSubstr(topic));
    }
    const auto document =
        nlohmann::json::parse(run("-o json doctor --data " + directory_.path()).output);
    EXPECT_EQ(document.at("schema"), "walrus.doctor/v1");
    EXPECT_GT(document.at("floor").at("append").at("count"), 0);
    EXPECT_EQ(run("doctor --data /nowhere/at/all").exit_code, 22);
}

TEST_F(CliTest, ABadScenarioIsRefusedBeforeAnythingRuns) {
    const ShellResult outcome = run_scenario(scenario("file", "misbehave = \"dorp\""));
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.output, HasSubstr("did you mean \"drop\"?"));
    EXPECT_FALSE(std::filesystem::exists(bundle()));
    EXPECT_EQ(run("validate " + scenario("file", "speed = 1")).exit_code, 2);
    EXPECT_EQ(run("validate " + scenario("file", "")).exit_code, 0);
}

TEST_F(CliTest, AnExistingBundleIsNotOverwritten) {
    EXPECT_EQ(run_scenario(scenario("file", "")).exit_code, 0);
    const ShellResult again = run_scenario(scenario("file", ""));
    EXPECT_EQ(again.exit_code, 22);
    EXPECT_THAT(again.output, HasSubstr("holds a bundle already"));
}

TEST_F(CliTest, AnUnwritableOutputDirectoryIsASetupError) {
    const ShellResult outcome = run("run " + scenario("file", "") + " --out /proc/none/bundle");
    EXPECT_EQ(outcome.exit_code, 22) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("cannot create"));
}

TEST_F(CliTest, AnInterruptLeavesAnIncompleteBundleAndNoProcess) {
    const std::string path = scenario("file", "", "process", "writers = 1, duration = \"60s\"");
    const ShellResult outcome =
        run("run --no-gate " + path + " --out " + bundle(), "timeout --preserve-status -s INT 1 ");
    EXPECT_EQ(outcome.exit_code, 130) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("INCOMPLETE"));
    EXPECT_FALSE(result().complete);
    EXPECT_FALSE(somebody_has_open(bundle()));
    EXPECT_FALSE(std::filesystem::exists(bundle() + "/data"));
}

TEST_F(CliTest, JsonOutputIsTheResult) {
    const ShellResult outcome =
        run("-o json run --no-gate --quiet " + scenario("null", "", "none") + " --out " + bundle());
    ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
    EXPECT_EQ(nlohmann::json::parse(outcome.output).at("schema"), "walrus.bench/v1");
    EXPECT_EQ(nlohmann::json::parse(run("-o json list").output).at("drivers").at(0).at("name"),
              "file");
}

}  // namespace
}  // namespace walrus::harness
