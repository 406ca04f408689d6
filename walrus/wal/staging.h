// Staging: builds frames in the ring, one after another.  Memory only: it neither waits nor writes.
//
//   ring    |...old lap...|  frames  |...free...|        position = lsn mod ring size
//                                    ^ end()
//
// The shard's lock guards it.  The caller has made sure that the frame fits into the ring (nothing
// that is not yet in a log file, or pinned by a reader, is overwritten) and into the file.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "walrus/env/env.h"
#include "walrus/wal/format.h"

namespace walrus::wal {

// The records of a batch with what could be computed before the lock was taken.
struct BatchSource {
    std::span<const Bytes> records;
    std::uint32_t record_count = 0;  // Offsets that it takes.
    bool opaque = false;             // `records` is one blob.
    std::uint64_t data_bytes = 0;
    std::uint32_t body_crc = 0;
    // The body's length; at most 2^32 - 1 by Options::validate.
    std::uint64_t body_length() const;
    static BatchSource of(std::span<const Bytes> records);
    // `blob` outlives it.
    static BatchSource of_opaque(const Bytes& blob, std::uint32_t record_count);
};

class Staging {
public:
    Staging(env::MappedRing& ring, std::uint64_t file_size);

    struct Placed {
        Lsn lsn;
        Lsn end;
        bool anchor = false;  // A full header: a reader may enter here.
    };

    // Begins at `end` inside a file whose frames carry `epoch`.  What the ring holds before the
    // block of `end` is of another run and means nothing.
    void start(Lsn end, std::uint32_t epoch);
    // One past the last frame.
    Lsn end() const { return end_; }
    std::uint32_t epoch() const { return epoch_; }
    // 0 when the file is full to the last byte.
    std::uint64_t left_in_file() const {
        const std::uint64_t position = end_.value % file_size_;
        return position == 0 ? 0 : file_size_ - position;
    }
    std::uint64_t ring_size() const { return ring_size_; }
    // True while the ring still holds what was staged at `lsn`.
    bool holds(Lsn lsn) const {
        return lsn >= begin_ && lsn.value + ring_size_ >= end_.value && lsn < end_;
    }
    // The bytes at `lsn`; contiguous for ring_size bytes.
    std::byte* at(Lsn lsn) const { return data_ + lsn.value % ring_size_; }

    Placed batch(std::uint32_t topic_id, Offset first_offset, const BatchSource& source,
                 Lsn durable_upto);
    // `header` says what it controls; type, lsn, epoch, body and checksums are filled in.
    Placed control(FrameHeader header, Bytes body, Lsn durable_upto);
    // Fills up to the next block boundary.
    void pad_to_block();
    // Ends the file: the log goes on in the next one.  Returns the block boundary up to which the
    // file must be written.
    Lsn seal(Lsn durable_upto);
    // Begins the next file, right after seal().
    void enter_file(std::uint32_t epoch);

private:
    Placed full_batch(std::uint32_t topic_id, Offset first_offset, const BatchSource& source,
                      Lsn durable_upto);
    void short_pad(std::uint64_t size);
    void finish_frame(std::uint64_t used, std::uint64_t size);

    std::byte* const data_;
    const std::uint64_t ring_size_;
    const std::uint64_t file_size_;
    Lsn begin_;  // The ring is ours from here on.
    Lsn end_;
    std::uint32_t epoch_ = 0;
    // What a short header would continue, and where the last full data header is.
    std::optional<ShortContext> run_;
    Lsn last_anchor_;
};

}  // namespace walrus::wal
