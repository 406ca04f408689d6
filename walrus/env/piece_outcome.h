// What the kernel's answer to one piece of a transfer means for the rest of it.
#pragma once

#include <cstddef>

#include "walrus/env/env.h"
#include "walrus/env/posix_file.h"

namespace walrus::env {

struct PieceOutcome {
    enum class Next {
        kDone,   // Nothing is left: all was transferred, or a read has met the end of the file.
        kGoOn,   // Start the rest.
        kStuck,  // A write moved nothing that counts; the rest would not move either.
        kFail,   // The answer was an error.
    };

    Next next = Next::kDone;
    std::size_t moved = 0;  // To be added to what was transferred.

    friend bool operator==(const PieceOutcome&, const PieceOutcome&) = default;
};

// `result`: bytes moved, or -errno.  `rest`: bytes asked for.
PieceOutcome outcome_of_piece(const PosixFile& file, IoRequest::Kind kind, std::size_t rest,
                              int result);

}  // namespace walrus::env
