#include "walrus/broker/placed_batches.h"

#include <cstring>
#include <utility>

#include "walrus/protocol/record_batch.h"

namespace walrus::broker {
namespace {

// From this size on, a batch is sent from where it was read, behind a copy of its header.
constexpr std::size_t kLarge = 8 << 10;

std::size_t copied_bytes(std::size_t batch_bytes) {
    return batch_bytes >= kLarge ? protocol::kBatchHeaderBytes : batch_bytes;
}

// The copies that were made, and what keeps the rest alive.
template <class Owner>
struct Placed {
    Owner owner;
    std::vector<std::byte> copies;
};

// `batches` hold offset and data; `epoch_of` says each one's leader epoch.
template <class Owner>
Status place(const auto& batches, const auto& epoch_of, std::shared_ptr<Placed<Owner>> placed,
             FetchedBatches& to) {
    std::size_t total = 0;
    for (const auto& batch : batches) {
        if (batch.data.size() < protocol::kBatchHeaderBytes)
            return Error{Errc::kCorruption, "offset " + std::to_string(batch.offset.value) +
                                                ": what is stored is not a record batch"};
        total += copied_bytes(batch.data.size());
    }
    placed->copies.resize(total);
    std::byte* at = placed->copies.data();
    const std::byte* begin = at;  // Of the piece of copies that is being gathered.
    for (const auto& batch : batches) {
        const std::size_t copied = copied_bytes(batch.data.size());
        std::memcpy(at, batch.data.data(), copied);
        protocol::place_batch({at, copied}, static_cast<std::int64_t>(batch.offset.value),
                              epoch_of(batch));
        at += copied;
        to.size_bytes += batch.data.size();
        if (copied == batch.data.size()) continue;
        to.pieces.emplace_back(begin, at);
        to.pieces.push_back(batch.data.subspan(copied));
        begin = at;
    }
    if (begin != at) to.pieces.emplace_back(begin, at);
    to.owner = std::move(placed);
    return {};
}

}  // namespace

Status place_batches(wal::RecordBatch stored, std::int32_t leader_epoch, FetchedBatches& to) {
    auto placed = std::make_shared<Placed<wal::RecordBatch>>();
    placed->owner = std::move(stored);
    const auto epoch_of = [leader_epoch](const wal::Record&) { return leader_epoch; };
    return place(placed->owner, epoch_of, placed, to);
}

Status place_batches(const std::vector<StoredBatch>& stored, std::shared_ptr<const void> owner,
                     FetchedBatches& to) {
    auto placed = std::make_shared<Placed<std::shared_ptr<const void>>>();
    placed->owner = std::move(owner);
    const auto epoch_of = [](const StoredBatch& batch) { return batch.leader_epoch; };
    return place(stored, epoch_of, std::move(placed), to);
}

}  // namespace walrus::broker
