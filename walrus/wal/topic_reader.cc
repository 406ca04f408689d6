#include "walrus/wal/topic_reader.h"

#include "walrus/base/crc32c.h"

namespace walrus::wal {

TopicReader::TopicReader(FetchConfig config, LogFiles& files, LogWriter& writer,
                         std::shared_ptr<BufferPool> pool, std::uint32_t topic_id)
    : files_(files), fetcher_(config, files, writer, std::move(pool)), topic_id_(topic_id) {}

Error TopicReader::damaged() const {
    const Lsn lsn = cursor_.lsn();
    const std::uint64_t number = files_.number_of(lsn);
    return {Errc::kCorruption, env::join_path(files_.config().directory, log_file_name(number)) +
                                   " at " + std::to_string(lsn.value % files_.config().file_size) +
                                   " (lsn " + std::to_string(lsn.value) + "): damaged frame"};
}

// Goes to a full frame at or before `from` by the index, whose entry must hold.
Status TopicReader::enter(Offset from, const LocateFrame& locate) {
    next_.reset();
    const Result<Lsn> lsn = locate(topic_id_, from);
    if (!lsn) return lsn.error();
    return enter_at(*lsn, from);
}

Status TopicReader::enter_at(Lsn lsn, Offset from) {
    next_.reset();
    fetcher_.jump();
    cursor_ = FrameCursor(lsn, 0, files_.config().file_size);
    const Result<FetchedBytes> head = fetcher_.fetch(lsn, kFullHeaderSize);
    if (!head) return head.error();
    if (head->bytes.size() < kFullHeaderSize) return damaged();
    const std::optional<FrameHeader> header = decode_full_header(head->bytes.data());
    if (!header || header->lsn != lsn || header->topic_id != topic_id_ ||
        header->first_offset > from)
        return damaged();
    cursor_ = FrameCursor(lsn, header->epoch, files_.config().file_size);
    return {};
}

// The frame at the cursor, which does not move.  False: the log ends here.
Result<bool> TopicReader::next_frame(Frame& frame) {
    if (cursor_.at_file_start()) {
        const Result<std::shared_ptr<LogFile>> file =
            files_.open_file(files_.number_of(cursor_.lsn()));
        if (!file) return file.error();
        cursor_.enter_file((*file)->epoch);
    }
    std::uint64_t needed = kShortHeaderSize;
    for (;;) {
        const Result<FetchedBytes> fetched = fetcher_.fetch(cursor_.lsn(), needed);
        if (!fetched) return fetched.error();
        if (fetched->bytes.empty()) return false;
        const std::uint64_t had = fetched->bytes.size();
        const FrameStatus status = cursor_.parse(fetched->bytes, frame, needed, false);
        if (status == FrameStatus::kInvalid) return damaged();
        if (status == FrameStatus::kNeedMore) {
            if (had >= needed) return damaged();
            const Result<FetchedBytes> more = fetcher_.fetch(cursor_.lsn(), needed);
            if (!more) return more.error();
            if (more->bytes.size() < needed) return damaged();
            continue;
        }
        owner_ = fetched->owner;
        return true;
    }
}

// Adds the frame's records from next_ on.  `full`: the limit was reached.
Status TopicReader::take(const Frame& frame, const ReadLimit& limit, RecordBatch& out, bool& full) {
    const FrameHeader& header = frame.header;
    if (!frame.is_short && checked_ != header.lsn) {
        if (crc32c(frame.body) != header.body_crc) return damaged();
        checked_ = header.lsn;
    }
    const Result<BatchBody> body = BatchBody::parse(frame);
    if (!body) return body.error();
    if (*next_ < header.first_offset) return damaged();
    const bool opaque = is_opaque(header);
    const auto skip = static_cast<std::uint32_t>(opaque ? 0 : *next_ - header.first_offset);
    body->for_each(skip, [&](std::uint32_t, Bytes record) {
        full = *next_ >= limit.end || out.size() >= limit.max_records ||
               (!out.empty() && out.data_bytes() + record.size() > limit.max_bytes);
        if (full) return false;
        if (owner_.get() != held_) {
            out.hold(owner_);
            held_ = owner_.get();
        }
        const Offset offset = opaque ? header.first_offset : *next_;
        const std::uint32_t count = opaque ? header.record_count : 1;
        out.add(offset, record, count);
        next_ = offset + count;
        return true;
    });
    return {};
}

// Goes on at the next frame by the index, if that lies ahead.
Status TopicReader::jump_ahead(const LocateFrame& locate) {
    const Result<Lsn> lsn = locate(topic_id_, *next_);
    if (!lsn) return lsn.error();
    if (*lsn <= cursor_.lsn()) return {};
    const Offset next = *next_;
    WALRUS_RETURN_IF_ERROR(enter_at(*lsn, next));
    next_ = next;
    return {};
}

Status TopicReader::read(Offset from, const ReadLimit& limit, const LocateFrame& locate,
                         RecordBatch& out) {
    held_ = nullptr;
    fetcher_.set_memory_only(limit.memory_only);
    if (from >= limit.end) return {};
    if (next_ != from) {
        WALRUS_RETURN_IF_ERROR(enter(from, locate));
        next_ = from;
    }
    std::uint64_t passed = 0;  // Bytes of other topics since the last frame of this one.
    while (*next_ < limit.end && out.size() < limit.max_records) {
        Frame frame;
        const Result<bool> there = next_frame(frame);
        if (!there && there.error().code == Errc::kBusy) return there.error();
        if (!there || !*there) {
            next_.reset();
            if (!there) return there.error();
            return Error{Errc::kIo, "log: ends before its high watermark"};
        }
        const FrameHeader& header = frame.header;
        const bool ours = header.type == FrameType::kBatch && header.topic_id == topic_id_ &&
                          header.first_offset + header.record_count > *next_;
        if (ours) {
            bool full = false;
            if (Status status = take(frame, limit, out, full); !status) {
                next_.reset();
                return status;
            }
            if (full) return {};
        }
        cursor_.advance(frame);
        passed = ours ? 0 : passed + frame.size;
        // Among many topics the next frame of this one may be far away: the index knows where.
        if (passed >= kAnchorInterval) {
            passed = 0;
            WALRUS_RETURN_IF_ERROR(jump_ahead(locate));
        }
    }
    return {};
}

}  // namespace walrus::wal
