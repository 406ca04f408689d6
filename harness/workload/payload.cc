#include "harness/workload/payload.h"

#include <algorithm>

#include "walrus/base/assert.h"
#include "walrus/base/crc32c.h"
#include "walrus/base/random.h"

namespace walrus::harness {
namespace {

constexpr std::uint32_t kMagic = 0x32524857;  // "WHR2"
constexpr std::size_t kWriterAt = 4;
constexpr std::size_t kSequenceAt = 8;
constexpr std::size_t kRunIdAt = 16;
constexpr std::size_t kSentAt = 24;
constexpr std::size_t kBodyCrcAt = 32;
constexpr std::size_t kHeaderCrcAt = 36;
// Bodies of one writer together: small enough to stay in the processor's cache.
constexpr std::size_t kPoolBytes = 256 << 10;
constexpr std::size_t kCacheLine = 64;

void fill_random(MutableBytes bytes, Random& random) {
    while (bytes.size() >= sizeof(std::uint64_t)) {
        store_le(bytes.data(), random.next());
        bytes = bytes.subspan(sizeof(std::uint64_t));
    }
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.next());
}

RecordIdentity identity_at(const std::byte* at) {
    return {.writer = load_le<std::uint32_t>(at + kWriterAt),
            .sequence = load_le<std::uint64_t>(at + kSequenceAt),
            .run_id = load_le<std::uint64_t>(at + kRunIdAt),
            .sent_ns = load_le<std::uint64_t>(at + kSentAt)};
}

}  // namespace

PayloadState inspect_payload(Bytes record, RecordIdentity& identity) {
    if (record.size() < kPayloadHeaderBytes) return PayloadState::kDamagedHeader;
    const std::byte* at = record.data();
    if (load_le<std::uint32_t>(at) != kMagic ||
        load_le<std::uint32_t>(at + kHeaderCrcAt) != crc32c(record.first(kHeaderCrcAt))) {
        return PayloadState::kDamagedHeader;
    }
    identity = identity_at(at);
    const std::uint32_t body_crc = crc32c(record.subspan(kPayloadHeaderBytes));
    return body_crc == load_le<std::uint32_t>(at + kBodyCrcAt) ? PayloadState::kIntact
                                                               : PayloadState::kDamagedBody;
}

bool identify_payload(Bytes record, RecordIdentity& identity) {
    if (record.size() < kPayloadHeaderBytes || load_le<std::uint32_t>(record.data()) != kMagic) {
        return false;
    }
    identity = identity_at(record.data());
    return true;
}

PayloadStream::PayloadStream(const PayloadShape& shape)
    : run_id_(shape.run_id),
      writer_(shape.writer),
      slot_bytes_(align_up(std::max(shape.bytes, shape.bytes_max), kCacheLine)) {
    WALRUS_ASSERT(shape.bytes >= kPayloadHeaderBytes && shape.batch > 0);
    const std::uint64_t largest = std::max(shape.bytes, shape.bytes_max);
    const std::size_t slots = std::max<std::size_t>(shape.batch, kPoolBytes / slot_bytes_ + 1);
    storage_.resize(slots * slot_bytes_);
    SeededRandom random(shape.seed ^ (shape.run_id * 0x9e3779b97f4a7c15) ^
                        (std::uint64_t{shape.writer} << 32));
    for (std::size_t slot = 0; slot < slots; ++slot) {
        const std::size_t bytes = shape.bytes + random.below(largest - shape.bytes + 1);
        const MutableBytes record(storage_.data() + slot * slot_bytes_, bytes);
        const MutableBytes body = record.subspan(kPayloadHeaderBytes);
        fill_random(body, random);
        body_crcs_.push_back(crc32c(body));
        slots_.push_back(record);
    }
}

std::span<const Bytes> PayloadStream::next(std::uint32_t count, std::uint64_t sent_ns) {
    if (next_slot_ + count > slots_.size()) next_slot_ = 0;
    const std::size_t first = next_slot_;
    for (std::uint32_t i = 0; i < count; ++i) stamp(first + i, sequence_++, sent_ns);
    next_slot_ = first + count;
    return {slots_.data() + first, count};
}

void PayloadStream::stamp(std::size_t slot, std::uint64_t sequence, std::uint64_t sent_ns) {
    std::byte* at = storage_.data() + slot * slot_bytes_;
    store_le(at, kMagic);
    store_le(at + kWriterAt, writer_);
    store_le(at + kSequenceAt, sequence);
    store_le(at + kRunIdAt, run_id_);
    store_le(at + kSentAt, sent_ns);
    store_le(at + kBodyCrcAt, body_crcs_[slot]);
    store_le(at + kHeaderCrcAt, crc32c({at, kHeaderCrcAt}));
}

}  // namespace walrus::harness
