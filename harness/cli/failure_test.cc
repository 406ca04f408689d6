// What goes wrong in a run: systems that crash, hang, lie and fill the disk; signals; bad input.
//
// Everything is real: the program walrus-harness-test is the harness with a driver that misbehaves
// on purpose (test_drivers.h), and it starts itself as the child that opens it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/cli/test_program.h"

namespace walrus::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class FailureTest : public ::testing::Test, protected TinyRun {
protected:
    static std::string program() { return WALRUS_TEST_HARNESS_PATH; }

    ShellResult run(const std::string& path, const std::string& options = "",
                    const std::string& prefix = "") const {
        return run_shell(prefix + program() + " run --no-gate --quiet " + path + " --out " +
                         bundle() + " " + options);
    }
    ShellResult run_with(const std::string& trouble, const std::string& options = "",
                         const std::string& prefix = "") const {
        return run(scenario("bad", "trouble = \"" + trouble + "\""), options, prefix);
    }
    void expect_nothing_left() const {
        EXPECT_FALSE(somebody_has_open(bundle()));
        EXPECT_FALSE(std::filesystem::exists(bundle() + "/data"));
    }
};

// --- children that do not answer ---

TEST_F(FailureTest, ACrashIsNamedAndTheRunEndsInOrder) {
    const ShellResult outcome = run_with("crash");
    EXPECT_EQ(outcome.exit_code, 1) << outcome.output;
    EXPECT_THAT(repetition().error, HasSubstr("crashed: signal 11 (Segmentation fault)"));
    EXPECT_TRUE(result().complete);
    EXPECT_FALSE(repetition().checked);
    expect_nothing_left();
}

TEST_F(FailureTest, AChildThatLeavesIsNamedWithItsExitCode) {
    EXPECT_EQ(run_with("exit").exit_code, 1);
    EXPECT_THAT(repetition().error, HasSubstr("ended with exit code 3"));
    expect_nothing_left();
}

TEST_F(FailureTest, AHangIsEndedByTheTimeout) {
    EXPECT_EQ(run_with("hang", "--child-timeout 1s").exit_code, 1);
    EXPECT_THAT(repetition().error, HasSubstr("gave no answer within"));
    expect_nothing_left();
}

TEST_F(FailureTest, ProcessesThatAChildLeftBehindEndWithIt) {
    EXPECT_EQ(run_with("leave-process", "--child-timeout 1s").exit_code, 1);
    expect_nothing_left();
}

TEST_F(FailureTest, AStopThatNeverReturnsIsEndedByTheTimeout) {
    const std::string path = scenario("bad", "trouble = \"hang-on-stop\"", "process", "writers = 1",
                                      "ending = \"stop\"");
    EXPECT_EQ(run(path, "--child-timeout 1s").exit_code, 1);
    EXPECT_THAT(repetition().error, HasSubstr("did not stop within"));
    expect_nothing_left();
}

TEST_F(FailureTest, AnErrorOfTheSystemComesWithItsLastWords) {
    EXPECT_EQ(run_with("refuse-open").exit_code, 1);
    EXPECT_THAT(repetition().error, HasSubstr("the system refused to start"));
    EXPECT_THAT(repetition().error, HasSubstr("its last words: no licence found"));
}

TEST_F(FailureTest, RubbishInTheAnswerPipeIsNoAnswer) {
    EXPECT_EQ(run_with("bad-answer").exit_code, 1);
    EXPECT_THAT(repetition().error, HasSubstr("bad answer"));
    expect_nothing_left();
}

// --- children that lie ---

struct Lie {
    const char* driver;
    const char* settings;
    const char* anomaly;
    int exit_code;
};

class LieTest : public FailureTest, public ::testing::WithParamInterface<Lie> {};

TEST_P(LieTest, IsCaughtByTheReadBackWithTheRightName) {
    const Lie lie = GetParam();
    const ShellResult outcome = run(scenario(lie.driver, lie.settings, "process", "writers = 1"));
    EXPECT_EQ(outcome.exit_code, 20) << outcome.output;
    const Repetition found = repetition();
    EXPECT_TRUE(found.checked);
    EXPECT_THAT(found.read_back.verdict.summary(), StartsWith(std::string(lie.anomaly) + ":"));
}

