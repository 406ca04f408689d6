#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/driver/file_descriptor.h"
#include "harness/report/result_json.h"
#include "harness/report/sample_result.h"
#include "harness/report/summary.h"
#include "harness/report/table_model.h"
#include "harness/report/tables.h"

namespace walrus::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Summary, FiguresAreMediansAndRatiosArePaired) {
    const std::vector<Line> lines = summarise(sample_result());
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[0].figure, 2020);
    EXPECT_EQ(lines[0].lowest, 2000);
    EXPECT_EQ(lines[0].highest, 2040);
    EXPECT_DOUBLE_EQ(lines[0].ratio.value, 2.0);
    EXPECT_DOUBLE_EQ(lines[0].ratio.low, 2.0);
    EXPECT_TRUE(lines[1].is_baseline);
    EXPECT_EQ(lines[0].derived_class, "disk");
    EXPECT_NEAR(lines[0].p50_over_floor, 4.0, 0.1);
    EXPECT_EQ(lines[0].records_checked, 6090u);
    EXPECT_DOUBLE_EQ(lines[0].flushes_per_record, 1.0);
}

TEST(Summary, ARowWhoseFlushesCannotServeItsAcksIsWithheld) {
    RunResult result = sample_result();
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
    RunResult result = sample_result();
    result.rows[0].row.workload.writers = 10;
    for (Repetition& r : result.rows[0].systems[0].repetitions) {
        r.write.activity.total.device.flushes = r.write.appends / 10;
    }
    EXPECT_FALSE(summarise(result)[0].class_mismatch);
}

TEST(Summary, FailedRoundsAreCountedAndLeftOutOfThePairs) {
    RunResult result = sample_result();
    result.rows[0].systems[1].repetitions[1].error = "crashed";
    const std::vector<Line> lines = summarise(result);
    EXPECT_EQ(lines[0].ratio.pairs, 2u);
    EXPECT_EQ(lines[1].failed, 1u);
    EXPECT_EQ(lines[1].first_error, "crashed");
}

TEST(Summary, RestartsAreBetterWhenShorter) {
    RunResult result = sample_result();
    result.rows[0].row.measure = Measure::kRestart;
    for (Repetition& r : result.rows[0].systems[0].repetitions) r.read_back.open_ns = 100'000'000;
    for (Repetition& r : result.rows[0].systems[1].repetitions) r.read_back.open_ns = 400'000'000;
    const std::vector<Line> lines = summarise(result);
    EXPECT_DOUBLE_EQ(lines[0].figure, 0.1);
    EXPECT_DOUBLE_EQ(lines[0].ratio.value, 4.0);
}

TEST(Summary, AVerdictNeedsEnoughPairs) {
    const Line few = summarise(sample_result(4))[0];
    EXPECT_EQ(few.judgement, Judgement::kNone);
    EXPECT_EQ(few.no_verdict, "4 usable pairs, a verdict needs 5");
    const std::vector<Line> enough = summarise(sample_result(5));
    EXPECT_EQ(enough[0].judgement, Judgement::kFaster);
    EXPECT_EQ(enough[0].no_verdict, "");
    EXPECT_EQ(enough[0].baseline, "slow");
    EXPECT_EQ(enough[1].judgement, Judgement::kNone);
}

TEST(Summary, AnIncompleteRunHasNoVerdicts) {
    RunResult result = sample_result(5);
    result.complete = false;
    EXPECT_EQ(summarise(result)[0].judgement, Judgement::kNone);
    EXPECT_EQ(summarise(result)[0].no_verdict, "the run is incomplete");
}

TEST(Summary, ABaselineOfAnotherClassIsRefused) {
    RunResult result = sample_result(5);
    RowResult other = result.rows[0];
    other.row.name = "acknowledged early";
    other.row.durability = Durability::kProcess;
    result.rows[0].row.baseline_row = other.row.name;
    result.rows.push_back(other);
    const Line line = summarise(result)[0];
    EXPECT_FALSE(line.ratio.valid());
    result.rows[1].row.durability = Durability::kDisk;
    EXPECT_TRUE(summarise(result)[0].ratio.valid());
    EXPECT_THAT(render_tables(result, summarise(result)),
                HasSubstr(", against slow in acknowledged early\n"));
    EXPECT_EQ(line.no_verdict,
              "the baseline slow in acknowledged early is of class process, this row of class "
              "disk");
}

