#include "harness/resilience/judgement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/check/test_history.h"

namespace walrus::harness {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A kill that went well; `lost`: the last record is not in the log.
HandWritten killed(bool lost = false) {
    HandWritten written;
    written.ok(0).poll({{0, 0, 0, 1}}).begun().witnessed().unknown().healing().healed();
    written.ok(1).poll({{1, 0, 2, 1}});
    if (lost) return written.final_read({{0, 0, 0, 1}});
    return written.final_read({{0, 0, 0, 1}, {1, 0, 2, 1}});
}

TEST(Judgement, AllWell) {
    HandWritten written = killed();
    const ProofJudgement judgement = judge(written.done(), {.recovered_within_ns = 1'000'000'000});
    EXPECT_EQ(judgement.outcome, ProofOutcome::kPassed) << judgement.reasons.front();
    EXPECT_THAT(judgement.reasons, IsEmpty());
}

TEST(Judgement, AnAnomalyIsASafetyViolationUnlessTheScenarioAllowsIt) {
    HandWritten written = killed(true);
    EXPECT_EQ(judge(written.done(), {}).outcome, ProofOutcome::kSafety);
    const ProofJudgement allowed = judge(written.history(), {.allow = {"lost-write"}});
    EXPECT_EQ(allowed.outcome, ProofOutcome::kPassed);
    EXPECT_THAT(allowed.expected, ElementsAre("lost-write"));
    EXPECT_THAT(judgement_text(written.history(), allowed), HasSubstr("lost-write: 1 (expected)"));
}

TEST(Judgement, AnExpectedAnomalyThatIsNotFoundProvesNothing) {
    HandWritten written = killed();
    const ProofJudgement judgement = judge(written.done(), {.expect = {"lost-write"}});
    EXPECT_EQ(judgement.outcome, ProofOutcome::kInvalid);
    EXPECT_THAT(judgement.reasons, Contains(HasSubstr("lost-write was expected")));
}

TEST(Judgement, ACrashIsASafetyViolation) {
    HandWritten written = killed();
    written.history().crashes = {"n1 says: Assertion failed"};
    EXPECT_EQ(judge(written.done(), {}).outcome, ProofOutcome::kSafety);
}

TEST(Judgement, BeingLateIsALivenessViolation) {
    HandWritten written = killed();
    const ProofJudgement judgement = judge(written.done(), {.first_ack_within_ns = 1});
    EXPECT_EQ(judgement.outcome, ProofOutcome::kLiveness);
    EXPECT_THAT(judgement.reasons, Contains(HasSubstr("more than 1 ns")));
}

TEST(Judgement, ATopicThatCannotBeReadIsALivenessViolation) {
    HandWritten written = killed();
    written.history().polls.back().reached_end = false;
    written.history().polls.back().error = "no leader";
    const ProofJudgement judgement = judge(written.done(), {});
    EXPECT_EQ(judgement.outcome, ProofOutcome::kLiveness);
    EXPECT_THAT(judgement.reasons, Contains(HasSubstr("read to its end: no leader")));
}

TEST(Judgement, ANodeMayRefuseToStartWhereTheScenarioSaysSo) {
    HandWritten written;
    written.ok(0).poll({{0, 0, 0, 1}}).begun().witnessed().unknown().healing().final_read({});
    written.history().polls.back().reached_end = false;
    EXPECT_EQ(judge(written.done(), {}).outcome, ProofOutcome::kLiveness);
    EXPECT_EQ(judge(written.history(), {.may_refuse = true}).outcome, ProofOutcome::kPassed);
}

TEST(Judgement, TheWorstReasonDecidesAndIsNamedFirst) {
    HandWritten written = killed(true);
    written.history().faults.back().witnessed_ns = 0;
    const ProofJudgement judgement = judge(written.done(), {});
    EXPECT_EQ(judgement.outcome, ProofOutcome::kSafety);
    EXPECT_THAT(judgement.reasons.front(), HasSubstr("lost-write: 1 (writer 0 record 2)"));
    EXPECT_THAT(judgement.reasons.back(), HasSubstr("was not witnessed"));
}

TEST(Judgement, TheDocumentHasEveryNameAndTheSameBytesEachTime) {
    HandWritten written = killed();
    const ProofJudgement judgement = judge(written.done(), {});
    const auto document = judgement_json(written.history(), judgement);
    EXPECT_EQ(document.at("anomalies").size(), kHistoryAnomalyKinds);
    EXPECT_EQ(document.at("outcome"), "passed");
    EXPECT_EQ(document.dump(), judgement_json(written.history(), judgement).dump());
}

}  // namespace
}  // namespace walrus::harness