INSTANTIATE_TEST_SUITE_P(
    Lies, LieTest,
    ::testing::Values(Lie{"file", "misbehave = \"ack-early\"", "lost-write", 20},
                      Lie{"file", "misbehave = \"drop\"", "lost-write", 20},
                      Lie{"file", "misbehave = \"duplicate\"", "duplicate", 20},
                      Lie{"file", "misbehave = \"reorder\"", "nonmonotonic-poll", 20},
                      Lie{"file", "misbehave = \"corrupt\"", "corrupt", 20},
                      Lie{"bad", "trouble = \"phantom\"", "phantom", 20},
                      Lie{"bad", "trouble = \"fail-visible\"", "G1a", 20},
                      Lie{"bad", "trouble = \"lose-and-fail\"", "lost-write", 20}),
    [](const auto& test) {
        std::string name;
        for (const char c : std::string_view(test.param.settings)) {
            if ((c >= 'a' && c <= 'z') || c == '-') name += c == '-' ? '_' : c;
        }
        return name;
    });

TEST_F(FailureTest, AFailedAppendDoesNotHideALostRecord) {
    const std::string path =
        scenario("bad", "trouble = \"lose-and-fail\"", "process", "writers = 1");
    EXPECT_EQ(run(path).exit_code, 20);
    EXPECT_THAT(repetition().error, HasSubstr("the disk went away"));
    EXPECT_EQ(repetition().read_back.verdict.acknowledged, 21u);
    EXPECT_EQ(repetition().read_back.verdict.read, 20u);
}

// --- signals ---

class SignalTest : public FailureTest,
                   public ::testing::WithParamInterface<std::pair<const char*, int>> {};

TEST_P(SignalTest, LeavesAnInvalidBundleAndNothingElse) {
    const auto [signal, exit_code] = GetParam();
    const ShellResult outcome = run_with(
        "leave-process", "", std::string("timeout --preserve-status -s ") + signal + " 1 ");
    EXPECT_EQ(outcome.exit_code, exit_code) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("interrupted by signal"));
    EXPECT_FALSE(result().complete);
    EXPECT_TRUE(result().rows.at(0).systems.at(0).repetitions.empty());
    expect_nothing_left();
}

INSTANTIATE_TEST_SUITE_P(Signals, SignalTest,
                         ::testing::Values(std::pair("INT", 130), std::pair("TERM", 143)),
                         [](const auto& test) { return std::string(test.param.first); });

TEST_F(FailureTest, ASignalInTheMiddleOfAHangLeavesNoProcessOfTheChildsEither) {
    // The shell waits until the child has started a process of its own.
    const std::string path = scenario("bad", "trouble = \"leave-process\"");
    const ShellResult outcome = run_shell(program() + " run --no-gate --quiet " + path + " --out " +
                                          bundle() + " & pid=$!; while ! ls " + bundle() +
                                          "/data/*/held-open >/dev/null 2>&1; do :; done; "
                                          "kill -TERM $pid; wait $pid");
    EXPECT_EQ(outcome.exit_code, 143) << outcome.output;
    EXPECT_FALSE(result().complete);
    expect_nothing_left();
}

TEST_F(FailureTest, AKilledHarnessTakesItsChildAlong) {
    const ShellResult outcome = run_with("hang", "", "timeout -s KILL 1 ");
    EXPECT_EQ(outcome.exit_code, 137) << outcome.output;
    for (int tries = 0; tries < 100 && somebody_has_open(bundle()); ++tries) continue;
    EXPECT_FALSE(somebody_has_open(bundle()));
    EXPECT_FALSE(std::filesystem::exists(bundle() + "/result.json"));  // No false verdict.
}

// --- the disk ---

class FullDiskTest : public FailureTest {
protected:
    // Runs `command` where `path` is an empty file system of `size`, as root or as if.
    static ShellResult run_on_small_disk(const std::string& path, const std::string& size,
                                         const std::string& command) {
        std::filesystem::create_directories(path);
        const std::string inside =
            "mount -t tmpfs -o size=" + size + " none " + path + " || exit 99; " + command;
        for (const char* unshare : {"unshare -m ", "unshare -rm "}) {
            ShellResult outcome = run_shell(std::string(unshare) + "sh -c '" + inside + "'");
            if (outcome.output.find("unshare") == std::string::npos && outcome.exit_code != 99) {
                return outcome;
            }
        }
        return {};
    }
    std::string data() const { return directory_.path() + "/small"; }
    ShellResult run_full(const std::string& size) const {
        const std::string path = scenario("file", "", "process",
                                          "writers = 1, payload_bytes = 65536, duration = \"2s\"");
        return run_on_small_disk(data(), size,
                                 program() + " run --no-gate --quiet " + path + " --out " +
                                     bundle() + " --data " + data() +
                                     "; code=$?; echo left: $(ls " + data() + "); exit $code");
    }
};

