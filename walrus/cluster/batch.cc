#include "walrus/cluster/batch.h"

#include <array>

#include "walrus/base/bytes.h"
#include "walrus/cluster/chain_hash.h"

namespace walrus::cluster {

ChainHash chain_start(const SegmentKey& key) {
    std::array<std::byte, 16> bytes;
    store_le(bytes.data(), key.topic);
    store_le(bytes.data() + 8, key.segment);
    return ChainHash{hash64(bytes, 0)};
}

ChainHash chain_after(ChainHash before, const Batch& batch) {
    std::array<std::byte, 26> head;
    store_le(head.data(), batch.records);
    store_le(head.data() + 4, batch.producer.id);
    store_le(head.data() + 12, batch.producer.epoch);
    store_le(head.data() + 14, batch.producer.first_sequence);
    // The sizes keep preamble and data apart.
    store_le(head.data() + 18, static_cast<std::uint64_t>(batch.preamble.size()));
    std::uint64_t hash = hash64(head, before.value);
    if (batch.preamble.size() > 0) hash = hash64(as_bytes(batch.preamble.text()), hash);
    return ChainHash{hash64(as_bytes(batch.data.text()), hash)};
}

Mark mark_after(const Mark& before, const Batch& batch) {
    return {.length = before.length + batch.records,
            .bytes = before.bytes + batch.data.size(),
            .chain = chain_after(before.chain, batch)};
}

}  // namespace walrus::cluster
