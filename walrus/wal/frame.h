// FrameCursor: walks frames one after another over bytes that somebody else fetched.  Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "walrus/wal/format.h"

namespace walrus::wal {

// A frame found in a walk, full or short, with everything known about it.
struct Frame {
    FrameHeader header;  // For a short frame: as if it had been written in full.
    bool is_short = false;
    std::uint64_t size = 0;  // Bytes of log it takes; a seal takes the rest of its file.
    Bytes body;              // Of batches and control frames; points into the walked bytes.
};

enum class FrameStatus {
    kOk,
    kNeedMore,  // The bytes end inside what looks like a frame; `needed` bytes would do.
    kInvalid,   // No valid frame begins here.
};

// What a walker knows between two frames: enough to validate and to place the next one.
class FrameCursor {
public:
    FrameCursor(Lsn lsn, std::uint32_t epoch, std::uint64_t file_size)
        : lsn_(lsn), epoch_(epoch), file_size_(file_size) {}

    Lsn lsn() const { return lsn_; }
    std::uint32_t epoch() const { return epoch_; }
    // True at the first byte of a file: the file's header comes next, call enter_file().
    bool at_file_start() const { return lsn_.value % file_size_ == 0; }
    // Steps over the file header; the frames that follow carry `epoch`.
    void enter_file(std::uint32_t epoch);

    // Reads the frame at lsn() from `bytes`, which begin there.  Nothing moves.
    // A length is followed only after its header's checksum was found right; for a short frame,
    // whose checksum covers the record, it must stay inside the file.
    // `verify_body` false leaves the body of a full frame unchecked (one that is passed over, or
    // was checked before); a short frame is always checked.
    FrameStatus parse(Bytes bytes, Frame& frame, std::uint64_t& needed,
                      bool verify_body = true) const;
    // Moves behind a frame that parse() returned; follows a kReign frame's epoch.
    void advance(const Frame& frame);

private:
    FrameStatus parse_short(Bytes bytes, std::uint32_t mark, Frame& frame,
                            std::uint64_t& needed) const;
    FrameStatus parse_full(Bytes bytes, Frame& frame, std::uint64_t& needed,
                           bool verify_body) const;
    std::uint64_t left_in_file() const { return file_size_ - lsn_.value % file_size_; }

    Lsn lsn_;
    std::uint32_t epoch_;
    std::uint64_t file_size_;
    // Set while the frame before this one was data: what a short header would continue.
    std::optional<ShortContext> run_;
};

inline bool is_opaque(const FrameHeader& header) {
    return header.type == FrameType::kBatch && (header.flags & kBatchOpaque) != 0;
}

// The bytes of record `i` of a batch frame are found by splitting its body; an opaque one is one
// record here, whatever its count.  kCorruption when the body cannot be what the header says.
class BatchBody {
public:
    static Result<BatchBody> parse(const Frame& frame);
    std::uint32_t size() const { return count_; }
    // Calls visit(i, bytes) for the records from `first` on until it returns false.
    template <class Visit>
    void for_each(std::uint32_t first, Visit&& visit) const {
        const std::byte* at = data_;
        for (std::uint32_t i = 0; i < count_; ++i) {
            const std::size_t length = length_of(i);
            if (i >= first && !visit(i, Bytes{at, length})) return;
            at += length;
        }
    }

private:
    BatchBody(const std::byte* lengths, const std::byte* data, std::uint32_t count,
              std::size_t single)
        : lengths_(lengths), data_(data), count_(count), single_(single) {}
    std::size_t length_of(std::uint32_t i) const {
        return lengths_ == nullptr ? single_ : load_le<std::uint32_t>(lengths_ + 4 * i);
    }

    const std::byte* lengths_;  // Null for a batch of one record, which has no table.
    const std::byte* data_;
    std::uint32_t count_;
    std::size_t single_;
};

// Body length of a batch of `count` records with `bytes` of data: one record stands alone, more
// have a table of u32 lengths before them.
constexpr std::uint64_t batch_body_length(std::uint64_t count, std::uint64_t bytes) {
    return count == 1 ? bytes : 4 * count + bytes;
}

}  // namespace walrus::wal
