#include "harness/report/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/scratch_directory.h"
#include "harness/report/result_json.h"
#include "harness/report/sample_result.h"

namespace walrus::harness {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class BundleTest : public ::testing::Test {
protected:
    BundleTest() {
        const RunResult result = sample_result(5);
        write("result.json", json(result).dump(1) + "\n");
        write("scenario.json", json(result).at("scenario").dump(1) + "\n");
        std::filesystem::create_directory(path() + "/logs");
        write("logs/child.log", "all went well\n");
        const Status status = write_report(path());
        EXPECT_TRUE(status) << status.error().message;
    }

    std::string path() const { return directory_.path(); }
    std::string read(const std::string& name) const {
        const auto text = read_whole_file(path() + "/" + name);
        EXPECT_TRUE(text) << text.error().message;
        return text.value_or("");
    }
    void write(const std::string& name, const std::string& text) const {
        EXPECT_TRUE(write_whole_file(path() + "/" + name, text));
    }
    // Replaces the first `from` of a file.
    void change(const std::string& name, const std::string& from, const std::string& to) const {
        std::string text = read(name);
        const auto at = text.find(from);
        ASSERT_NE(at, std::string::npos) << from;
        write(name, text.replace(at, from.size(), to));
    }
    void change_json(const std::string& name, const std::function<void(json&)>& change) const {
        json document = json::parse(read(name));
        change(document);
        write(name, document.dump(1) + "\n");
    }
    // As somebody would who wants to hide a change.
    void renew_manifest() const {
        change_json("manifest.json", [&](json& manifest) {
            for (auto& [name, entry] : manifest.at("files").items()) {
                const std::string text = read(name);
                entry = {{"size_bytes", text.size()}, {"sha256", sha256_hex(text)}};
            }
        });
    }
    std::vector<std::string> problems() const {
        const auto verification = verify_bundle(path());
        EXPECT_TRUE(verification) << verification.error().message;
        return verification ? verification->problems : std::vector<std::string>{"no result"};
    }

