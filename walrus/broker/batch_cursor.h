// BatchCursor: the batches of a fetch one after the other, each in one piece.
#pragma once

#include <optional>
#include <string>

#include "walrus/base/result.h"
#include "walrus/broker/types.h"
#include "walrus/protocol/record_batch.h"

namespace walrus::broker {

// A batch may lie in several pieces, its head apart from its records; such a one is copied
// together.
class BatchCursor {
public:
    BatchCursor() = default;
    explicit BatchCursor(broker::FetchedBatches fetched) : fetched_(std::move(fetched)) {}

    // The next batch, valid until the next call; nothing: there is no other.
    // kCorruption: the pieces end within a batch.
    Result<std::optional<protocol::RecordBatchView>> next();

private:
    // Takes `count` bytes off the pieces, into joined_.
    Status join(std::size_t count);
    Bytes piece() const { return fetched_.pieces[index_].subspan(used_); }
    bool is_at_end();

    broker::FetchedBatches fetched_;
    std::size_t index_ = 0;  // The piece that is being taken, of which so many bytes are taken.
    std::size_t used_ = 0;
    std::string joined_;
};

}  // namespace walrus::broker
