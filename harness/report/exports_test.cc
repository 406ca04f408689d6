#include "harness/report/exports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "harness/driver/file_descriptor.h"
#include "harness/report/sample_result.h"

namespace walrus::harness {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<ExportFile> exported(ExportFormat format, const RunResult& result) {
    return export_result(format, result, summarise(result));
}

class GoldenExport : public ::testing::TestWithParam<ExportFormat> {};

// What the other tools read, byte for byte.  After a change on purpose, look at the file that the
// failure names and put it in place of the old one.
TEST_P(GoldenExport, IsTheFileThatWasCheckedAgainstTheOtherTool) {
    const std::vector<ExportFile> files = exported(GetParam(), sample_result(3));
    ASSERT_FALSE(files.empty());
    const std::string name = std::string(export_name(GetParam())) + ".golden";
    const auto golden = read_whole_file(std::string(WALRUS_GOLDEN_DIRECTORY) + "/" + name);
    if (golden && *golden == files.front().text) return;
    const std::string actual = ::testing::TempDir() + "/" + name;
    ASSERT_TRUE(write_whole_file(actual, files.front().text));
    FAIL() << name << " differs; what was written now: " << actual;
}

INSTANTIATE_TEST_SUITE_P(All, GoldenExport, ::testing::ValuesIn(kExportFormats),
                         [](const auto& format) {
                             std::string name(export_name(format.param));
                             std::erase(name, '-');
                             return name;
                         });

TEST(Exports, NamesCarryTheDurabilityClass) {
    const RunResult result = sample_result(3);
    for (const ExportFormat format : kExportFormats) {
        for (const ExportFile& file : exported(format, result)) {
            EXPECT_THAT(file.name + file.text, HasSubstr("disk")) << file.name;
        }
    }
}

TEST(Exports, WithheldAndFailedLinesAreLeftOut) {
    RunResult result = sample_result(3);
    for (Repetition& r : result.rows[0].systems[0].repetitions) {
        r.write.activity.total.device.flushes = 0;
    }
    for (Repetition& r : result.rows[0].systems[1].repetitions) r.error = "crashed";
    EXPECT_THAT(exported(ExportFormat::kOpenMessaging, result), IsEmpty());
    EXPECT_THAT(exported(ExportFormat::kHdr, result), IsEmpty());
    for (const ExportFormat format : {ExportFormat::kGoogleBenchmark, ExportFormat::kBencher,
                                      ExportFormat::kGithubBigger, ExportFormat::kCsv}) {
        EXPECT_THAT(exported(format, result).front().text, Not(HasSubstr("fast")));
    }
}

TEST(Exports, FileNamesOfDifferentRowsDiffer) {
    RunResult result = sample_result(3);
    result.rows.push_back(result.rows[0]);
    result.rows[0].row.name = "a/b";
    result.rows[1].row.name = "a b";
    const auto files = exported(ExportFormat::kHdr, result);
    ASSERT_EQ(files.size(), 4u);
    EXPECT_EQ(files[0].name, "00-00-disk-a-b-fast.hgrm");
    EXPECT_EQ(files[2].name, "01-00-disk-a-b-fast.hgrm");
}

TEST(Exports, GoogleBenchmarkHasOneEntryPerRepetitionWithTimePerRecord) {
    const auto files = exported(ExportFormat::kGoogleBenchmark, sample_result(3));
    const json benchmarks = json::parse(files.at(0).text).at("benchmarks");
    ASSERT_EQ(benchmarks.size(), 6u);
    EXPECT_DOUBLE_EQ(benchmarks[0].at("real_time").get<double>(), 1e9 / 2000);
    EXPECT_EQ(benchmarks[2].at("repetition_index"), 2);
    EXPECT_EQ(benchmarks[0].at("run_type"), "iteration");
}

TEST(Exports, RestartsAreSmallerIsBetter) {
    RunResult result = sample_result(3);
    result.rows[0].row.measure = Measure::kRestart;
    EXPECT_EQ(json::parse(exported(ExportFormat::kGithubBigger, result).at(0).text).size(), 0u);
    const json entries = json::parse(exported(ExportFormat::kGithubSmaller, result).at(0).text);
    ASSERT_EQ(entries.size(), 2u);
    EXPECT_EQ(entries[0].at("unit"), "s");
    EXPECT_DOUBLE_EQ(entries[0].at("value").get<double>(), 0.005);
}

}  // namespace
}  // namespace walrus::harness