    ScratchDirectory directory_;
};

TEST(Sha256, IsTheOneOfTheStandard) {
    EXPECT_EQ(sha256_hex("abc"),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(BundleTest, WhatWasWrittenVerifies) {
    const auto verification = verify_bundle(path());
    ASSERT_TRUE(verification) << verification.error().message;
    EXPECT_THAT(verification->problems, IsEmpty());
    EXPECT_EQ(verification->files, 6u);
    EXPECT_GT(verification->figures, 30u);
}

TEST_F(BundleTest, WritingTheReportAgainChangesNothing) {
    const std::string page = read("report.html");
    const std::string manifest = read("manifest.json");
    ASSERT_TRUE(write_report(path()));
    EXPECT_EQ(read("report.html"), page);
    EXPECT_EQ(read("manifest.json"), manifest);
}

TEST_F(BundleTest, KeptDataIsNoPartOfIt) {
    std::filesystem::create_directory(path() + "/data");
    write("data/log", "much");
    EXPECT_THAT(problems(), IsEmpty());
}

// --- one changed number, in any file ---

TEST_F(BundleTest, AChangedRawNumberIsFoundByItsHash) {
    change("result.json", "\"cpu_user_us\": 200000", "\"cpu_user_us\": 200001");
    EXPECT_THAT(problems(), Contains(StartsWith("result.json: was changed")));
}

TEST_F(BundleTest, AChangedRawNumberThatFiguresComeFromIsFoundBehindANewManifest) {
    change_json("result.json", [](json& result) {
        auto& write = result["/rows/0/systems/0/repetitions/2/write"_json_pointer];
        write["window_ns"] = 990'000'000;
    });
    renew_manifest();
    const auto found = problems();
    EXPECT_THAT(found, Contains(StartsWith("figures.json: /lines/0/figures/figure/value: is ")));
    EXPECT_THAT(found, Contains(StartsWith("report.html: line ")));
    EXPECT_THAT(found, Contains(StartsWith("report.md: line ")));
}

TEST_F(BundleTest, AChangedCountIsFoundEvenWhenEverythingWasMadeAnew) {
    change_json("result.json", [](json& result) {
        auto& write = result["/rows/0/systems/0/repetitions/2/write"_json_pointer];
        write["records"] = 9'999'999;
    });
    ASSERT_TRUE(write_report(path()));
    EXPECT_THAT(problems(),
                Contains(HasSubstr("/rows/0/systems/0/repetitions/2/write/series: adds up to")));
}

TEST_F(BundleTest, AHistogramThatContradictsItselfCannotBeMadeAnew) {
    change_json("result.json", [](json& result) {
        auto& latency = result["/rows/0/systems/1/repetitions/0/write/latency_ns"_json_pointer];
        latency["max"] = latency["max"].get<std::uint64_t>() / 2;
    });
    const Status written = write_report(path());
    ASSERT_FALSE(written);
    EXPECT_THAT(written.error().message, HasSubstr("histogram: the buckets"));
}

TEST_F(BundleTest, AChangedFigureIsFoundWithItsPlace) {
    change_json("figures.json",
                [](json& figures) { figures["/lines/0/figures/p99_ns/value"_json_pointer] = 1; });
    EXPECT_THAT(problems(), Contains(StartsWith("figures.json: was changed")));
    renew_manifest();
    EXPECT_THAT(problems(), ::testing::ElementsAre(
                                StartsWith("figures.json: /lines/0/figures/p99_ns/value: is 1, "
                                           "computed again ")));
}

TEST_F(BundleTest, AFigureThatIsMissingOrAddedIsFound) {
    change_json("figures.json", [](json& figures) {
        figures["/lines/0/figures"_json_pointer].erase("p99_ns");
        figures["/lines/1/figures"_json_pointer]["p98_ns"] = 7;
    });
    renew_manifest();
    const auto found = problems();
    EXPECT_THAT(found, Contains("figures.json: /lines/0/figures/p99_ns: is missing"));
    EXPECT_THAT(found, Contains("figures.json: /lines/1/figures/p98_ns: does not belong there"));
}

TEST_F(BundleTest, AChangedNumberOnThePageIsFoundWithItsPlace) {
    change("report.html", ">2,040<", ">3,040<");
    EXPECT_THAT(problems(), Contains(StartsWith("report.html: was changed")));
    renew_manifest();
    EXPECT_THAT(problems(), ::testing::ElementsAre(HasSubstr(">3,040<")));
}

TEST_F(BundleTest, AChangedCurveOnThePageIsFound) {
    change("report.html", "<path class=\"curve s0\" d=\"M", "<path class=\"curve s0\" d=\"M1");
    renew_manifest();
    EXPECT_THAT(problems(), ::testing::ElementsAre(StartsWith("report.html: line ")));
}

TEST_F(BundleTest, AChangedScenarioIsFound) {
    change("scenario.json", "\"seed\": 42", "\"seed\": 43");
    renew_manifest();
    EXPECT_THAT(problems(), Contains(HasSubstr("scenario.json: /seed: is 43")));
}

TEST_F(BundleTest, ChangedMissingAndAddedFilesAreFound) {
    write("logs/child.log", "all went very well\n");
    write("note.txt", "trust me");
    std::filesystem::remove(path() + "/report.md");
    const auto found = problems();
    EXPECT_THAT(found, Contains(StartsWith("logs/child.log: was changed")));
    EXPECT_THAT(found, Contains("note.txt: is in the bundle, but not in the manifest"));
    EXPECT_THAT(found, Contains("report.md: is in the manifest, but not in the bundle"));
}

// --- what cannot be verified ---

TEST_F(BundleTest, ABundleWithoutReportSaysHowToMakeOne) {
    std::filesystem::remove(path() + "/manifest.json");
    EXPECT_THAT(problems(), Contains(HasSubstr("walrus-harness report --write")));
}

TEST_F(BundleTest, APageOfAnotherFormatIsNotComparedWordByWord) {
    change("report.html", "<main>", "<main> ");
    renew_manifest();
    change_json("manifest.json", [](json& manifest) { manifest["page_format"] = 99; });
    EXPECT_THAT(problems(), ::testing::ElementsAre(HasSubstr("has page format 99")));
}

TEST_F(BundleTest, ADamagedResultAndANonexistentBundleAreErrors) {
    write("result.json", "{");
    EXPECT_THAT(problems(), Contains(HasSubstr("result.json: result.json: [json.exception")));
    EXPECT_EQ(verify_bundle(path() + "/none").error().code, Errc::kNotFound);
    EXPECT_EQ(write_report(path() + "/none").error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace walrus::harness