TEST(Tables, ClassesAreNeverMixed) {
    RunResult result = sample_result();
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
    EXPECT_THAT(text, HasSubstr("/ fast: no verdict: 3 usable pairs"));
}

TEST(Tables, AnomaliesAndInterruptionsAreSaidAloud) {
    RunResult result = sample_result();
    EXPECT_THAT(render_tables(result, summarise(result)), Not(HasSubstr("SAFETY")));
    result.complete = false;
    Verdict& verdict = result.rows[0].systems[0].repetitions[0].read_back.verdict;
    verdict.anomalies[0] = {.count = 1, .examples = {"writer 0 record 5"}};
    const std::string text = render_tables(result, summarise(result));
    EXPECT_THAT(text, HasSubstr("SAFETY VIOLATION: lost-write: 1 (writer 0 record 5)"));
    EXPECT_THAT(text, HasSubstr("INCOMPLETE"));
}

TEST(Tables, SmallRatiosKeepTheirDigits) {
    const Ratio ratio = {
        .value = 0.00016, .low = 0.0001, .high = 0.25, .confidence = 0.95, .pairs = 5};
    EXPECT_EQ(ratio_text(ratio), "0.00016x [0.0001-0.25]");
}

TEST(Tables, MarkdownHasATablePerClassAndEscapesWhatIsMarkup) {
    RunResult result = sample_result(5);
    result.rows[0].row.name = "a | b * c";
    const std::string text = render_markdown(result, summarise(result));
    EXPECT_THAT(text, HasSubstr("### Appends, class disk: "));
    EXPECT_THAT(text, HasSubstr("| workload | system | records/s |"));
    EXPECT_THAT(text, HasSubstr("| a \\| b \\* c | fast | 2,040 |"));
    EXPECT_THAT(text, HasSubstr("| 2.00x [2.00-2.00] | faster |"));
}

TEST(ResultJson, SaysTheSameAfterTheRoundTrip) {
    const RunResult result = sample_result();
    const auto again = parse_result(nlohmann::json(result).dump());
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(nlohmann::json(*again), nlohmann::json(result));
    EXPECT_EQ(render_tables(*again, summarise(*again)), render_tables(result, summarise(result)));
}

