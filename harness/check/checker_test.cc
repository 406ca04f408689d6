#include "harness/check/checker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "walrus/testing/seed.h"

namespace walrus::harness {
namespace {

constexpr std::uint64_t kRunId = 77;
constexpr std::uint64_t kRecords = 200;
using Record = std::vector<std::byte>;

// Two writers' records, as a log would hold them, and journals that say all were acknowledged.
class CheckerTest : public ::testing::Test {
protected:
    CheckerTest() {
        journal_.resize(2);
        std::vector<std::vector<Record>> by_writer(2);
        for (std::uint32_t writer = 0; writer < 2; ++writer) {
            PayloadStream stream(
                {.seed = testing::test_seed(), .run_id = kRunId, .writer = writer, .bytes = 100});
            for (std::uint64_t i = 0; i < kRecords; ++i) {
                const Bytes record = stream.next(1, i).front();
                by_writer[writer].emplace_back(record.begin(), record.end());
            }
            journal_[writer].add(0, kRecords, Outcome::kAcknowledged);
        }
        for (std::uint64_t i = 0; i < kRecords; ++i) {
            log_.push_back(by_writer[0][i]);
            log_.push_back(by_writer[1][i]);
        }
    }

    Verdict check() const {
        Checker checker(kRunId, journal_);
        checker.begin_topic();
        for (const Record& record : log_) checker.observe(record);
        return checker.finish();
    }

    static std::size_t place_of(std::uint32_t writer, std::uint64_t sequence) {
        return sequence * 2 + writer;
    }

    Journal journal_;
    std::vector<Record> log_;
};

void expect_only(const Verdict& verdict, AnomalyKind expected, std::uint64_t count) {
    for (std::size_t i = 0; i < kAnomalyKinds; ++i) {
        const auto kind = static_cast<AnomalyKind>(i);
        EXPECT_EQ(verdict[kind].count, kind == expected ? count : 0) << anomaly_name(kind);
    }
    EXPECT_EQ(verdict.ok(), count == 0);
}

TEST_F(CheckerTest, ACompleteLogIsFine) {
    const Verdict verdict = check();
    EXPECT_TRUE(verdict.ok()) << verdict.summary();
    EXPECT_EQ(verdict.acknowledged, 2 * kRecords);
    EXPECT_EQ(verdict.read, 2 * kRecords);
}

TEST_F(CheckerTest, AMissingRecordIsALostWrite) {
    log_.erase(log_.begin() + static_cast<std::ptrdiff_t>(place_of(1, 70)));
    const Verdict verdict = check();
    expect_only(verdict, AnomalyKind::kLostWrite, 1);
    EXPECT_EQ(verdict[AnomalyKind::kLostWrite].examples.front(), "writer 1 record 70");
}

TEST_F(CheckerTest, ALogThatEndsEarlyLosesItsTail) {
    log_.resize(place_of(0, 150));
    expect_only(check(), AnomalyKind::kLostWrite, 2 * (kRecords - 150));
}

TEST_F(CheckerTest, ARecordThatIsThereTwiceIsADuplicate) {
    log_.push_back(log_[place_of(0, 64)]);
    expect_only(check(), AnomalyKind::kDuplicate, 1);
}

TEST_F(CheckerTest, SwappedRecordsOfAWriterAreNonmonotonic) {
    std::swap(log_[place_of(0, 10)], log_[place_of(0, 11)]);
    expect_only(check(), AnomalyKind::kNonmonotonicPoll, 1);
}

TEST_F(CheckerTest, AFlippedBitAnywhereIsCorrupt) {
    for (std::size_t byte = 0; byte < 100; ++byte) {
        Record& victim = log_[place_of(1, 5)];
        victim[byte] ^= std::byte{0x10};
        const Verdict verdict = check();
        EXPECT_EQ(verdict[AnomalyKind::kCorrupt].count, 1u) << "byte " << byte;
        victim[byte] ^= std::byte{0x10};
    }
    EXPECT_TRUE(check().ok());
}

TEST_F(CheckerTest, ATruncatedRecordIsCorrupt) {
    log_[place_of(0, 3)].resize(20);
    const Verdict verdict = check();
    EXPECT_EQ(verdict[AnomalyKind::kCorrupt].count, 1u);
    EXPECT_EQ(verdict[AnomalyKind::kLostWrite].count, 1u);
}

TEST_F(CheckerTest, ARecordOfAnotherRunIsAPhantom) {
    PayloadStream other({.seed = testing::test_seed(), .run_id = kRunId + 1, .bytes = 100});
    const Bytes record = other.next(1, 0).front();
    log_.emplace_back(record.begin(), record.end());
    expect_only(check(), AnomalyKind::kPhantom, 1);
}

TEST_F(CheckerTest, AnUnknownRecordMayBeThereOrNotButOnlyOnce) {
    journal_[0] = {};
    journal_[0].add(0, kRecords - 1, Outcome::kAcknowledged);
    journal_[0].add(kRecords - 1, 1, Outcome::kUnknown);
    EXPECT_EQ(check().unknown_found, 1u);
    EXPECT_TRUE(check().ok());
    const Record last = log_[place_of(0, kRecords - 1)];
    log_.push_back(last);
    expect_only(check(), AnomalyKind::kDuplicate, 1);
    std::erase(log_, last);
    EXPECT_TRUE(check().ok());
}

TEST_F(CheckerTest, AFailedRecordThatIsVisibleIsG1a) {
    journal_[1] = {};
    journal_[1].add(0, 100, Outcome::kAcknowledged);
    journal_[1].add(100, 1, Outcome::kFailed);
    journal_[1].add(101, kRecords - 101, Outcome::kAcknowledged);
    expect_only(check(), AnomalyKind::kFailedVisible, 1);
}

TEST_F(CheckerTest, OrderIsJudgedWithinATopicOnly) {
    Checker checker(kRunId, journal_);
    for (const std::size_t parity : {1, 0}) {  // Odd sequence numbers first: another topic.
        checker.begin_topic();
        for (std::size_t i = 0; i < log_.size(); ++i) {
            if (i / 2 % 2 == parity) checker.observe(log_[i]);
        }
    }
    EXPECT_TRUE(checker.finish().ok());
}

TEST(WriterJournal, RangesOfTheSameOutcomeGrowTogether) {
    WriterJournal journal;
    journal.add(0, 5, Outcome::kAcknowledged);
    journal.add(5, 2, Outcome::kUnknown);
    journal.add(7, 3, Outcome::kUnknown);
    journal.add(10, 1, Outcome::kAcknowledged);
    EXPECT_EQ(journal.exceptions.size(), 1u);
    EXPECT_EQ(journal.acknowledged(), 6u);
    EXPECT_EQ(journal.outcome_of(4), Outcome::kAcknowledged);
    EXPECT_EQ(journal.outcome_of(5), Outcome::kUnknown);
    EXPECT_EQ(journal.outcome_of(9), Outcome::kUnknown);
    EXPECT_EQ(journal.outcome_of(10), Outcome::kAcknowledged);
}

}  // namespace
}  // namespace walrus::harness
