#include "harness/runner/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "walrus/testing/sim_clock.h"

namespace walrus::harness {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kSecond = 1'000'000'000;

// Says what a script says, one look a second; the last word is repeated.
class ScriptedProbe final : public NeighbourProbe {
public:
    explicit ScriptedProbe(testing::SimClock& clock) : clock_(clock) {}

    std::string look() override {
        ++looks;
        clock_.advance_ns(kSecond);
        const std::string answer = script.front();
        if (script.size() > 1) script.pop_front();
        return answer;
    }

    std::deque<std::string> script = {""};
    int looks = 0;

private:
    testing::SimClock& clock_;
};

class GateTest : public ::testing::Test {
protected:
    QuietGate gate(const GateLimits& limits = {}) {
        return QuietGate(limits, probe_, clock_, [this] { return cancelled_; });
    }

    testing::SimClock clock_;
    ScriptedProbe probe_{clock_};
    bool cancelled_ = false;
};

TEST_F(GateTest, AQuietRepetitionCountsAndCostsNothing) {
    QuietGate quiet = gate();
    EXPECT_EQ(quiet.judge("", 0, kSecond), Ruling::kKeep);
    EXPECT_EQ(probe_.looks, 0);
    EXPECT_EQ(quiet.spent_ns(), 0u);
}

TEST_F(GateTest, ADisturbedOneIsRetakenOnceTheMachineIsQuiet) {
    QuietGate quiet = gate();
    probe_.script = {"a compiler", "a compiler", ""};
    EXPECT_EQ(quiet.judge("a compiler", 0, kSecond), Ruling::kRetake);
    EXPECT_EQ(probe_.looks, 3);
    EXPECT_EQ(quiet.spent_ns(), 4 * kSecond);
}

TEST_F(GateTest, TheWaitIsBounded) {
    QuietGate quiet = gate({.wait_ns = 5 * kSecond});
    probe_.script = {"a compiler"};
    EXPECT_EQ(quiet.judge("a compiler", 0, kSecond), Ruling::kGiveUp);
    EXPECT_EQ(probe_.looks, 5);
}

TEST_F(GateTest, TheLastAttemptIsNotFollowedByAWait) {
    QuietGate quiet = gate({.attempts = 3});
    EXPECT_EQ(quiet.judge("a compiler", 0, kSecond), Ruling::kRetake);
    EXPECT_EQ(quiet.judge("a compiler", 1, kSecond), Ruling::kRetake);
    EXPECT_EQ(quiet.judge("a compiler", 2, kSecond), Ruling::kGiveUp);
    EXPECT_EQ(probe_.looks, 2);
}

TEST_F(GateTest, TheBudgetOfTheRunIsSharedByAllRepetitions) {
    QuietGate quiet = gate({.wait_ns = 5 * kSecond, .budget_ns = 8 * kSecond});
    probe_.script = {"a compiler"};
    EXPECT_EQ(quiet.judge("a compiler", 0, kSecond), Ruling::kGiveUp);  // 1 + 5 spent.
    EXPECT_EQ(quiet.judge("a compiler", 0, kSecond), Ruling::kGiveUp);  // 1 + 1 spent.
    EXPECT_EQ(probe_.looks, 6);
    probe_.script = {""};
    EXPECT_EQ(quiet.judge("a compiler", 0, kSecond), Ruling::kGiveUp);
    EXPECT_EQ(probe_.looks, 6);
}

TEST_F(GateTest, AnInterruptEndsTheWait) {
    QuietGate quiet = gate();
    cancelled_ = true;
    EXPECT_EQ(quiet.judge("a compiler", 0, kSecond), Ruling::kGiveUp);
    EXPECT_EQ(probe_.looks, 0);
}

TEST_F(GateTest, WithoutTheGateEverythingCounts) {
    QuietGate quiet = gate({.enabled = false});
    EXPECT_EQ(quiet.judge("a compiler", 0, kSecond), Ruling::kKeep);
}

// --- the verdict ---

Repetition taken(std::uint32_t round, const std::string& rejected) {
    Repetition repetition;
    repetition.round = round;
    repetition.rejected = rejected;
    return repetition;
}

TEST(NoVerdict, ARejectedAttemptThatWasReplacedCostsNothing) {
    SystemResult system;
    system.repetitions = {taken(0, "a compiler"), taken(0, "a compiler"), taken(0, ""),
                          taken(1, ""), taken(2, "")};
    EXPECT_EQ(no_verdict_reason(system, 3), "");
}

TEST(NoVerdict, OneLostRoundOfThreeIsBearableTwoAreNot) {
    SystemResult system;
    system.repetitions = {taken(0, "a compiler"), taken(1, ""), taken(2, "")};
    EXPECT_EQ(no_verdict_reason(system, 3), "");
    system.repetitions = {taken(0, "a compiler"), taken(1, "a backup"), taken(2, "")};
    EXPECT_THAT(no_verdict_reason(system, 3), HasSubstr("not quiet in 2 of 3 rounds (a backup)"));
}

TEST(NoVerdict, ASingleRoundThatWasLostIsNoVerdict) {
    SystemResult system;
    system.repetitions = {taken(0, "a compiler")};
    EXPECT_NE(no_verdict_reason(system, 1), "");
}

TEST(NoVerdict, AFailureOfTheSystemIsNoMatterOfQuiet) {
    SystemResult system;
    Repetition failed = taken(0, "");
    failed.error = "the child crashed";
    system.repetitions = {failed};
    EXPECT_EQ(no_verdict_reason(system, 1), "");
}

TEST(DisturbanceOf, LooksAtThePartThatGivesTheFigure) {
    Repetition repetition;
    repetition.write.activity.elapsed_ns = kSecond;
    repetition.write.activity.other_cpu_share = 0.9;
    repetition.read_back.activity.elapsed_ns = kSecond;
    EXPECT_NE(disturbance_of(Measure::kAppend, repetition), "");
    EXPECT_EQ(disturbance_of(Measure::kScan, repetition), "");
}

}  // namespace
}  // namespace walrus::harness
