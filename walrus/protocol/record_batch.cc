#include "walrus/protocol/record_batch.h"

#include "walrus/base/assert.h"
#include "walrus/base/crc32c.h"
#include "walrus/protocol/batch_layout.h"
#include "walrus/protocol/big_endian.h"

namespace walrus::protocol {

using namespace batch_layout;

namespace {

template <class T>
T field(Bytes batch, std::size_t at) {
    return load_be<T>(batch.data() + at);
}

Error fault(Errc code, const std::string& what) {
    return {code, "record batch: " + what};
}

}  // namespace

Result<RecordBatchView> RecordBatchView::parse(Bytes bytes) {
    // The magic stands at the same place in every version, so that old ones are recognised.
    if (bytes.size() <= kMagic) return fault(Errc::kCorruption, "shorter than a header");
    const auto magic = field<std::int8_t>(bytes, kMagic);
    if (magic != kBatchMagic)
        return fault(Errc::kUnsupported, "magic " + std::to_string(magic) + ", only 2 is known");
    if (bytes.size() < kBatchHeaderBytes) return fault(Errc::kCorruption, "shorter than a header");
    const auto length = field<std::int32_t>(bytes, kLength);
    const auto min_length = static_cast<std::int32_t>(kBatchHeaderBytes - kLengthCountsFrom);
    if (length < min_length || static_cast<std::size_t>(length) > bytes.size() - kLengthCountsFrom)
        return fault(Errc::kCorruption, "length " + std::to_string(length) + " with " +
                                            std::to_string(bytes.size()) + " bytes at hand");
    const RecordBatchView view(bytes.first(kLengthCountsFrom + static_cast<std::size_t>(length)));
    if (view.compression() > Compression::kZstd)
        return fault(Errc::kUnsupported, "unknown compression codec");
    return view;
}

Result<RecordBatchView> RecordBatchView::parse_only(Bytes bytes) {
    Result<RecordBatchView> view = parse(bytes);
    if (view && view->size_bytes() != bytes.size())
        return fault(Errc::kInvalidArgument, "more than one where one is allowed");
    return view;
}

Status RecordBatchView::verify() const {
    if (crc() != crc32c(bytes_.subspan(kCrcCoversFrom)))
        return fault(Errc::kCorruption, "CRC differs");
    if (record_count() < 1) return fault(Errc::kInvalidArgument, "no record in it");
    if (record_count() - 1 != last_offset_delta())
        return fault(Errc::kInvalidArgument, "count " + std::to_string(record_count()) +
                                                 " but last offset delta " +
                                                 std::to_string(last_offset_delta()));
    return {};
}

std::int64_t RecordBatchView::base_offset() const {
    return field<std::int64_t>(bytes_, kBaseOffset);
}
std::int64_t RecordBatchView::last_offset() const {
    return wrapping_add(base_offset(), last_offset_delta());
}
std::int32_t RecordBatchView::leader_epoch() const {
    return field<std::int32_t>(bytes_, kLeaderEpoch);
}
std::uint32_t RecordBatchView::crc() const {
    return field<std::uint32_t>(bytes_, kCrc);
}
std::int16_t RecordBatchView::attributes() const {
    return field<std::int16_t>(bytes_, kAttributes);
}
std::int32_t RecordBatchView::last_offset_delta() const {
    return field<std::int32_t>(bytes_, kLastOffsetDelta);
}
std::int32_t RecordBatchView::record_count() const {
    return field<std::int32_t>(bytes_, kRecordCount);
}
std::int64_t RecordBatchView::base_timestamp() const {
    return field<std::int64_t>(bytes_, kBaseTimestamp);
}
std::int64_t RecordBatchView::max_timestamp() const {
    return field<std::int64_t>(bytes_, kMaxTimestamp);
}
Compression RecordBatchView::compression() const {
    return static_cast<Compression>(attributes() & kCodecMask);
}
bool RecordBatchView::has_append_time() const {
    return (attributes() & kAppendTimeBit) != 0;
}
bool RecordBatchView::is_transactional() const {
    return (attributes() & kTransactionalBit) != 0;
}
bool RecordBatchView::is_control() const {
    return (attributes() & kControlBit) != 0;
}
std::int64_t RecordBatchView::producer_id() const {
    return field<std::int64_t>(bytes_, kProducerId);
}
std::int16_t RecordBatchView::producer_epoch() const {
    return field<std::int16_t>(bytes_, kProducerEpoch);
}
std::int32_t RecordBatchView::base_sequence() const {
    return field<std::int32_t>(bytes_, kBaseSequence);
}

void place_batch(MutableBytes batch, std::int64_t base_offset, std::int32_t leader_epoch) {
    WALRUS_ASSERT(batch.size() >= kBatchHeaderBytes);
    store_be(batch.data() + kBaseOffset, base_offset);
    store_be(batch.data() + kLeaderEpoch, leader_epoch);
}

void set_append_time(MutableBytes batch, std::int64_t timestamp_ms) {
    WALRUS_ASSERT(batch.size() >= kBatchHeaderBytes);
    const auto attributes = load_be<std::uint16_t>(batch.data() + kAttributes);
    store_be(batch.data() + kAttributes, static_cast<std::uint16_t>(attributes | kAppendTimeBit));
    store_be(batch.data() + kMaxTimestamp, timestamp_ms);
    store_be(batch.data() + kCrc, crc32c(batch.subspan(kCrcCoversFrom)));
}

}  // namespace walrus::protocol
