#include "walrus/wal/staging.h"

#include <cstring>

#include "walrus/base/crc32c.h"
#include "walrus/wal/frame.h"

namespace walrus::wal {
namespace {

// The checksum of the table of record lengths, made in pieces on the stack.
std::uint32_t lengths_crc(std::span<const Bytes> records) {
    constexpr std::size_t kPiece = 256;
    std::byte piece[4 * kPiece];
    std::uint32_t crc = 0;
    for (std::size_t done = 0; done < records.size();) {
        const std::size_t n = std::min(kPiece, records.size() - done);
        for (std::size_t i = 0; i < n; ++i)
            store_le(piece + 4 * i, static_cast<std::uint32_t>(records[done + i].size()));
        crc = crc32c({piece, 4 * n}, crc);
        done += n;
    }
    return crc;
}

void copy(std::byte* to, Bytes from) {
    if (!from.empty()) std::memcpy(to, from.data(), from.size());
}

}  // namespace

std::uint64_t BatchSource::body_length() const {
    return batch_body_length(records.size(), data_bytes);
}

BatchSource BatchSource::of(std::span<const Bytes> records) {
    BatchSource source;
    source.records = records;
    source.record_count = static_cast<std::uint32_t>(records.size());
    if (records.size() > 1) source.body_crc = lengths_crc(records);
    for (const Bytes record : records) {
        source.data_bytes += record.size();
        source.body_crc = crc32c(record, source.body_crc);
    }
    return source;
}

BatchSource BatchSource::of_opaque(const Bytes& blob, std::uint32_t record_count) {
    BatchSource source = of({&blob, 1});
    source.record_count = record_count;
    source.opaque = true;
    return source;
}

Staging::Staging(env::MappedRing& ring, std::uint64_t file_size)
    : data_(ring.data()), ring_size_(ring.size()), file_size_(file_size) {}

void Staging::start(Lsn end, std::uint32_t epoch) {
    begin_ = Lsn{align_down(end.value, env::kBlockSize)};
    end_ = end;
    epoch_ = epoch;
    run_.reset();
}

void Staging::finish_frame(std::uint64_t used, std::uint64_t size) {
    if (used < size) std::memset(at(end_) + used, 0, size - used);
    end_ = end_ + size;
}

Staging::Placed Staging::batch(std::uint32_t topic_id, Offset first_offset,
                               const BatchSource& source, Lsn durable_upto) {
    const bool continues = run_ && run_->topic_id == topic_id && run_->offset == first_offset &&
                           source.records.size() == 1 && !source.opaque &&
                           source.data_bytes <= kMaxShortLength &&
                           end_ - last_anchor_ < kAnchorInterval;
    if (!continues) return full_batch(topic_id, first_offset, source, durable_upto);

    std::byte* to = at(end_);
    const auto length = static_cast<std::uint32_t>(source.data_bytes);
    copy(to + kShortHeaderSize, source.records[0]);
    encode_short_header(kShortDataMark, {epoch_, end_, topic_id, first_offset}, length,
                        source.body_crc, to);
    Placed placed{end_, Lsn{}, false};
    finish_frame(kShortHeaderSize + length, short_frame_size(length));
    placed.end = end_;
    run_ = ShortContext{epoch_, end_, topic_id, first_offset + 1};
    return placed;
}

Staging::Placed Staging::full_batch(std::uint32_t topic_id, Offset first_offset,
                                    const BatchSource& source, Lsn durable_upto) {
    FrameHeader header;
    header.type = FrameType::kBatch;
    header.epoch = epoch_;
    header.flags = source.opaque ? kBatchOpaque : 0;
    header.record_count = source.record_count;
    header.lsn = end_;
    header.durable_upto = durable_upto;
    header.first_offset = first_offset;
    header.topic_id = topic_id;
    header.body_length = static_cast<std::uint32_t>(source.body_length());
    header.body_crc = source.body_crc;

    std::byte* to = at(end_);
    std::byte* body = to + kFullHeaderSize;
    if (source.records.size() > 1)
        for (const Bytes record : source.records) {
            store_le(body, static_cast<std::uint32_t>(record.size()));
            body += sizeof(std::uint32_t);
        }
    for (const Bytes record : source.records) {
        copy(body, record);
        body += record.size();
    }
    encode_full_header(header, to);
    Placed placed{end_, Lsn{}, true};
    last_anchor_ = end_;
    finish_frame(kFullHeaderSize + header.body_length, full_frame_size(header.body_length));
    placed.end = end_;
    run_ = ShortContext{epoch_, end_, topic_id, first_offset + header.record_count};
    return placed;
}

Staging::Placed Staging::control(FrameHeader header, Bytes body, Lsn durable_upto) {
    header.type = FrameType::kControl;
    header.epoch = epoch_;
    header.lsn = end_;
    header.durable_upto = durable_upto;
    header.body_length = static_cast<std::uint32_t>(body.size());
    header.body_crc = crc32c(body);
    std::byte* to = at(end_);
    copy(to + kFullHeaderSize, body);
    encode_full_header(header, to);
    Placed placed{end_, Lsn{}, false};
    finish_frame(kFullHeaderSize + body.size(), full_frame_size(body.size()));
    placed.end = end_;
    run_.reset();
    if (header.control == ControlKind::kReign) epoch_ = load_le<std::uint32_t>(body.data());
    return placed;
}

void Staging::short_pad(std::uint64_t size) {
    if (size == 0) return;
    encode_short_header(kShortPadMark, {epoch_, end_, 0, Offset{}},
                        static_cast<std::uint32_t>(size - kShortHeaderSize), 0, at(end_));
    finish_frame(kShortHeaderSize, size);
    run_.reset();
}

void Staging::pad_to_block() {
    short_pad(align_up(end_.value, env::kBlockSize) - end_.value);
}

Lsn Staging::seal(Lsn durable_upto) {
    const std::uint64_t left = left_in_file();
    const Lsn next_file = end_ + left;
    if (left < kFullHeaderSize) {
        short_pad(left);
        return end_;
    }
    FrameHeader header;
    header.type = FrameType::kSeal;
    header.epoch = epoch_;
    header.lsn = end_;
    header.durable_upto = durable_upto;
    encode_full_header(header, at(end_));
    const std::uint64_t written = align_up(end_.value + kFullHeaderSize, env::kBlockSize);
    finish_frame(kFullHeaderSize, written - end_.value);
    end_ = next_file;
    run_.reset();
    return Lsn{written};
}

void Staging::enter_file(std::uint32_t epoch) {
    WALRUS_ASSERT(end_.value % file_size_ == 0);
    end_ = end_ + kFileHeaderSize;
    epoch_ = epoch;
    run_.reset();
}

}  // namespace walrus::wal
