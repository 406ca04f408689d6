#include "walrus/wal/log_reader.h"

#include <algorithm>

namespace walrus::wal {
namespace {

constexpr std::uint64_t kWindow = 4 << 20;
// A file in use shows a full header within this distance of any place: kAnchorInterval and the
// largest hole that unordered writes can leave.
constexpr std::uint64_t kPatience = 64 << 20;
constexpr std::uint64_t kFirstLook = 1 << 20;

}  // namespace

Result<Bytes> LogWindow::fetch(Lsn lsn, std::uint64_t least) {
    const std::uint64_t file_size = files_.config().file_size;
    const Lsn file_end = files_.base(files_.number_of(lsn) + 1);
    least = std::min(least, file_end - lsn);
    if (length_ == 0 || lsn < begin_ || begin_ + length_ < lsn + least) {
        Result<std::shared_ptr<LogFile>> file = files_.open_file(files_.number_of(lsn));
        if (!file) return std::move(file).error();
        const Lsn from{align_down(lsn.value, env::kBlockSize)};
        const std::uint64_t want = std::min(
            std::max(kWindow, align_up(lsn - from + least, env::kBlockSize)), file_end - from);
        if (buffer_.size() < want) buffer_ = AlignedBuffer(want);
        length_ = 0;
        const Result<std::size_t> got =
            (*file)->file->read_at(buffer_.span().first(want), from.value % file_size);
        if (!got) return got.error();
        begin_ = from;
        length_ = *got;
        bytes_read_ += *got;
        if (begin_ + length_ <= lsn) return Bytes{};
    }
    const std::uint64_t skip = lsn - begin_;
    return Bytes{buffer_.data() + skip, length_ - skip};
}

void LogReader::seek_file(std::uint64_t number) {
    cursor_ = FrameCursor(files_.base(number), 0, files_.config().file_size);
}

FrameStatus LogReader::parse_file(Frame& frame, Status& trouble) {
    std::uint64_t needed = kFullHeaderSize;
    for (;;) {
        const Result<Bytes> bytes = window_.fetch(cursor_.lsn(), needed);
        if (!bytes) {
            trouble = bytes.error();
            return FrameStatus::kInvalid;
        }
        const std::uint64_t had = bytes->size();
        const FrameStatus status = cursor_.parse(*bytes, frame, needed);
        if (status != FrameStatus::kNeedMore) {
            if (status == FrameStatus::kOk)
                raw_ = bytes->first(std::min<std::uint64_t>(frame.size, had));
            return status;
        }
        if (needed <= had) return FrameStatus::kInvalid;
        // The file ends before the frame does.
        const Result<Bytes> more = window_.fetch(cursor_.lsn(), needed);
        if (!more || more->size() < needed) return FrameStatus::kInvalid;
    }
}

FrameStatus LogReader::parse_ring(Frame& frame) {
    if (ring_ == nullptr) return FrameStatus::kInvalid;
    const Bytes bytes{ring_->data() + cursor_.lsn().value % ring_->size(), ring_->size()};
    std::uint64_t needed = 0;
    const FrameStatus status = cursor_.parse(bytes, frame, needed);
    if (status != FrameStatus::kOk) return FrameStatus::kInvalid;
    raw_ = bytes.first(std::min<std::uint64_t>(frame.size, bytes.size()));
    return FrameStatus::kOk;
}

Result<LogReader::Next> LogReader::next(Frame& frame) {
    if (cursor_.at_file_start()) {
        const std::uint64_t number = files_.number_of(cursor_.lsn());
        const Result<std::shared_ptr<LogFile>> file = files_.open_file(number);
        if (!file && file.error().code == Errc::kNotFound) return Next::kEnd;
        if (!file) return file.error();
        cursor_.enter_file((*file)->epoch);
    }
    Status trouble;
    from_ring_ = false;
    FrameStatus status = parse_file(frame, trouble);
    if (status != FrameStatus::kOk) {
        status = parse_ring(frame);
        from_ring_ = status == FrameStatus::kOk;
    }
    if (status == FrameStatus::kOk) {
        cursor_.advance(frame);
        return Next::kFrame;
    }
    if (!trouble) return std::move(trouble).error();
    return Next::kEnd;
}

Result<std::optional<Lsn>> LogReader::find_in_files(Lsn from, Lsn to, std::uint64_t patience,
                                                    const HeaderTest& test) {
    Lsn last_seen = from;
    for (Lsn at = from; at < to && at - last_seen < patience;) {
        const Result<Bytes> bytes = window_.fetch(at, kFirstLook);
        if (!bytes) return bytes.error();
        if (bytes->size() < kFullHeaderSize) break;
        std::uint64_t i = 0;
        for (; i + kFullHeaderSize <= bytes->size(); i += kFrameAlignment) {
            if (load_le<std::uint32_t>(bytes->data() + i) != kFrameMagic) continue;
            const std::optional<FrameHeader> header = decode_full_header(bytes->data() + i);
            if (!header || header->lsn != at + i) continue;
            if (test(*header)) return std::optional<Lsn>(header->lsn);
            last_seen = header->lsn;
        }
        at = at + i;
    }
    return std::optional<Lsn>{};
}

std::optional<Lsn> LogReader::find_in_ring(const HeaderTest& test) const {
    if (ring_ == nullptr) return std::nullopt;
    for (std::uint64_t i = 0; i < ring_->size(); i += kFrameAlignment) {
        if (load_le<std::uint32_t>(ring_->data() + i) != kFrameMagic) continue;
        const std::optional<FrameHeader> header = decode_full_header(ring_->data() + i);
        if (header && header->lsn.value % ring_->size() == i && test(*header)) return header->lsn;
    }
    return std::nullopt;
}

Result<std::optional<Lsn>> LogReader::find_proof() {
    const Lsn damaged = cursor_.lsn();
    const auto proves = [&](const FrameHeader& header) {
        return header.lsn > damaged && header.durable_upto > damaged;
    };
    if (const std::optional<Lsn> proof = find_in_ring(proves)) return proof;
    if (files_.empty()) return std::optional<Lsn>{};
    const std::uint64_t number = files_.number_of(damaged);
    if (number > files_.last()) return std::optional<Lsn>{};

    Result<std::optional<Lsn>> proof =
        find_in_files(damaged, files_.base(number + 1), kPatience, proves);
    // A later file was used if it shows a header early; then one of its frames may be the proof.
    for (std::uint64_t later = number + 1; proof && !*proof && later <= files_.last(); ++later)
        proof = find_in_files(files_.base(later) + kFileHeaderSize, files_.base(later + 1),
                              kFirstLook, proves);
    return proof;
}

Result<std::optional<Lsn>> LogReader::find_trace() {
    const Lsn end = cursor_.lsn();
    const auto same_reign = [&](const FrameHeader& header) {
        return header.lsn >= end && header.epoch == cursor_.epoch();
    };
    if (const std::optional<Lsn> trace = find_in_ring(same_reign)) return trace;
    const std::uint64_t number = files_.number_of(end);
    if (files_.empty() || number > files_.last()) return std::optional<Lsn>{};
    return find_in_files(end, files_.base(number + 1), kPatience, same_reign);
}

}  // namespace walrus::wal
