#include "walrus/cluster/producer_table.h"

#include <gtest/gtest.h>

namespace walrus::cluster {
namespace {

using Verdict = ProducerTable::Verdict;

ProducerStamp stamp(std::uint32_t sequence, std::uint16_t epoch = 0) {
    return {.id = 7, .epoch = epoch, .first_sequence = sequence};
}

TEST(ProducerTable, AcceptsTheNextSequenceAndRecognisesTheLastFive) {
    ProducerTable table;
    for (std::uint32_t i = 0; i < 7; ++i) {
        ASSERT_EQ(table.check(stamp(2 * i), 2).verdict, Verdict::kNew);
        table.record(stamp(2 * i), 2, Offset{100 + 2 * i});
    }
    EXPECT_EQ(table.check(stamp(4), 2).verdict, Verdict::kDuplicate);
    EXPECT_EQ(table.check(stamp(4), 2).offset, Offset{104});
    EXPECT_EQ(table.check(stamp(12), 2).offset, Offset{112});
    EXPECT_EQ(table.check(stamp(2), 2).verdict, Verdict::kForgottenDuplicate);
    EXPECT_EQ(table.check(stamp(16), 2).verdict, Verdict::kOutOfOrder);
    EXPECT_EQ(table.check(stamp(12), 1).verdict, Verdict::kOutOfOrder) << "another batch";
}

TEST(ProducerTable, ANewEpochFencesTheOldOneAndStartsAtZero) {
    ProducerTable table;
    table.record(stamp(0), 1, Offset{0});
    EXPECT_EQ(table.check(stamp(1, 1), 1).verdict, Verdict::kOutOfOrder);
    EXPECT_EQ(table.check(stamp(0, 1), 1).verdict, Verdict::kNew);
    table.record(stamp(0, 1), 1, Offset{1});
    EXPECT_EQ(table.check(stamp(1, 0), 1).verdict, Verdict::kFenced);
    EXPECT_EQ(table.check(stamp(0, 1), 1).offset, Offset{1});
}

TEST(ProducerTable, SequencesWrapAroundAtThirtyOneBits) {
    ProducerTable table;
    constexpr std::uint32_t kLast = (std::uint32_t{1} << 31) - 1;
    table.record(stamp(kLast - 1), 2, Offset{5});
    EXPECT_EQ(table.check(stamp(0), 1).verdict, Verdict::kNew);
    EXPECT_EQ(table.check(stamp(kLast - 3), 1).verdict, Verdict::kForgottenDuplicate);
    EXPECT_EQ(table.check(stamp(kLast + 1), 1).verdict, Verdict::kOutOfOrder);
}

TEST(ProducerTable, IsBoundedAndForgetsWhoWroteLongestAgo) {
    ProducerTable table;
    for (std::uint64_t i = 0; i <= ProducerTable::kMaxProducers; ++i) {
        table.record({.id = 1 + i}, 1, Offset{i});
    }
    EXPECT_EQ(table.producers().size(), ProducerTable::kMaxProducers);
    EXPECT_FALSE(table.producers().contains(1));
    EXPECT_EQ(table.check({.id = 1, .first_sequence = 1}, 1).verdict, Verdict::kOutOfOrder);
}

TEST(ProducerTable, SurvivesTheRoundTripAndRefusesOtherBytes) {
    ProducerTable table;
    table.record(stamp(0), 1, Offset{0});
    table.record({.id = 9, .epoch = 2, .first_sequence = 4}, 3, Offset{1});
    const std::string bytes = table.encode();
    EXPECT_EQ(*ProducerTable::decode(as_bytes(bytes)), table);
    EXPECT_FALSE(ProducerTable::decode(as_bytes(bytes).first(bytes.size() - 1)));
    EXPECT_FALSE(ProducerTable::decode(as_bytes("")));
}

}  // namespace
}  // namespace walrus::cluster
