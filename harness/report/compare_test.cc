#include "harness/report/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/report/sample_result.h"

namespace walrus::harness {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// Makes a system of the only row as much faster as `factor` says; its latencies stay.
void speed_up(RunResult& result, std::size_t system, double factor) {
    for (Repetition& repetition : result.rows[0].systems[system].repetitions) {
        repetition.write.records =
            static_cast<std::uint64_t>(static_cast<double>(repetition.write.records) * factor);
    }
}

// Spreads the repetitions of a system by up to `share` to both sides.
void spread(RunResult& result, std::size_t system, double share) {
    auto& repetitions = result.rows[0].systems[system].repetitions;
    const auto last = static_cast<double>(repetitions.size() - 1);
    for (std::size_t i = 0; i < repetitions.size(); ++i) {
        const double factor = 1 - share + 2 * share * static_cast<double>(i) / last;
        repetitions[i].write.records =
            static_cast<std::uint64_t>(static_cast<double>(repetitions[i].write.records) * factor);
    }
}

Comparison compared(const RunResult& before, const RunResult& after,
                    const CompareRules& rules = {}) {
    const auto comparison = compare_results(before, after, rules);
    EXPECT_TRUE(comparison) << comparison.error().message;
    return comparison ? *comparison : Comparison{};
}

std::string refusal(const RunResult& before, const RunResult& after,
                    const CompareRules& rules = {}) {
    const auto comparison = compare_results(before, after, rules);
    if (comparison) return "";
    EXPECT_EQ(comparison.error().code, Errc::kInvalidArgument);
    return comparison.error().message;
}

TEST(Compare, ARunAgainstItselfIsNoRegression) {
    const Comparison comparison = compared(sample_result(5), sample_result(5));
    EXPECT_EQ(comparison.gate, Gate::kOk);
    ASSERT_EQ(comparison.lines.size(), 2u);
    EXPECT_EQ(comparison.lines[0].judgement, Judgement::kNoDifference);
    EXPECT_EQ(comparison.lines[1].gate, Gate::kReference);
    EXPECT_DOUBLE_EQ(comparison.geometric_mean, 1.0);
    EXPECT_EQ(comparison.judged, 1u);
    EXPECT_THAT(render_comparison(comparison), HasSubstr("No regression beyond 5 %."));
}

TEST(Compare, ALossBeyondTheBarIsARegression) {
    RunResult after = sample_result(7);
    speed_up(after, 0, 0.85);
    const Comparison comparison = compared(sample_result(7), after);
    EXPECT_EQ(comparison.gate, Gate::kRegression);
    EXPECT_EQ(comparison.lines[0].gate, Gate::kRegression);
    EXPECT_LT(comparison.lines[0].rank_p, 0.01);
    EXPECT_THAT(render_comparison(comparison), HasSubstr("REGRESSION beyond 5 %."));
    EXPECT_THAT(render_comparison_markdown(comparison), HasSubstr("## REGRESSION beyond 5 %."));
}

TEST(Compare, ALossBelowTheBarIsNone) {
    RunResult after = sample_result(7);
    speed_up(after, 0, 0.99);
    EXPECT_EQ(compared(sample_result(7), after).gate, Gate::kOk);
    EXPECT_NE(compared(sample_result(7), after, {.threshold = 0.005}).gate, Gate::kOk);
}

TEST(Compare, AGainIsNoRegression) {
    RunResult after = sample_result(7);
    speed_up(after, 0, 1.5);
    const Comparison comparison = compared(sample_result(7), after);
    EXPECT_EQ(comparison.gate, Gate::kOk);
    EXPECT_EQ(comparison.lines[0].judgement, Judgement::kFaster);
}

TEST(Compare, AnIntervalThatSpansTheBarIsInconclusive) {
    RunResult after = sample_result(7);
    speed_up(after, 0, 0.95);
    spread(after, 0, 0.2);
    const Comparison comparison = compared(sample_result(7), after);
    EXPECT_EQ(comparison.gate, Gate::kInconclusive);
    EXPECT_THAT(comparison.lines[0].why, HasSubstr("the interval spans the bar"));
}

// The comparator did not change, so the machine did: what it lost, others may have lost too.
TEST(Compare, AMachineThatMovedFurtherThanTheBarMakesALossInconclusive) {
    RunResult after = sample_result(7);
    speed_up(after, 0, 0.85);
    speed_up(after, 1, 0.80);
    const Comparison comparison = compared(sample_result(7), after);
    EXPECT_EQ(comparison.gate, Gate::kInconclusive);
    EXPECT_NEAR(comparison.machine_moved.at(Durability::kDisk), 0.2, 0.01);
    EXPECT_THAT(comparison.lines[0].why, HasSubstr("moved by 20 %"));
    speed_up(after, 0, 0.5);
    EXPECT_EQ(compared(sample_result(7), after).gate, Gate::kRegression);
}

TEST(Compare, TooFewRepetitionsAreInconclusive) {
    const Comparison comparison = compared(sample_result(3), sample_result(3));
    EXPECT_EQ(comparison.gate, Gate::kInconclusive);
    EXPECT_EQ(comparison.lines[0].why, "3 usable pairs, a verdict needs 5");
}

TEST(Compare, ShorterRestartsAreGains) {
    RunResult before = sample_result(5);
    before.rows[0].row.measure = Measure::kRestart;
    RunResult after = before;
    for (Repetition& r : after.rows[0].systems[0].repetitions) r.read_back.open_ns /= 2;
    const Comparison comparison = compared(before, after);
    EXPECT_DOUBLE_EQ(comparison.lines[0].ratio.value, 2.0);
    EXPECT_EQ(comparison.gate, Gate::kOk);
}

TEST(Compare, ARunOfBaselinesOnlyIsJudged) {
    RunResult before = sample_result(5);
    before.rows[0].systems.erase(before.rows[0].systems.begin());
    RunResult after = before;
    speed_up(after, 0, 0.5);
    EXPECT_EQ(compared(before, after).gate, Gate::kRegression);
}

TEST(Compare, RowsOfOneRunOnlyAreSaid) {
    RunResult after = sample_result(5);
    RowResult added = after.rows[0];
    added.row.name = "new row";
    after.rows.push_back(added);
    const Comparison comparison = compared(sample_result(5), after);
    EXPECT_THAT(comparison.remarks, Contains("new row / fast: only in the new run"));
    EXPECT_THAT(compared(after, sample_result(5)).remarks,
                Contains("new row / slow: only in the old run"));
}

TEST(Compare, AnIncompleteRunIsInconclusiveAndAnomaliesAreSaid) {
    RunResult after = sample_result(5);
    after.complete = false;
    after.rows[0].systems[0].repetitions[0].read_back.verdict.anomalies[0].count = 1;
    const Comparison comparison = compared(sample_result(5), after);
    EXPECT_EQ(comparison.gate, Gate::kInconclusive);
    EXPECT_EQ(comparison.anomalies, 1u);
    EXPECT_THAT(render_comparison(comparison), HasSubstr("SAFETY VIOLATION in the new run"));
}

TEST(Compare, JsonSaysTheSame) {
    RunResult after = sample_result(7);
    speed_up(after, 0, 0.85);
    const nlohmann::json document = comparison_json(compared(sample_result(7), after));
    EXPECT_EQ(document.at("schema"), "walrus.comparison/v1");
    EXPECT_EQ(document.at("gate"), "REGRESSION");
    EXPECT_EQ(document.at("lines").size(), 2u);
    EXPECT_EQ(document.at("lines")[0].at("class"), "disk");
    EXPECT_NEAR(document.at("lines")[0].at("ratio").get<double>(), 0.85, 0.01);
}

// --- what is not alike ---

TEST(Compare, UnlikeClassesAreRefusedUnlessAskedForAndThenLabelled) {
    RunResult after = sample_result(5);
    after.rows[0].row.durability = Durability::kProcess;
    EXPECT_THAT(refusal(sample_result(5), after),
                HasSubstr("class process, was disk (--allow-unlike-classes)"));
    const Comparison comparison = compared(sample_result(5), after, {.allow_unlike_classes = true});
    EXPECT_EQ(comparison.lines[0].label, "class process, was disk");
    EXPECT_THAT(render_comparison(comparison), HasSubstr("UNLIKE: class process, was disk"));
}

TEST(Compare, AClassThatTheFlushesDenyIsUnlike) {
    RunResult after = sample_result(5);
    for (Repetition& r : after.rows[0].systems[0].repetitions) {
        r.write.activity.total.device.flushes = 1;
    }
    EXPECT_THAT(refusal(sample_result(5), after),
                HasSubstr("the flushes of the new run allow only class process"));
}

TEST(Compare, UnlikeWorkloadsAreRefusedUnlessAskedFor) {
    RunResult after = sample_result(5);
    after.rows[0].row.workload.payload_bytes = 100;
    EXPECT_THAT(refusal(sample_result(5), after), HasSubstr("--allow-unlike-workloads"));
    EXPECT_THAT(compared(sample_result(5), after, {.allow_unlike_workloads = true}).lines[0].label,
                HasSubstr("workload"));
}

TEST(Compare, UnlikeMachinesAreRefusedUnlessAskedFor) {
    RunResult after = sample_result(5);
    after.host["cpu_model"] = "Another CPU";
    after.host["kernel"] = "Linux 6.2";
    EXPECT_THAT(refusal(sample_result(5), after),
                HasSubstr("cpu_model is 'Another CPU', was 'Sample CPU'"));
    EXPECT_THAT(refusal(sample_result(5), after), Not(HasSubstr("kernel")));
    const Comparison comparison =
        compared(sample_result(5), after, {.allow_unlike_machines = true});
    EXPECT_THAT(comparison.remarks, Contains(HasSubstr("unlike machines: cpu_model")));
    EXPECT_THAT(comparison.remarks, Contains("kernel is 'Linux 6.2', was 'Linux 6.1'"));
}

TEST(Compare, NothingInCommonIsRefused) {
    RunResult after = sample_result(5);
    after.rows[0].row.name = "something else";
    EXPECT_THAT(refusal(sample_result(5), after), HasSubstr("no row and system in common"));
}

}  // namespace
}  // namespace walrus::harness
