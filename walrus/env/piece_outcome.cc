#include "walrus/env/piece_outcome.h"

#include <cerrno>

namespace walrus::env {

PieceOutcome outcome_of_piece(const PosixFile& file, IoRequest::Kind kind, std::size_t rest,
                              int result) {
    using Next = PieceOutcome::Next;
    // ECANCELED: the thread that had submitted it has ended.
    if (result == -EINTR || result == -EAGAIN || result == -ECANCELED) return {Next::kGoOn, 0};
    if (result < 0) return {Next::kFail, 0};
    const auto moved = static_cast<std::size_t>(result);
    if (kind == IoRequest::Kind::kRead) {
        return {moved == rest || file.ends_at(moved) ? Next::kDone : Next::kGoOn, moved};
    }
    const std::size_t progress = file.countable(moved);
    if (progress == 0) return {Next::kStuck, 0};
    return {progress == rest ? Next::kDone : Next::kGoOn, progress};
}

}  // namespace walrus::env