TEST_F(FullDiskTest, DuringARunIsAnErrorThatSaysWhatToDo) {
    const ShellResult outcome = run_full("40m");
    if (outcome.exit_code == -1) GTEST_SKIP() << "file systems cannot be mounted here";
    EXPECT_EQ(outcome.exit_code, 1) << outcome.output;
    EXPECT_THAT(repetition().error, HasSubstr("No space left on device"));
    EXPECT_THAT(repetition().error, HasSubstr("free space or choose another --data"));
    // What had been acknowledged before was all there.
    EXPECT_TRUE(repetition().checked);
    EXPECT_TRUE(repetition().read_back.verdict.ok());
    EXPECT_THAT(outcome.output, HasSubstr("left:\n"));
}

TEST_F(FullDiskTest, BeforeARunIsASetupError) {
    const ShellResult outcome = run_full("1m");
    if (outcome.exit_code == -1) GTEST_SKIP() << "file systems cannot be mounted here";
    EXPECT_EQ(outcome.exit_code, 22) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("free space or choose another --data"));
    EXPECT_FALSE(result().complete);
}

// --- setting up ---

TEST_F(FailureTest, AnAbsentDriverIsSkippedLoudly) {
    const ShellResult outcome = run(scenario("ghost", ""));
    EXPECT_EQ(outcome.exit_code, 1) << outcome.output;  // Nothing was measured.
    EXPECT_THAT(outcome.output,
                HasSubstr("skipped: sut: driver \"ghost\" is not in this build: built without "
                          "libghost"));
    EXPECT_TRUE(result().rows.at(0).systems.at(0).repetitions.empty());
}

TEST_F(FailureTest, AnAbsentDriverFailsWhenItIsRequired) {
    const ShellResult outcome = run(scenario("ghost", ""), "--require");
    EXPECT_EQ(outcome.exit_code, 12) << outcome.output;
    EXPECT_FALSE(std::filesystem::exists(bundle()));
}

TEST_F(FailureTest, AnUnwritableDataDirectoryIsASetupError) {
    const ShellResult outcome = run(scenario("file", ""), "--data /proc/none");
    EXPECT_EQ(outcome.exit_code, 22) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("cannot create /proc/none"));
}

TEST_F(FailureTest, ADataDirectoryOfTheUsersIsLeftAsItWas) {
    const std::string data = directory_.path() + "/mine";
    std::filesystem::create_directories(data);
    std::ofstream(data + "/keep") << "me";
    EXPECT_EQ(run(scenario("file", ""), "--data " + data).exit_code, 0);
    EXPECT_EQ(read_whole_file(data + "/keep").value_or(""), "me");
    std::filesystem::remove(data + "/keep");
    EXPECT_TRUE(std::filesystem::is_empty(data));
}

TEST_F(FailureTest, ABadTimeoutIsAUsageError) {
    const ShellResult outcome = run(scenario("file", ""), "--child-timeout soon");
    EXPECT_EQ(outcome.exit_code, 2) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("--child-timeout"));
}

// --- the quiet gate ---

TEST_F(FailureTest, WithoutQuietThereIsNoVerdict) {
    // A busy neighbour that is not below the harness.
    const std::string path = scenario("file", "", "process", "writers = 1, duration = \"500ms\"");
    const ShellResult outcome = run_shell("(while :; do :; done) & busy=$!; " + program() +
                                          " run --quiet --gate-wait 100ms " + path + " --out " +
                                          bundle() + "; code=$?; kill $busy; exit $code");
    EXPECT_EQ(outcome.exit_code, 11) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("no verdict: tiny row / sut"));
    const Repetition rejected = repetition();
    EXPECT_THAT(rejected.rejected, HasSubstr("of a processor"));
    EXPECT_GT(rejected.write.records, 0u);  // Kept as evidence.
    EXPECT_TRUE(rejected.checked);
    EXPECT_FALSE(rejected.measured());
}

TEST_F(FailureTest, WithoutTheGateTheResultIsMarked) {
    EXPECT_EQ(run(scenario("file", "")).exit_code, 0);
    EXPECT_EQ(result().host.at("quiet_gate"), "off");
    EXPECT_THAT(result().notes, ::testing::Contains(HasSubstr("--no-gate")));
}

}  // namespace
}  // namespace walrus::harness
