#include "walrus/wal/recovery.h"

#include <cstring>
#include <optional>

#include "walrus/base/aligned_buffer.h"
#include "walrus/base/log.h"

namespace walrus::wal {
namespace {

// Frames that only the ring had, to be written where they belong.
class TailCopy {
public:
    TailCopy(LogFiles& files, LogWindow& window) : files_(files), window_(window) {}

    // Adds a frame; from the first one that came from the ring on, all are kept.
    Status add(const LogReader& reader, const Frame& frame) {
        if (!active_ && !reader.from_ring()) return {};
        active_ = true;
        const Lsn lsn = frame.header.lsn;
        if (pieces_.empty() || pieces_.back().begin + pieces_.back().bytes.size() != lsn)
            WALRUS_RETURN_IF_ERROR(begin_piece(lsn));
        const Bytes raw = frame.header.type == FrameType::kSeal
                              ? reader.raw().first(kFullHeaderSize)
                              : reader.raw();
        std::vector<std::byte>& bytes = pieces_.back().bytes;
        bytes.insert(bytes.end(), raw.begin(), raw.end());
        return {};
    }

    // Writes and syncs what was kept.
    Status write() {
        for (Piece& piece : pieces_) {
            piece.bytes.resize(align_up(piece.bytes.size(), env::kBlockSize));
            const AlignedBuffer copy(piece.bytes.size());
            std::memcpy(copy.data(), piece.bytes.data(), piece.bytes.size());
            const Result<std::shared_ptr<LogFile>> file =
                files_.open_file(files_.number_of(piece.begin));
            if (!file) return file.error();
            WALRUS_RETURN_IF_ERROR(
                (*file)->file->write_at(copy.span(), piece.begin.value % files_.config().file_size,
                                        env::Durability::kNone));
        }
        return {};
    }

private:
    struct Piece {
        Lsn begin;  // At a block boundary.
        std::vector<std::byte> bytes;
    };

    Status begin_piece(Lsn lsn) {
        const Lsn block{align_down(lsn.value, env::kBlockSize)};
        Piece piece{block, {}};
        if (block != lsn) {
            const Result<Bytes> head = window_.fetch(block, lsn - block);
            if (!head) return head.error();
            if (head->size() < lsn - block)
                return Error{Errc::kCorruption, "log file shorter than its frames"};
            piece.bytes.assign(head->begin(), head->begin() + static_cast<long>(lsn - block));
        }
        pieces_.push_back(std::move(piece));
        return {};
    }

    LogFiles& files_;
    LogWindow& window_;
    bool active_ = false;
    std::vector<Piece> pieces_;
};

// What may stand before the end of a file's snapshot: parts of it, and what an opening leaves that
// found it torn.
bool may_precede_snapshot(const Frame& frame) {
    const FrameHeader& header = frame.header;
    return header.type == FrameType::kPad ||
           (header.type == FrameType::kControl &&
            (header.control == ControlKind::kSnapshot || header.control == ControlKind::kReign));
}

// What the first frames of a file say, if they are a whole snapshot.
std::optional<Lsn> snapshot_durable_upto(LogFiles& files, std::uint64_t number) {
    LogReader reader(files, nullptr);
    reader.seek_file(number);
    TopicTable table;
    Lsn durable;
    while (!table.complete()) {
        Frame frame;
        const Result<LogReader::Next> next = reader.next(frame);
        if (!next || *next == LogReader::Next::kEnd) return std::nullopt;
        if (!may_precede_snapshot(frame) || !table.apply(frame)) return std::nullopt;
        durable = std::max(durable, frame.header.durable_upto);
    }
    return durable;
}

// The newest file that is known to begin at or below the durable mark; the first file otherwise.
std::uint64_t scan_start(LogFiles& files) {
    Lsn durable;
    for (std::uint64_t number = files.last(); number > files.first(); --number) {
        const std::optional<Lsn> upto = snapshot_durable_upto(files, number);
        if (!upto) continue;
        durable = std::max(durable, *upto);
        if (files.base(number) <= durable) return number;
    }
    return files.first();
}

// Follows the frames and keeps what they mean.
class Replay {
public:
    Replay(LogFiles& files, RecoveredLog& out, Clock& clock)
        : files_(files), out_(out), clock_(clock) {}

    Status apply(const Frame& frame) {
        const std::uint64_t number = files_.number_of(frame.header.lsn);
        if (out_.builder == nullptr || out_.builder->number() != number)
            WALRUS_RETURN_IF_ERROR(enter(number));
        WALRUS_RETURN_IF_ERROR(out_.table.apply(frame));
        if (frame.header.type == FrameType::kControl &&
            frame.header.control == ControlKind::kSnapshot &&
            (frame.header.flags & kSnapshotLast) != 0)
            snapshot_file_ = number;
        if (frame.header.type == FrameType::kBatch && !frame.is_short) {
            const TopicPtr topic = out_.table.find(frame.header.topic_id);
            out_.builder->add(topic->chain, topic->id, frame.header.first_offset, frame.header.lsn);
        }
        return {};
    }

