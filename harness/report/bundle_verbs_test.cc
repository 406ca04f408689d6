// The verbs report, verify and compare (cli/bundle_commands.h) from outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/scratch_directory.h"
#include "harness/report/exports.h"
#include "harness/report/result_json.h"
#include "harness/report/sample_result.h"

namespace walrus::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Outcome {
    int exit_code = -1;
    std::string output;  // Both streams.
};

class BundleCommandsTest : public ::testing::Test {
protected:
    BundleCommandsTest() { write_bundle("old", sample_result(7)); }

    static Outcome run(const std::string& arguments) {
        const std::string command = std::string(WALRUS_HARNESS_PATH) + " " + arguments + " 2>&1";
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

    std::string path(const std::string& name) const { return directory_.path() + "/" + name; }
    void write_bundle(const std::string& name, const RunResult& result) const {
        std::filesystem::create_directories(path(name));
        const std::string text = nlohmann::json(result).dump(1) + "\n";
        EXPECT_TRUE(write_whole_file(path(name) + "/result.json", text));
    }
    // A run whose system "fast" has so much of its old throughput.
    void write_changed(const std::string& name, double share) const {
        RunResult result = sample_result(7);
        for (Repetition& repetition : result.rows[0].systems[0].repetitions) {
            repetition.write.records =
                static_cast<std::uint64_t>(static_cast<double>(repetition.write.records) * share);
        }
        write_bundle(name, result);
    }
    Outcome compare(const std::string& options = "") const {
        return run("compare " + path("old") + " " + path("new") + " " + options);
    }

    ScratchDirectory directory_;
};

TEST_F(BundleCommandsTest, ReportPrintsTablesByDefault) {
    const Outcome outcome = run("report " + path("old"));
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_THAT(outcome.output, HasSubstr("class disk: "));
    EXPECT_THAT(outcome.output, HasSubstr("faster"));
}

TEST_F(BundleCommandsTest, EveryFormatThatIsListedWorks) {
    const Outcome help = run("report --format help");
    EXPECT_EQ(help.exit_code, 0);
    for (const std::string format : {"text", "md", "html", "figures", "json", "omb", "gbench",
                                     "github-bigger", "github-smaller", "bmf", "csv", "hgrm"}) {
        EXPECT_THAT(help.output, HasSubstr("  " + format + " "));
        const Outcome outcome =
            run("report " + path("old") + " --format " + format + " --out " + path(format));
        EXPECT_EQ(outcome.exit_code, 0) << format << ": " << outcome.output;
        EXPECT_TRUE(std::filesystem::exists(path(format))) << format;
    }
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path("hgrm")), {}), 2);
    EXPECT_EQ(run("report " + path("old") + " --format xls").exit_code, 2);
}

TEST_F(BundleCommandsTest, SeveralFilesNeedADirectory) {
    const Outcome outcome = run("report " + path("old") + " --format hgrm");
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.output, HasSubstr("gives 2 files: name a directory with --out"));
}

TEST_F(BundleCommandsTest, WhatReportWritesVerifies) {
    const Outcome written = run("report --write " + path("old"));
    EXPECT_EQ(written.exit_code, 0) << written.output;
    EXPECT_THAT(written.output, HasSubstr("report.html"));
    const Outcome verified = run("verify " + path("old"));
    EXPECT_EQ(verified.exit_code, 0) << verified.output;
    EXPECT_THAT(verified.output, HasSubstr(": verified: 4 files hashed"));
    EXPECT_TRUE(nlohmann::json::parse(run("-o json verify " + path("old")).output).at("ok"));
}

TEST_F(BundleCommandsTest, VerifyFailsOnAChangedNumberAndSaysWhich) {
    ASSERT_EQ(run("report --write " + path("old")).exit_code, 0);
    const auto figures = read_whole_file(path("old") + "/figures.json");
    ASSERT_TRUE(figures);
    nlohmann::json document = nlohmann::json::parse(*figures);
    document["/lines/1/figures/p50_ns/value"_json_pointer] = 5;
    ASSERT_TRUE(write_whole_file(path("old") + "/figures.json", document.dump(1)));
    const Outcome outcome = run("verify " + path("old"));
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_THAT(outcome.output, HasSubstr("figures.json: /lines/1/figures/p50_ns/value: is 5"));
    EXPECT_THAT(outcome.output, HasSubstr("NOT VERIFIED"));
}

TEST_F(BundleCommandsTest, ABundleThatIsNotThereIsAUsageError) {
    EXPECT_EQ(run("report " + path("none")).exit_code, 2);
    EXPECT_EQ(run("report").exit_code, 2);
    EXPECT_EQ(run("verify " + path("none")).exit_code, 2);
    EXPECT_EQ(run("compare " + path("old") + " " + path("none")).exit_code, 2);
}

TEST_F(BundleCommandsTest, CompareTellsByItsExitCode) {
    write_changed("new", 1.0);
    EXPECT_EQ(compare().exit_code, 0);
    write_changed("new", 0.85);
    EXPECT_EQ(compare().exit_code, 10);
    EXPECT_EQ(compare("--threshold 20%").exit_code, 0);
    EXPECT_EQ(compare("--threshold 0.2").exit_code, 0);
    EXPECT_EQ(compare("--threshold much").exit_code, 2);
    write_bundle("new", sample_result(3));
    EXPECT_EQ(compare().exit_code, 11);
}

TEST_F(BundleCommandsTest, CompareRefusesWhatIsUnlike) {
    RunResult other = sample_result(7);
    other.rows[0].row.durability = Durability::kProcess;
    write_bundle("new", other);
    const Outcome refused = compare();
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.output, HasSubstr("--allow-unlike-classes"));
    const Outcome labelled = compare("--allow-unlike-classes");
    EXPECT_EQ(labelled.exit_code, 0) << labelled.output;
    EXPECT_THAT(labelled.output, HasSubstr("UNLIKE"));
}

TEST_F(BundleCommandsTest, ComparePrintsMarkdownAndJson) {
    write_changed("new", 0.85);
    EXPECT_THAT(compare("--format md").output, StartsWith("## REGRESSION"));
    EXPECT_EQ(nlohmann::json::parse(compare("-o json").output).at("gate"), "REGRESSION");
}

}  // namespace
}  // namespace walrus::harness
