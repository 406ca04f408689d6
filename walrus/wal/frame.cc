#include "walrus/wal/frame.h"

#include "walrus/base/crc32c.h"

namespace walrus::wal {

void FrameCursor::enter_file(std::uint32_t epoch) {
    WALRUS_ASSERT(at_file_start());
    lsn_ = lsn_ + kFileHeaderSize;
    epoch_ = epoch;
    run_.reset();
}

FrameStatus FrameCursor::parse(Bytes bytes, Frame& frame, std::uint64_t& needed,
                               bool verify_body) const {
    if (bytes.size() < kShortHeaderSize) {
        needed = kShortHeaderSize;
        return FrameStatus::kNeedMore;
    }
    const std::uint32_t mark = load_le<std::uint32_t>(bytes.data()) >> 24;
    if (mark == kShortDataMark || mark == kShortPadMark)
        return parse_short(bytes, mark, frame, needed);
    return parse_full(bytes, frame, needed, verify_body);
}

FrameStatus FrameCursor::parse_short(Bytes bytes, std::uint32_t mark, Frame& frame,
                                     std::uint64_t& needed) const {
    const bool data = mark == kShortDataMark;
    if (data && !run_) return FrameStatus::kInvalid;
    const std::uint32_t length = load_le<std::uint32_t>(bytes.data()) & kMaxShortLength;
    const std::uint64_t size = short_frame_size(length);
    if (size > left_in_file()) return FrameStatus::kInvalid;
    ShortContext context{epoch_, lsn_, 0, Offset{}};
    if (data) context = {epoch_, lsn_, run_->topic_id, run_->offset};

    // A pad's body is not covered: it is skipped, whatever it holds.
    if (data && bytes.size() < kShortHeaderSize + length) {
        needed = kShortHeaderSize + length;
        return FrameStatus::kNeedMore;
    }
    const Bytes body = data ? bytes.subspan(kShortHeaderSize, length) : Bytes{};
    const std::uint32_t body_crc = data ? crc32c(body) : 0;
    if (load_le<std::uint32_t>(bytes.data() + 4) !=
        short_header_crc(mark, context, length, body_crc))
        return FrameStatus::kInvalid;
    frame = Frame{};
    frame.is_short = true;
    frame.size = size;
    frame.body = body;
    frame.header.type = data ? FrameType::kBatch : FrameType::kPad;
    frame.header.epoch = epoch_;
    frame.header.lsn = lsn_;
    frame.header.record_count = data ? 1 : 0;
    frame.header.topic_id = context.topic_id;
    frame.header.first_offset = context.offset;
    frame.header.body_length = length;
    return FrameStatus::kOk;
}

FrameStatus FrameCursor::parse_full(Bytes bytes, Frame& frame, std::uint64_t& needed,
                                    bool verify_body) const {
    if (load_le<std::uint32_t>(bytes.data()) != kFrameMagic) return FrameStatus::kInvalid;
    if (left_in_file() < kFullHeaderSize) return FrameStatus::kInvalid;
    if (bytes.size() < kFullHeaderSize) {
        needed = kFullHeaderSize;
        return FrameStatus::kNeedMore;
    }
    const std::optional<FrameHeader> header = decode_full_header(bytes.data());
    if (!header || header->lsn != lsn_ || header->epoch != epoch_) return FrameStatus::kInvalid;

    frame = Frame{};
    frame.header = *header;
    if (header->type == FrameType::kSeal) {
        frame.size = left_in_file();
        return FrameStatus::kOk;
    }
    frame.size = full_frame_size(header->body_length);
    if (frame.size > left_in_file()) return FrameStatus::kInvalid;
    if (header->type == FrameType::kPad) return FrameStatus::kOk;
    if (header->type == FrameType::kBatch && header->record_count == 0)
        return FrameStatus::kInvalid;
    if (bytes.size() < kFullHeaderSize + header->body_length) {
        needed = kFullHeaderSize + header->body_length;
        return FrameStatus::kNeedMore;
    }
    frame.body = bytes.subspan(kFullHeaderSize, header->body_length);
    if (verify_body && crc32c(frame.body) != header->body_crc) return FrameStatus::kInvalid;
    return FrameStatus::kOk;
}

void FrameCursor::advance(const Frame& frame) {
    const FrameHeader& header = frame.header;
    lsn_ = lsn_ + frame.size;
    run_.reset();
    if (header.type == FrameType::kBatch)
        run_ =
            ShortContext{epoch_, lsn_, header.topic_id, header.first_offset + header.record_count};
    if (header.type == FrameType::kControl && header.control == ControlKind::kReign &&
        frame.body.size() == sizeof(std::uint32_t))
        epoch_ = load_le<std::uint32_t>(frame.body.data());
}

Result<BatchBody> BatchBody::parse(const Frame& frame) {
    const std::uint32_t count = frame.header.record_count;
    const Bytes body = frame.body;
    if (count == 1 || is_opaque(frame.header))
        return BatchBody(nullptr, body.data(), 1, body.size());
    const std::uint64_t table = std::uint64_t{4} * count;
    std::uint64_t total = table;
    if (table <= body.size())
        for (std::uint32_t i = 0; i < count; ++i)
            total += load_le<std::uint32_t>(body.data() + 4 * i);
    if (total != body.size())
        return Error{Errc::kCorruption, "batch at lsn " + std::to_string(frame.header.lsn.value) +
                                            ": record lengths do not add up"};
    return BatchBody(body.data(), body.data() + table, count, 0);
}

}  // namespace walrus::wal
