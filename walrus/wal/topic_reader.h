// TopicReader: reads one topic in offset order, remembering where it stands so that a sequential
// reader needs the index only once.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "walrus/base/result.h"
#include "walrus/wal/frame.h"
#include "walrus/wal/log_fetcher.h"
#include "walrus/wal/record.h"

namespace walrus::wal {

// How much a read may return: at least one record if there is any.
struct ReadLimit {
    Offset end;  // Records from here on are not returned.
    std::uint64_t max_bytes = ~std::uint64_t{0};
    std::uint64_t max_records = ~std::uint64_t{0};  // An opaque batch is one.
    bool memory_only = false;                       // kBusy instead of reading a file.
};

// Finds a full frame of the topic at or before an offset.
using LocateFrame = std::function<Result<Lsn>(std::uint32_t topic_id, Offset offset)>;

// Used by one thread at a time.
class TopicReader {
public:
    TopicReader(FetchConfig config, LogFiles& files, LogWriter& writer,
                std::shared_ptr<BufferPool> pool, std::uint32_t topic_id);

    std::uint32_t topic_id() const { return topic_id_; }
    // The offset that continues without the index.
    std::optional<Offset> position() const { return next_; }

    // Adds records from `from` on to `out`; an opaque batch that holds `from` is added whole.
    // kCorruption: a frame is damaged; the message says
    // where, and nothing at or past it was added.
    Status read(Offset from, const ReadLimit& limit, const LocateFrame& locate, RecordBatch& out);

private:
    Status enter(Offset from, const LocateFrame& locate);
    Status enter_at(Lsn lsn, Offset from);
    Status jump_ahead(const LocateFrame& locate);
    Result<bool> next_frame(Frame& frame);
    Status take(const Frame& frame, const ReadLimit& limit, RecordBatch& out, bool& full);
    Error damaged() const;

    LogFiles& files_;
    LogFetcher fetcher_;
    const std::uint32_t topic_id_;
    std::optional<Offset> next_;
    FrameCursor cursor_{Lsn{}, 0, 1};
    std::shared_ptr<const void> owner_;  // Of the last frame's bytes.
    const void* held_ = nullptr;         // Already held by the batch being filled.
    std::optional<Lsn> checked_;         // A frame whose body was found right already.
};

}  // namespace walrus::wal
