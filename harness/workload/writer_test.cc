#include "harness/workload/writer.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "harness/check/checker.h"

namespace walrus::harness {
namespace {

// Time moves only when somebody moves it.
class VirtualClock final : public PacedClock {
public:
    std::uint64_t monotonic_ns() override { return now_ns_; }
    std::uint64_t wall_ms() override { return now_ns_ / 1'000'000; }
    void wait_until(std::uint64_t deadline_ns) override {
        now_ns_ = std::max(now_ns_, deadline_ns);
    }
    const char* source() const override { return "virtual"; }
    void advance(std::uint64_t ns) { now_ns_ += ns; }

private:
    std::uint64_t now_ns_ = 0;
};

// Takes `service_ns` for each append; acknowledges asynchronous ones when the next but `depth`
// comes, or at drain().
class FakeProducer final : public Producer {
public:
    FakeProducer(VirtualClock& clock, std::uint64_t service_ns, std::size_t depth = 0)
        : clock_(clock), service_ns_(service_ns), depth_(depth) {}

    Status append(std::uint32_t topic, std::span<const Bytes> records) override {
        clock_.advance(service_ns_);
        topics.push_back(topic);
        if (fail_at != 0 && topics.size() == fail_at) return fail_with;
        for (const Bytes record : records) stored.emplace_back(record.begin(), record.end());
        return {};
    }
    Status append_async(std::uint32_t topic, std::span<const Bytes> records,
                        Completion& completion) override {
        WALRUS_RETURN_IF_ERROR(append(topic, records));
        waiting_.push_back(&completion);
        most_waiting = std::max(most_waiting, waiting_.size());
        if (waiting_.size() > depth_) complete_oldest();
        return {};
    }
    Status drain() override {
        while (!waiting_.empty()) complete_oldest();
        return {};
    }

    std::vector<std::uint32_t> topics;
    std::vector<std::vector<std::byte>> stored;
    std::size_t most_waiting = 0;
    std::size_t fail_at = 0;  // The append that fails, from 1.
    Error fail_with{Errc::kNoSpace, "full"};

private:
    void complete_oldest() {
        waiting_.front()->done({});
        waiting_.erase(waiting_.begin());
    }

