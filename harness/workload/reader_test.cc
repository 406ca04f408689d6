#include "harness/workload/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <utility>

#include "harness/workload/payload.h"
#include "harness/workload/test_clock.h"

namespace walrus::harness {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kRunId = 7;
using Record = std::vector<std::byte>;

// A topic whose records come into being at known moments.
class FakeTopic final : public Reader {
public:
    explicit FakeTopic(VirtualClock& clock) : clock_(clock) {}

    void add(std::uint64_t visible_ns, Bytes record) {
        coming_.emplace_back(visible_ns, Record(record.begin(), record.end()));
    }
    Result<std::uint64_t> read(const std::function<void(Bytes)>& visit) override {
        std::uint64_t count = 0;
        for (; !coming_.empty() && coming_.front().first <= clock_.monotonic_ns(); ++count) {
            clock_.advance(read_ns);
            visit(coming_.front().second);
            coming_.pop_front();
        }
        return count;
    }

    std::uint64_t read_ns = 0;  // What reading a record takes.

private:
    VirtualClock& clock_;
    std::deque<std::pair<std::uint64_t, Record>> coming_;
};

// One reader of one topic with one writer; the window is the second from 100 ms on.
class ReaderTest : public ::testing::Test {
protected:
    ReaderTest() {
        auto topic = std::make_unique<FakeTopic>(clock_);
        topic_ = topic.get();
        topics_.push_back(std::move(topic));
    }

    // The writer's next record, sent at `sent_ns` and to be read from `visible_ns` on.
    void write(std::uint64_t sent_ns, std::uint64_t visible_ns) {
        topic_->add(visible_ns, payload_.next(1, sent_ns).front());
    }

    ReaderReport run(std::uint64_t target, bool until_caught_up = false) {
        const ReadTarget wanted = target;
        return run_reader({.topics = topics_, .clock = clock_, .target = wanted},
                          {.window = {.begin_ns = 100 * kMs, .end_ns = 1'100 * kMs},
                           .run_id = kRunId,
                           .until_caught_up = until_caught_up,
                           .patience_ns = kSecond});
    }

    VirtualClock clock_;
    PayloadStream payload_{{.seed = 1, .run_id = kRunId, .bytes = 100}};
    FakeTopic* topic_ = nullptr;
    std::vector<std::unique_ptr<Reader>> topics_;
};

TEST_F(ReaderTest, MeasuresFromTheSendTimeInTheRecordToTheRead) {
    for (std::uint64_t i = 0; i < 120; ++i) write(i * 10 * kMs, i * 10 * kMs + 3 * kMs);
    const ReaderReport report = run(120);
    ASSERT_TRUE(report.status) << report.status.error().message;
    EXPECT_EQ(report.total, 120u);
    EXPECT_EQ(report.records_before, 10u);
    EXPECT_EQ(report.records, 100u);
    EXPECT_EQ(report.bytes, 10'000u);
    EXPECT_EQ(report.latency_ns.count(), 100u);
    EXPECT_GE(report.latency_ns.min(), 3 * kMs);
    EXPECT_LT(report.latency_ns.max(), 4 * kMs);  // A look every now and then.
    EXPECT_EQ(report.series, std::vector<std::uint64_t>(10, 10));
}

TEST_F(ReaderTest, ABacklogIsCountedUntilItIsWorkedOff) {
    topic_->read_ns = 1 * kMs;
    for (std::uint64_t i = 0; i < 300; ++i) write(0, 0);  // Written before.
    for (std::uint64_t i = 0; i < 100; ++i) write((400 + i) * kMs, (600 + i) * kMs);
    clock_.wait_until(100 * kMs);
    const ReaderReport report = run(400, true);
    ASSERT_TRUE(report.status) << report.status.error().message;
    EXPECT_EQ(report.total, 400u);
    EXPECT_EQ(report.records, 400u);  // The target was known: it has caught up with all of it.
    // Of the records that were sent within the window only.
    EXPECT_EQ(report.latency_ns.count(), 100u);
}

TEST_F(ReaderTest, WhileWritingGoesOnTheFirstEndItFindsIsWhereItCaughtUp) {
    topic_->read_ns = 1 * kMs;
    for (std::uint64_t i = 0; i < 300; ++i) write(0, 0);
    clock_.wait_until(100 * kMs);
    // The target becomes known when the reader has been idle for a while.
    class LateTarget final : public Reader {
    public:
        LateTarget(Reader& inner, VirtualClock& clock, ReadTarget& target)
            : inner_(inner), clock_(clock), target_(target) {}
        Result<std::uint64_t> read(const std::function<void(Bytes)>& visit) override {
            if (clock_.monotonic_ns() > kSecond) target_ = 300;
            return inner_.read(visit);
        }

    private:
        Reader& inner_;
        VirtualClock& clock_;
        ReadTarget& target_;
    };
    ReadTarget target = kTargetUnknown;
    std::vector<std::unique_ptr<Reader>> topics;
    topics.push_back(std::make_unique<LateTarget>(*topic_, clock_, target));
    const ReaderReport report =
        run_reader({.topics = topics, .clock = clock_, .target = target},
                   {.window = {.begin_ns = 100 * kMs, .end_ns = 1'100 * kMs},
                    .run_id = kRunId,
                    .until_caught_up = true});
    EXPECT_EQ(report.caught_up_ns, 400 * kMs);
    EXPECT_EQ(report.records, 300u);
}

// --- what must not happen ---

TEST_F(ReaderTest, AcknowledgedRecordsThatNeverComeAreAnError) {
    write(0, 0);
    const ReaderReport report = run(2);
    EXPECT_EQ(report.status.error().code, Errc::kTimeout);
    EXPECT_THAT(report.status.error().message, HasSubstr("1 of 2 acknowledged records"));
}

TEST_F(ReaderTest, ARecordOutOfItsWritersOrderIsAnError) {
    const Bytes first = payload_.next(1, 0).front();
    const Record early(first.begin(), first.end());
    write(0, 0);
    topic_->add(0, early);
    const ReaderReport report = run(2);
    EXPECT_EQ(report.status.error().code, Errc::kCorruption);
    EXPECT_THAT(report.status.error().message, HasSubstr("writer 0 record 0 after record 1"));
}

TEST_F(ReaderTest, ARecordOfAnotherRunIsAnError) {
    PayloadStream other({.seed = 1, .run_id = kRunId + 1, .bytes = 100});
    topic_->add(0, other.next(1, 0).front());
    EXPECT_EQ(run(1).status.error().code, Errc::kCorruption);
}

}  // namespace
}  // namespace walrus::harness