    // `number` is the last file whose snapshot was found whole.
    bool has_snapshot(std::uint64_t number) const { return snapshot_file_ == number; }

private:
    Status enter(std::uint64_t number) {
        if (out_.builder != nullptr) {
            const Result<std::shared_ptr<LogFile>> file = files_.open_file(out_.builder->number());
            if (!file) return file.error();
            out_.left.push_back(
                std::move(*out_.builder)
                    .finish((*file)->epoch, clock_.wall_ms(), out_.table.index_topics()));
        }
        out_.builder = std::make_unique<IndexBuilder>(number);
        return {};
    }

    LogFiles& files_;
    RecoveredLog& out_;
    Clock& clock_;
    std::uint64_t snapshot_file_ = ~std::uint64_t{0};  // None.
};

}  // namespace

Status check_tail(LogFiles& files, LogReader& reader) {
    const Result<std::optional<Lsn>> proof = reader.find_proof();
    if (!proof) return proof.error();
    if (!*proof) return {};
    const Lsn at = reader.lsn();
    const std::uint64_t number = files.number_of(at);
    return Error{Errc::kCorruption,
                 env::join_path(files.config().directory, log_file_name(number)) + " at " +
                     std::to_string(at.value % files.config().file_size) + " (lsn " +
                     std::to_string(at.value) + "): no valid frame, but the frame at lsn " +
                     std::to_string((*proof)->value) +
                     " proves that acknowledged data was here; see `walrus-wal repair --help`"};
}

Result<RecoveredLog> recover(LogFiles& files, env::MappedRing* ring, Clock& clock) {
    RecoveredLog out;
    if (files.empty()) {
        out.needs_snapshot = true;
        return out;
    }
    LogReader reader(files, ring);
    LogWindow window(files);
    TailCopy tail(files, window);
    Replay replay(files, out, clock);
    const std::uint64_t first_scanned = scan_start(files);
    reader.seek_file(first_scanned);
    for (;;) {
        Frame frame;
        const Result<LogReader::Next> next = reader.next(frame);
        if (!next) return next.error();
        if (*next == LogReader::Next::kEnd) break;
        WALRUS_RETURN_IF_ERROR(replay.apply(frame));
        WALRUS_RETURN_IF_ERROR(tail.add(reader, frame));
    }
    WALRUS_RETURN_IF_ERROR(check_tail(files, reader));
    out.end = reader.lsn();
    out.epoch = reader.epoch();
    out.scanned_bytes = reader.bytes_read();
    if (!out.table.complete() && files.first() != 0)
        return Error{Errc::kCorruption,
                     files.config().directory + ": no file begins with a whole topic table"};

    WALRUS_RETURN_IF_ERROR(tail.write());
    // The rest of the scanned files may be in caches only.
    const bool behind_file = out.end.value % files.config().file_size == 0 && out.end.value > 0;
    const std::uint64_t end_file = files.number_of(out.end) - (behind_file ? 1 : 0);
    // Behind a file the next one will be entered, which brings a snapshot by itself.
    out.needs_snapshot = !behind_file && !replay.has_snapshot(end_file);
    for (std::uint64_t number = first_scanned; number <= end_file; ++number) {
        const Result<std::shared_ptr<LogFile>> file = files.open_file(number);
        if (!file) return file.error();
        WALRUS_RETURN_IF_ERROR((*file)->file->sync_data());
    }
    if (files.last() > end_file) WALRUS_RETURN_IF_ERROR(files.discard_from(end_file + 1));
    if (out.builder == nullptr || out.builder->number() != end_file)
        out.builder = std::make_unique<IndexBuilder>(end_file);
    return out;
}

Result<std::shared_ptr<const FileIndex>> rebuild_index(LogFiles& files, std::uint64_t number,
                                                       std::uint64_t left_wall_ms) {
    LogReader reader(files, nullptr);
    reader.seek_file(number);
    TopicTable table;
    IndexBuilder builder(number);
    for (;;) {
        Frame frame;
        const Result<LogReader::Next> next = reader.next(frame);
        if (!next) return next.error();
        if (*next == LogReader::Next::kEnd) break;
        WALRUS_RETURN_IF_ERROR(table.apply(frame));
        if (frame.header.type == FrameType::kBatch && !frame.is_short) {
            const TopicPtr topic = table.find(frame.header.topic_id);
            builder.add(topic->chain, topic->id, frame.header.first_offset, frame.header.lsn);
        }
        if (files.number_of(reader.lsn()) != number) {
            const Result<std::shared_ptr<LogFile>> file = files.open_file(number);
            if (!file) return file.error();
            return std::move(builder).finish((*file)->epoch, left_wall_ms, table.index_topics());
        }
    }
    // It may have been recycled while it was read.
    if (const Result<std::shared_ptr<LogFile>> file = files.open_file(number); !file)
        return file.error();
    return Error{Errc::kCorruption,
                 env::join_path(files.config().directory, log_file_name(number)) + " at " +
                     std::to_string(reader.lsn().value % files.config().file_size) +
                     ": no valid frame before the file's end"};
}

}  // namespace walrus::wal
