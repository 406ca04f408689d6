// LogReader: reads the frames of a shard's log in order, from the log files and, where they end,
// from the staging ring that outlived the process.  For recovery, verification and index rebuilds;
// one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "walrus/base/aligned_buffer.h"
#include "walrus/base/result.h"
#include "walrus/env/env.h"
#include "walrus/wal/frame.h"
#include "walrus/wal/log_files.h"

namespace walrus::wal {

// Bytes of one log file at a time, fetched in large aligned reads.
class LogWindow {
public:
    explicit LogWindow(LogFiles& files) : files_(files) {}

    // Bytes from `lsn` on: at least `least` of them, unless the file ends before.
    Result<Bytes> fetch(Lsn lsn, std::uint64_t least);
    std::uint64_t bytes_read() const { return bytes_read_; }

private:
    LogFiles& files_;
    AlignedBuffer buffer_;
    Lsn begin_;
    std::uint64_t length_ = 0;
    std::uint64_t bytes_read_ = 0;
};

class LogReader {
public:
    enum class Next {
        kFrame,
        kEnd,  // No valid frame at lsn(): the log ends here, or it is damaged (find_proof).
    };

    // `ring` may be null.
    LogReader(LogFiles& files, env::MappedRing* ring)
        : files_(files), ring_(ring), window_(files) {}

    // Goes to the beginning of file `number`.
    void seek_file(std::uint64_t number);
    // The frame at lsn(), checked; its body is valid until the next call.
    // kIo and the like: a file could not be read.
    Result<Next> next(Frame& frame);
    // Where the next frame begins, and the epoch it would have.
    Lsn lsn() const { return cursor_.lsn(); }
    std::uint32_t epoch() const { return cursor_.epoch(); }
    // The last frame came from the ring: the file did not have it.
    bool from_ring() const { return from_ring_; }
    // The bytes of the last frame, header included.
    Bytes raw() const { return raw_; }
    std::uint64_t bytes_read() const { return window_.bytes_read(); }

    // After kEnd: the lsn of a later frame which says that lsn() had been durable.  What is there
    // is damage to acknowledged data then, not a torn tail.
    Result<std::optional<Lsn>> find_proof();
    // After kEnd: the lsn of a frame at or behind lsn() that the same reign wrote into this file or
    // the ring.  The log has a torn tail then; without one it ends cleanly, as far as can be seen.
    Result<std::optional<Lsn>> find_trace();

private:
    using HeaderTest = std::function<bool(const FrameHeader&)>;

    FrameStatus parse_file(Frame& frame, Status& trouble);
    FrameStatus parse_ring(Frame& frame);
    // The first header in [from, to) that stands where it says and passes; gives up `patience`
    // bytes behind the last header.
    Result<std::optional<Lsn>> find_in_files(Lsn from, Lsn to, std::uint64_t patience,
                                             const HeaderTest& test);
    std::optional<Lsn> find_in_ring(const HeaderTest& test) const;

    LogFiles& files_;
    env::MappedRing* ring_;
    LogWindow window_;
    FrameCursor cursor_{Lsn{}, 0, 1};
    Lsn at_;
    Bytes raw_;
    bool from_ring_ = false;
};

}  // namespace walrus::wal
