#include "walrus/broker/placed_batches.h"

#include <cstring>

#include "walrus/protocol/record_batch.h"

namespace walrus::broker {
namespace {

// From this size on, a batch is sent from where it was read, behind a copy of its header.
constexpr std::size_t kLarge = 8 << 10;

std::size_t copied_bytes(std::size_t batch_bytes) {
    return batch_bytes >= kLarge ? protocol::kBatchHeaderBytes : batch_bytes;
}

// What was read, and the copies that were made of it.
struct Placed {
    wal::RecordBatch stored;
    std::vector<std::byte> copies;
};

}  // namespace

Status place_batches(wal::RecordBatch stored, std::int32_t leader_epoch, FetchedBatches& to) {
    const auto placed = std::make_shared<Placed>();
    std::size_t total = 0;
    for (const wal::Record& record : stored) {
        if (record.data.size() < protocol::kBatchHeaderBytes)
            return Error{Errc::kCorruption, "offset " + std::to_string(record.offset.value) +
                                                ": what is stored is not a record batch"};
        total += copied_bytes(record.data.size());
    }
    placed->stored = std::move(stored);
    placed->copies.resize(total);
    std::byte* at = placed->copies.data();
    const std::byte* begin = at;  // Of the piece of copies that is being gathered.
    for (const wal::Record& record : placed->stored) {
        const std::size_t copied = copied_bytes(record.data.size());
        std::memcpy(at, record.data.data(), copied);
        protocol::place_batch({at, copied}, static_cast<std::int64_t>(record.offset.value),
                              leader_epoch);
        at += copied;
        to.size_bytes += record.data.size();
        if (copied == record.data.size()) continue;
        to.pieces.emplace_back(begin, at);
        to.pieces.push_back(record.data.subspan(copied));
        begin = at;
    }
    if (begin != at) to.pieces.emplace_back(begin, at);
    to.owner = placed;
    return {};
}

}  // namespace walrus::broker
