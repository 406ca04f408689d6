#include "harness/workload/rate_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace walrus::harness {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

struct Outcome {
    std::uint64_t found = 0;
    std::uint32_t steps = 0;
    std::uint32_t confirmations = 0;
};

// Runs a search against a system that sustains what `sustains(rate, step)` says.
Outcome search(const RateSearchPlan& plan,
               const std::function<bool(std::uint64_t, std::uint32_t)>& sustains) {
    RateSearch search(plan);
    Outcome outcome;
    while (search.next_rate() > 0) {
        if (search.confirming()) ++outcome.confirmations;
        search.observe(sustains(search.next_rate(), outcome.steps));
        ++outcome.steps;
    }
    outcome.found = search.found();
    return outcome;
}

Outcome search_capacity(std::uint64_t capacity, std::uint64_t start_per_s) {
    return search({.start_per_s = start_per_s},
                  [capacity](std::uint64_t rate, std::uint32_t) { return rate <= capacity; });
}

TEST(RateSearch, FindsTheCapacityFromBelowAndFromAbove) {
    for (const std::uint64_t capacity : {3u, 999u, 8'650u, 2'500'000u}) {
        for (const std::uint64_t start : {1u, 1'000u, 10'000'000u}) {
            const Outcome outcome = search_capacity(capacity, start);
            EXPECT_LE(outcome.found, capacity) << "from " << start;
            // Within the precision, or the next whole number.
            EXPECT_GE(static_cast<double>(outcome.found) * 1.05 + 1, static_cast<double>(capacity))
                << "from " << start;
            EXPECT_EQ(outcome.confirmations, 1u);
            EXPECT_LT(outcome.steps, 32u);
        }
    }
}

TEST(RateSearch, ARateThatIsNotConfirmedIsNotFound) {
    // Sustains 10,000 while it is fresh, and 8,000 from the ninth step on.
    const Outcome outcome =
        search({.start_per_s = 1'000}, [](std::uint64_t rate, std::uint32_t step) {
            return rate <= (step < 8 ? 10'000u : 8'000u);
        });
    EXPECT_LE(outcome.found, 8'000u);
    EXPECT_GE(outcome.found, 7'200u);
    EXPECT_GE(outcome.confirmations, 2u);
}

TEST(RateSearch, ASystemThatSustainsNothingEndsTheSearchWithNothing) {
    const Outcome outcome = search_capacity(0, 1'000);
    EXPECT_EQ(outcome.found, 0u);
    EXPECT_LE(outcome.steps, 32u);
}

TEST(RateSearch, EndsAtTheHighestRateAllowedAndAfterTheMostSteps) {
    const auto always = [](std::uint64_t, std::uint32_t) { return true; };
    EXPECT_EQ(search({.start_per_s = 1'000, .most_per_s = 5'000}, always).found, 5'000u);
    const Outcome cut = search({.start_per_s = 1, .most_steps = 5}, always);
    EXPECT_EQ(cut.steps, 5u);
    EXPECT_EQ(cut.found, 0u);  // Never confirmed.
}

// Eight intervals of 100 ms at 10,000 records/s.
StepObservation steady_step() {
    StepObservation step;
    step.rate_per_s = 10'000;
    step.achieved_per_s = 10'000;
    step.due_per_interval = 1'000;
    step.backlog = {5, 4, 6, 5, 4, 6, 5, 4};
    for (int i = 0; i < 8'000; ++i) step.latency_ns.record(1 * kMs);
    return step;
}

TEST(JudgeStep, AFlatBacklogWithinTheBoundIsSustained) {
    const SearchStep judged = judge_step(steady_step(), 10 * kMs, 1);
    EXPECT_TRUE(judged.sustained);
    EXPECT_EQ(judged.rate_per_s, 10'000u);
    EXPECT_EQ(judged.backlog, 4u);
    EXPECT_EQ(judged.backlog_growth, 0);
    EXPECT_NEAR(static_cast<double>(judged.p99_ns), 1.0 * kMs, 0.01 * kMs);
    EXPECT_EQ(judged.latency_ns.count(), 8'000u);
}

TEST(JudgeStep, AGrowingBacklogIsOverloadEvenWithinTheBound) {
    StepObservation step = steady_step();
    for (std::size_t i = 0; i < step.backlog.size(); ++i) {
        step.backlog[i] = static_cast<std::int64_t>(50 * i);  // 5 % too much.
    }
    const SearchStep judged = judge_step(step, 1'000 * kMs, 1);
    EXPECT_FALSE(judged.sustained);
    EXPECT_EQ(judged.backlog_growth, 100);
}

TEST(JudgeStep, ABacklogOfTheFirstHalfThatIsWorkedOffIsForgiven) {
    StepObservation step = steady_step();
    step.backlog = {900, 700, 500, 300, 100, 5, 5, 5};
    EXPECT_TRUE(judge_step(step, 10 * kMs, 1).sustained);
}

TEST(JudgeStep, ATailBeyondTheBoundIsNotSustained) {
    StepObservation step = steady_step();
    for (int i = 0; i < 200; ++i) step.latency_ns.record(50 * kMs);
    EXPECT_FALSE(judge_step(step, 10 * kMs, 1).sustained);
    EXPECT_TRUE(judge_step(step, 60 * kMs, 1).sustained);
}

TEST(JudgeStep, TooLittleToJudgeIsNotSustained) {
    StepObservation step = steady_step();
    step.backlog.resize(3);
    EXPECT_FALSE(judge_step(step, 10 * kMs, 1).sustained);
    step = steady_step();
    step.latency_ns.clear();
    EXPECT_FALSE(judge_step(step, 10 * kMs, 1).sustained);
}

}  // namespace
}  // namespace walrus::harness
