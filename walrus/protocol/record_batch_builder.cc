#include "walrus/protocol/record_batch_builder.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "walrus/base/assert.h"
#include "walrus/base/crc32c.h"
#include "walrus/protocol/batch_layout.h"
#include "walrus/protocol/big_endian.h"
#include "walrus/protocol/record_batch.h"
#include "walrus/protocol/varint.h"

namespace walrus::protocol {

using namespace batch_layout;

namespace {

void put_bytes(std::string& out, Bytes bytes) {
    put_varint(out, static_cast<std::int32_t>(bytes.size()));
    out.append(as_text(bytes));
}

void put_nullable(std::string& out, const std::optional<Bytes>& bytes) {
    if (bytes) return put_bytes(out, *bytes);
    put_varint(out, std::int32_t{-1});
}

}  // namespace

RecordBatchBuilder::RecordBatchBuilder(BatchProducer producer) : bytes_(kBatchHeaderBytes, '\0') {
    auto* header = reinterpret_cast<std::byte*>(bytes_.data());
    store_be(header + kLeaderEpoch, std::int32_t{-1});
    store_be(header + kMagic, kBatchMagic);
    store_be(header + kAttributes, producer.is_transactional ? kTransactionalBit : std::uint16_t{});
    store_be(header + kProducerId, producer.id);
    store_be(header + kProducerEpoch, producer.epoch);
    store_be(header + kBaseSequence, producer.base_sequence);
}

void RecordBatchBuilder::add(const Record& record) {
    if (record_count_ == 0) base_timestamp_ = max_timestamp_ = record.timestamp_ms;
    max_timestamp_ = std::max(max_timestamp_, record.timestamp_ms);

    scratch_.assign(1, '\0');  // Attributes.
    put_varint(scratch_, wrapping_subtract(record.timestamp_ms, base_timestamp_));
    put_varint(scratch_, record_count_);
    put_nullable(scratch_, record.key);
    put_nullable(scratch_, record.value);
    put_varint(scratch_, static_cast<std::int32_t>(record.headers.size()));
    for (const RecordHeader& header : record.headers) {
        put_bytes(scratch_, as_bytes(header.key));
        put_nullable(scratch_, header.value);
    }
    put_bytes(bytes_, as_bytes(scratch_));
    WALRUS_ASSERT(bytes_.size() <= std::numeric_limits<std::int32_t>::max());
    ++record_count_;
}

std::string RecordBatchBuilder::finish() && {
    WALRUS_ASSERT(record_count_ > 0);
    auto* header = reinterpret_cast<std::byte*>(bytes_.data());
    store_be(header + kLength, static_cast<std::int32_t>(bytes_.size() - kLengthCountsFrom));
    store_be(header + kLastOffsetDelta, record_count_ - 1);
    store_be(header + kBaseTimestamp, base_timestamp_);
    store_be(header + kMaxTimestamp, max_timestamp_);
    store_be(header + kRecordCount, record_count_);
    store_be(header + kCrc, crc32c(as_bytes(bytes_).subspan(kCrcCoversFrom)));
    return std::move(bytes_);
}

std::string one_record_batch(Bytes value, std::int64_t timestamp_ms) {
    RecordBatchBuilder builder;
    builder.add({.timestamp_ms = timestamp_ms, .value = value});
    return std::move(builder).finish();
}

}  // namespace walrus::protocol