// A repetition with a value of its own in every field that was added to the first version.
Repetition full_repetition() {
    Repetition r = sample_repetition(1, 100, 100);
    r.attempt = 2;
    r.rejected = "a compiler ran";
    r.warnings = {"governor is powersave"};
    r.floor.append_ns.record(222'000);
    r.write.series = {3, 4};
    r.write.series_p50_ns = {10, 11};
    r.write.series_p99_ns = {20, 21};
    r.write.series_max_ns = {30, 31};
    r.write.offered_rate_per_s = 50'000;
    r.write.delay_ns.record(60'000);
    r.write.service_ns.record(110'000);
    r.write.late_after_ns = 1'000'000;
    r.write.late_sends = 1;
    r.write.unsent_at_end = 2;
    r.write.sent = 3;
    r.write.failed = 4;
    r.write.unknown = 5;
    r.write.in_flight_at_end = 6;
    r.write.sustained_rate_per_s = 49'000;
    SearchStep& step = r.write.search.emplace_back();
    step.rate_per_s = 7;
    step.backlog_growth = -12;
    step.sustained = true;
    step.latency_ns.record(9);
    r.read.readers = 2;
    r.read.backlog_records = 13;
    r.read.caught_up = true;
    r.read.backlog = {20};
    r.read.latency_ns.record(500'000);
    return r;
}

TEST(ResultJson, KeepsEveryFigureOfOpenLoopsSearchesAndReaders) {
    RunResult result = sample_result();
    result.scenario.notes = {"a note"};
    result.rows[0].systems[0].no_verdict = "never quiet";
    result.rows[0].systems[0].repetitions = {full_repetition()};

    const auto again = parse_result(nlohmann::json(result).dump());
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(nlohmann::json(*again), nlohmann::json(result));
    EXPECT_EQ(again->scenario.notes, result.scenario.notes);
    EXPECT_EQ(again->rows[0].systems[0].no_verdict, "never quiet");
    const Repetition& same = again->rows[0].systems[0].repetitions[0];
    EXPECT_EQ(same.attempt, 2u);
    EXPECT_EQ(same.rejected, "a compiler ran");
    EXPECT_EQ(same.warnings, (std::vector<std::string>{"governor is powersave"}));
    EXPECT_EQ(same.floor.append_ns.max(), 222'000u);
    EXPECT_EQ(same.write.series_p99_ns, (std::vector<std::uint64_t>{20, 21}));
    EXPECT_EQ(same.write.delay_ns.max(), 60'000u);
    EXPECT_EQ(same.write.service_ns.max(), 110'000u);
    EXPECT_EQ(same.write.unsent_at_end, 2u);
    EXPECT_EQ(same.write.in_flight_at_end, 6u);
    ASSERT_EQ(same.write.search.size(), 1u);
    EXPECT_EQ(same.write.search[0].backlog_growth, -12);
    EXPECT_EQ(same.write.search[0].latency_ns.max(), 9u);
    EXPECT_EQ(same.write.sustained_rate_per_s, 49'000u);
    EXPECT_EQ(same.read.latency_ns.max(), 500'000u);
    EXPECT_EQ(same.read.backlog, (std::vector<std::uint64_t>{20}));
}

// As the first version wrote them, before keys were added.
TEST(ResultJson, BundlesOfTheFirstVersionStayReadable) {
    const auto text = read_whole_file(std::string(WALRUS_REFERENCE_DIRECTORY) +
                                      "/2026-11-23-engine-quick/result.json");
    ASSERT_TRUE(text) << text.error().message;
    const auto result = parse_result(*text);
    ASSERT_TRUE(result) << result.error().message;
    const Repetition& repetition = result->rows.front().systems.front().repetitions.front();
    EXPECT_TRUE(repetition.measured());
    EXPECT_EQ(repetition.attempt, 0u);
    EXPECT_FALSE(repetition.floor.measured());
    EXPECT_EQ(repetition.read.readers, 0u);
    EXPECT_EQ(result->rows.front().row.workload.payload_bytes_max, 0u);
    EXPECT_GT(summarise(*result).front().figure, 0);
}

TEST(Summary, RejectedRepetitionsCountInNoFigureButTheirAnomaliesDo) {
    RunResult result = sample_result();
    Repetition disturbed = sample_repetition(1, 10, 10);
    disturbed.rejected = "a compiler ran";
    disturbed.read_back.verdict.anomalies[0] = {.count = 1, .examples = {"writer 0 record 5"}};
    result.rows[0].systems[0].repetitions.push_back(disturbed);
    const std::vector<Line> lines = summarise(result);
    EXPECT_EQ(lines[0].repetitions, 3u);
    EXPECT_EQ(lines[0].failed, 0u);
    EXPECT_EQ(lines[0].lowest, 2000);
    EXPECT_EQ(lines[0].anomalies, 1u);
}

TEST(ResultJson, DamagedDocumentsAreRefusedWithAReason) {
    EXPECT_EQ(parse_result("{").error().code, Errc::kCorruption);
    EXPECT_EQ(parse_result("{}").error().code, Errc::kCorruption);
    nlohmann::json document = sample_result();
    document["schema"] = "something/v9";
    EXPECT_THAT(parse_result(document.dump()).error().message, HasSubstr("walrus.bench/v1"));
    document = sample_result();
    document["floor"]["overwrite_ns"]["buckets"] = "5:1 7:x";
    EXPECT_THAT(parse_result(document.dump()).error().message, HasSubstr("index:count"));
    document["floor"]["overwrite_ns"]["buckets"] = "5:1";
    EXPECT_THAT(parse_result(document.dump()).error().message, HasSubstr("do not add up"));
}

}  // namespace
}  // namespace walrus::harness
