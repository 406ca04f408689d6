#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/report/result_json.h"
#include "harness/report/summary.h"
#include "harness/report/tables.h"

namespace walrus::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Repetition repetition(std::uint32_t round, std::uint64_t records, std::uint64_t flushes) {
    Repetition repetition;
    repetition.round = round;
    repetition.checked = true;
    repetition.write.window_ns = 1'000'000'000;
    repetition.write.appends = records;
    repetition.write.records = records;
    repetition.write.activity.total.device.flushes = flushes;
    for (std::uint64_t i = 0; i < records; ++i) repetition.write.latency_ns.record(100'000 + i);
    repetition.read_back.verdict.acknowledged = records;
    repetition.read_back.verdict.read = records;
    return repetition;
}

// One row in class disk: "fast" makes twice the appends of "slow", a flush each.
RunResult small_result() {
    RunResult result;
    result.complete = true;
    result.scenario.title = "Small";
    result.scenario.repetitions = 3;
    result.host["device"] = "vdz";
    for (int i = 0; i < 100; ++i) result.floor.overwrite_ns.record(50'000);
    Row row;
    row.name = "appends";
    row.durability = Durability::kDisk;
    row.systems = {"fast", "slow"};
    row.baseline = "slow";
    result.scenario.rows = {row};
    RowResult& measured = result.rows.emplace_back(RowResult{.row = row, .systems = {}});
    measured.systems = {{.system = "fast", .skipped = "", .repetitions = {}},
                        {.system = "slow", .skipped = "", .repetitions = {}}};
    for (std::uint32_t round = 0; round < 3; ++round) {
        const std::uint64_t base = 1000 + 10 * round;
        measured.systems[0].repetitions.push_back(repetition(round, 2 * base, 2 * base));
        measured.systems[1].repetitions.push_back(repetition(round, base, base));
    }
    return result;
}

TEST(Summary, FiguresAreMediansAndRatiosArePaired) {
    const std::vector<Line> lines = summarise(small_result());
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[0].figure, 2020);
    EXPECT_EQ(lines[0].lowest, 2000);
    EXPECT_EQ(lines[0].highest, 2040);
    EXPECT_DOUBLE_EQ(lines[0].ratio.value, 2.0);
    EXPECT_DOUBLE_EQ(lines[0].ratio.low, 2.0);
    EXPECT_TRUE(lines[1].is_baseline);
    EXPECT_EQ(lines[0].derived_class, "disk");
    EXPECT_NEAR(lines[0].p50_over_floor, 2.0, 0.05);
    EXPECT_EQ(lines[0].records_checked, 6060u);
}

TEST(Summary, ARowWhoseFlushesCannotServeItsAcksIsWithheld) {
    RunResult result = small_result();
    for (Repetition& r : result.rows[0].systems[0].repetitions) {
        r.write.activity.total.device.flushes = 3;
    }
    const std::vector<Line> lines = summarise(result);
    EXPECT_TRUE(lines[0].class_mismatch);
    EXPECT_EQ(lines[0].derived_class, "process");
    EXPECT_FALSE(lines[1].class_mismatch);
    EXPECT_THAT(render_tables(result, lines), HasSubstr("withheld"));
}

TEST(Summary, OneFlushMayServeAllAppendsInFlight) {
    RunResult result = small_result();
    result.rows[0].row.workload.writers = 10;
    for (Repetition& r : result.rows[0].systems[0].repetitions) {
        r.write.activity.total.device.flushes = r.write.appends / 10;
    }
    EXPECT_FALSE(summarise(result)[0].class_mismatch);
}

TEST(Summary, FailedRoundsAreCountedAndLeftOutOfThePairs) {
    RunResult result = small_result();
    result.rows[0].systems[1].repetitions[1].error = "crashed";
    const std::vector<Line> lines = summarise(result);
    EXPECT_EQ(lines[0].ratio.pairs, 2u);
    EXPECT_EQ(lines[1].failed, 1u);
    EXPECT_EQ(lines[1].first_error, "crashed");
}

TEST(Summary, RestartsAreBetterWhenShorter) {
    RunResult result = small_result();
    result.rows[0].row.measure = Measure::kRestart;
    for (Repetition& r : result.rows[0].systems[0].repetitions) r.read_back.open_ns = 100'000'000;
    for (Repetition& r : result.rows[0].systems[1].repetitions) r.read_back.open_ns = 400'000'000;
    const std::vector<Line> lines = summarise(result);
    EXPECT_DOUBLE_EQ(lines[0].figure, 0.1);
    EXPECT_DOUBLE_EQ(lines[0].ratio.value, 4.0);
}

TEST(Tables, ClassesAreNeverMixed) {
    RunResult result = small_result();
    RowResult other = result.rows[0];
    other.row.name = "others";
    other.row.durability = Durability::kProcess;
    result.rows.push_back(other);
    const std::string text = render_tables(result, summarise(result));
    const auto disk = text.find("class disk");
    const auto process = text.find("class process");
    ASSERT_NE(disk, std::string::npos);
    ASSERT_NE(process, std::string::npos);
    EXPECT_EQ(text.find("others", disk) > process, true);
    EXPECT_THAT(text, HasSubstr("2.00x [2.00-2.00]"));
    EXPECT_THAT(text, HasSubstr("device floor"));
}

TEST(Tables, AnomaliesAndInterruptionsAreSaidAloud) {
    RunResult result = small_result();
    EXPECT_THAT(render_tables(result, summarise(result)), Not(HasSubstr("SAFETY")));
    result.complete = false;
    Verdict& verdict = result.rows[0].systems[0].repetitions[0].read_back.verdict;
    verdict.anomalies[0] = {.count = 1, .examples = {"writer 0 record 5"}};
    const std::string text = render_tables(result, summarise(result));
    EXPECT_THAT(text, HasSubstr("SAFETY VIOLATION: lost-write: 1 (writer 0 record 5)"));
    EXPECT_THAT(text, HasSubstr("INCOMPLETE"));
}

TEST(ResultJson, SaysTheSameAfterTheRoundTrip) {
    const RunResult result = small_result();
    const auto again = parse_result(nlohmann::json(result).dump());
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(nlohmann::json(*again), nlohmann::json(result));
    EXPECT_EQ(render_tables(*again, summarise(*again)), render_tables(result, summarise(result)));
}

TEST(ResultJson, DamagedDocumentsAreRefusedWithAReason) {
    EXPECT_EQ(parse_result("{").error().code, Errc::kCorruption);
    EXPECT_EQ(parse_result("{}").error().code, Errc::kCorruption);
    nlohmann::json document = small_result();
    document["schema"] = "something/v9";
    EXPECT_THAT(parse_result(document.dump()).error().message, HasSubstr("walrus.bench/v1"));
    document = small_result();
    document["floor"]["overwrite_ns"]["buckets"] = "5:1 7:x";
    EXPECT_THAT(parse_result(document.dump()).error().message, HasSubstr("index:count"));
    document["floor"]["overwrite_ns"]["buckets"] = "5:1";
    EXPECT_THAT(parse_result(document.dump()).error().message, HasSubstr("do not add up"));
}

}  // namespace
}  // namespace walrus::harness
