#include "walrus/env/piece_outcome.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <ostream>

namespace walrus::env {

void PrintTo(const PieceOutcome& outcome, std::ostream* out) {
    *out << "next " << static_cast<int>(outcome.next) << " moved " << outcome.moved;
}

namespace {

using Kind = IoRequest::Kind;
using Next = PieceOutcome::Next;
constexpr std::size_t kRest = 2 * kBlockSize;

class PieceOutcomeTest : public ::testing::Test {
protected:
    static PieceOutcome outcome(const PosixFile& file, Kind kind, std::size_t result) {
        return outcome_of_piece(file, kind, kRest, static_cast<int>(result));
    }

    // No descriptor is needed to judge.
    const PosixFile buffered_{UniqueFd(), "f", {}};
    const PosixFile direct_{UniqueFd(), "f", {.direct = true}};
};

TEST_F(PieceOutcomeTest, AWholePieceIsDone) {
    for (const PosixFile* file : {&buffered_, &direct_}) {
        for (const Kind kind : {Kind::kRead, Kind::kWrite}) {
            EXPECT_EQ(outcome(*file, kind, kRest), (PieceOutcome{Next::kDone, kRest}));
        }
    }
}

TEST_F(PieceOutcomeTest, AShortPieceGoesOnAfterWhatMoved) {
    EXPECT_EQ(outcome(buffered_, Kind::kWrite, 5000), (PieceOutcome{Next::kGoOn, 5000}));
    EXPECT_EQ(outcome(buffered_, Kind::kRead, 5000), (PieceOutcome{Next::kGoOn, 5000}));
    EXPECT_EQ(outcome(direct_, Kind::kWrite, kBlockSize), (PieceOutcome{Next::kGoOn, kBlockSize}));
    EXPECT_EQ(outcome(direct_, Kind::kRead, kBlockSize), (PieceOutcome{Next::kGoOn, kBlockSize}));
}

TEST_F(PieceOutcomeTest, AShortDirectWriteGoesOnAtABlock) {
    EXPECT_EQ(outcome(direct_, Kind::kWrite, 5000), (PieceOutcome{Next::kGoOn, kBlockSize}));
    EXPECT_EQ(outcome(direct_, Kind::kWrite, kRest - 1), (PieceOutcome{Next::kGoOn, kBlockSize}));
}

TEST_F(PieceOutcomeTest, AReadEndsAtTheEndOfTheFile) {
    EXPECT_EQ(outcome(buffered_, Kind::kRead, 0), (PieceOutcome{Next::kDone, 0}));
    EXPECT_EQ(outcome(direct_, Kind::kRead, 0), (PieceOutcome{Next::kDone, 0}));
    // Only the end of the file ends a direct read inside a block.
    EXPECT_EQ(outcome(direct_, Kind::kRead, 5000), (PieceOutcome{Next::kDone, 5000}));
}

TEST_F(PieceOutcomeTest, AnInterruptionMovesNothingAndGoesOn) {
    for (const int error : {EINTR, EAGAIN, ECANCELED}) {
        for (const Kind kind : {Kind::kRead, Kind::kWrite}) {
            EXPECT_EQ(outcome_of_piece(buffered_, kind, kRest, -error),
                      (PieceOutcome{Next::kGoOn, 0}));
            EXPECT_EQ(outcome_of_piece(direct_, kind, kRest, -error),
                      (PieceOutcome{Next::kGoOn, 0}));
        }
    }
}

// --- error paths ---

TEST_F(PieceOutcomeTest, AWriteThatMovesNothingIsStuck) {
    EXPECT_EQ(outcome(buffered_, Kind::kWrite, 0), (PieceOutcome{Next::kStuck, 0}));
    EXPECT_EQ(outcome(direct_, Kind::kWrite, kBlockSize - 1), (PieceOutcome{Next::kStuck, 0}));
}

TEST_F(PieceOutcomeTest, EveryOtherErrorFails) {
    for (const int error : {EIO, ENOSPC, EFBIG, EBADF, EINVAL}) {
        for (const Kind kind : {Kind::kRead, Kind::kWrite}) {
            EXPECT_EQ(outcome_of_piece(buffered_, kind, kRest, -error),
                      (PieceOutcome{Next::kFail, 0}));
        }
    }
}

}  // namespace
}  // namespace walrus::env