    VirtualClock& clock_;
    const std::uint64_t service_ns_;
    const std::size_t depth_;
    std::vector<Completion*> waiting_;
};

constexpr std::uint64_t kMs = 1'000'000;

WriterPlan plan_of(Load load, std::uint32_t outstanding = 1) {
    WriterPlan plan;
    plan.load = load;
    plan.outstanding = outstanding;
    plan.window = {.begin_ns = 100 * kMs, .end_ns = 1'100 * kMs, .interval_ns = 100 * kMs};
    return plan;
}

Verdict check(const FakeProducer& producer, const WriterReport& report) {
    const Journal journal = {report.journal};
    Checker checker(1, journal);
    for (const auto& record : producer.stored) checker.observe(record);
    return checker.finish();
}

TEST(ClosedLoop, CountsOnlyWhatIsAcknowledgedWithinTheWindow) {
    VirtualClock clock;
    FakeProducer producer(clock, 1 * kMs);
    PayloadStream payload(1, 1, 0, 100, 1);
    const WriterReport report = run_writer(producer, payload, clock, plan_of(Load::kClosed));
    EXPECT_EQ(report.appends, 1'000u);
    EXPECT_EQ(report.journal.sent, 1'100u);
    EXPECT_EQ(report.latency_ns.quantile(0.5), report.latency_ns.max());
    EXPECT_EQ(report.latency_ns.max(), 1 * kMs);
    EXPECT_EQ(report.series, std::vector<std::uint64_t>(10, 100));
    EXPECT_TRUE(check(producer, report).ok());
}

TEST(ClosedLoop, BatchesCountTheirRecords) {
    VirtualClock clock;
    FakeProducer producer(clock, 1 * kMs);
    PayloadStream payload(1, 1, 0, 100, 16);
    WriterPlan plan = plan_of(Load::kClosed);
    plan.batch = 16;
    const WriterReport report = run_writer(producer, payload, clock, plan);
    EXPECT_EQ(report.appends, 1'000u);
    EXPECT_EQ(report.records, 16'000u);
    EXPECT_TRUE(check(producer, report).ok());
}

TEST(ClosedLoop, TopicsGetEqualShares) {
    VirtualClock clock;
    FakeProducer producer(clock, 1 * kMs);
    PayloadStream payload(1, 1, 0, 100, 1);
    WriterPlan plan = plan_of(Load::kClosed);
    plan.first_topic = 1;
    plan.topic_step = 3;
    plan.topics = 9;
    plan.max_appends = 7;
    run_writer(producer, payload, clock, plan);
    EXPECT_EQ(producer.topics, (std::vector<std::uint32_t>{1, 4, 7, 1, 4, 7, 1}));
}

TEST(ClosedLoop, StopsAtTheFirstFailureAndKeepsItInTheJournal) {
    VirtualClock clock;
    FakeProducer producer(clock, 1 * kMs);
    producer.fail_at = 5;
    PayloadStream payload(1, 1, 0, 100, 1);
    const WriterReport report = run_writer(producer, payload, clock, plan_of(Load::kClosed));
    EXPECT_EQ(report.status.error().code, Errc::kNoSpace);
    EXPECT_EQ(report.journal.sent, 5u);
    EXPECT_EQ(report.journal.acknowledged(), 4u);
    EXPECT_EQ(report.journal.outcome_of(4), Outcome::kFailed);
    EXPECT_TRUE(check(producer, report).ok());
}

TEST(ClosedLoop, ATimeoutLeavesTheOutcomeUnknown) {
    VirtualClock clock;
    FakeProducer producer(clock, 1 * kMs);
    producer.fail_at = 1;
    producer.fail_with = {Errc::kTimeout, "late"};
    PayloadStream payload(1, 1, 0, 100, 1);
    const WriterReport report = run_writer(producer, payload, clock, plan_of(Load::kClosed));
    EXPECT_EQ(report.journal.outcome_of(0), Outcome::kUnknown);
}

TEST(WindowLoop, NeverHasMoreInFlightThanAllowed) {
    VirtualClock clock;
    FakeProducer producer(clock, 1 * kMs, 7);
    PayloadStream payload(1, 1, 0, 100, 1);
    const WriterReport report = run_writer(producer, payload, clock, plan_of(Load::kWindow, 8));
    EXPECT_EQ(producer.most_waiting, 8u);
    EXPECT_TRUE(report.status);
    EXPECT_EQ(report.journal.acknowledged(), report.journal.sent);
    // Sent when the append began, acknowledged when the seventh after it had been taken.
    EXPECT_EQ(report.latency_ns.quantile(0.5) / kMs, 8u);
    EXPECT_TRUE(check(producer, report).ok());
}

TEST(WindowLoop, WhatIsInFlightAtTheEndIsWaitedForButNotCounted) {
    VirtualClock clock;
    FakeProducer producer(clock, 10 * kMs, 63);
    PayloadStream payload(1, 1, 0, 100, 1);
    const WriterReport report = run_writer(producer, payload, clock, plan_of(Load::kWindow, 64));
    EXPECT_EQ(report.journal.sent, 110u);
    EXPECT_EQ(report.journal.acknowledged(), 110u);
    EXPECT_EQ(report.appends, 46u);
}

TEST(WindowLoop, ARefusedAppendEndsTheWriterAndTheRestIsDrained) {
    VirtualClock clock;
    FakeProducer producer(clock, 1 * kMs, 3);
    producer.fail_at = 10;
    PayloadStream payload(1, 1, 0, 100, 1);
    const WriterReport report = run_writer(producer, payload, clock, plan_of(Load::kWindow, 4));
    EXPECT_EQ(report.status.error().code, Errc::kNoSpace);
    EXPECT_EQ(report.journal.sent, 10u);
    EXPECT_EQ(report.journal.acknowledged(), 9u);
    EXPECT_TRUE(check(producer, report).ok());
}

}  // namespace
}  // namespace walrus::harness
