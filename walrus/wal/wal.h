// Wal: the crash-safe log, and the only header that users of the engine need.
//
//   append -> frame in the shard's staging ring -> committer writes the log file -> sync
//               ^ acknowledged here: process                                        ^ here: disk
//
// Format: walrus/spec/wal_format.md.  Names of the original crate: wal/README.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/base/strong.h"
#include "walrus/wal/options.h"
#include "walrus/wal/record.h"

namespace walrus::wal {

// Called once per asynchronous append, in append order per shard, when it is acknowledged (ok) or
// failed.  May run inside append_async or Driver::drive, or on a thread of the log's; must not
// block or call the Wal.
struct AckCallback {
    void (*function)(void* context, Offset first_offset, const Status& status) = nullptr;
    void* context = nullptr;
};

// Names an asynchronous append; acknowledged when the shard's log is acknowledged up to `end`.
struct Ticket {
    Offset first_offset;
    std::uint32_t shard = 0;
    Lsn end;
};

// Which cursor a read uses and whether it moves.
struct ReadOptions {
    std::string_view consumer = {};  // "" is the topic's shared cursor.
    bool checkpoint = true;          // False: peek, the cursor stays.
};

// One blob that stands for `record_count` records, stored as it is and read as a whole: a batch
// in a format of the caller's.
struct OpaqueBatch {
    Bytes bytes;
    std::uint32_t record_count = 1;  // Offsets that it takes, at least 1.
};

// What an append does when there is no room at the moment.
enum class WhenFull {
    kWait,
    kRefuse,  // kBusy: nothing was appended; try again soon.
};

struct TopicInfo {
    std::string name;
    Offset log_start_offset;         // First kept.
    Offset log_end_offset;           // One past the last appended.
    Offset high_watermark;           // One past the last readable: acknowledged in the log's class.
    Offset durable_offset;           // One past the last synced.
    std::uint64_t entry_count = 0;   // Kept records.
    std::uint64_t unread_count = 0;  // Readable records the shared cursor has not passed.
    std::uint64_t size_bytes = 0;    // Bytes appended to the topic since it began, less those given
                                     // up by retention, frames included.
    bool clean = true;               // No append since mark_clean (or ever).
};

// Counters since open; for benches and metrics.
struct Stats {
    std::uint64_t appends = 0;  // Batches appended.
    std::uint64_t records = 0;
    std::uint64_t payload_bytes = 0;  // As given by callers.
    std::uint64_t frame_bytes = 0;    // Of data frames, headers and alignment included.
    std::uint64_t written_bytes = 0;  // Handed to the log files, pads and control frames included.
    std::uint64_t writes = 0;         // Transfers to log files.
    std::uint64_t syncs = 0;          // Durable transfers and file syncs.
    std::uint64_t groups = 0;         // Commit groups.
    std::uint64_t ring_waits = 0;     // Appends that waited, or were refused, for ring space.
    std::uint64_t files_prepared = 0;
    std::uint64_t files_recycled = 0;
    std::uint64_t recovery_us = 0;      // Time open() spent on recovery.
    std::uint64_t recovered_bytes = 0;  // Log bytes scanned by open().
    std::string backend;                // In use, after kAuto was decided.
};

// Writes a log of class disk on a thread that never waits, the loop of a server: no other thread
// has to be woken for a group, neither to write it nor to tell of it.  Used by one thread.
class Driver {
public:
    // Waits for what it has in flight.
    virtual ~Driver() = default;
    // Readable when drive() has something to do; -1: it has to be called in turns.
    virtual int event_fd() const = 0;
    // Starts writing what was appended and calls back what is acknowledged.  Waits for no disk.
    virtual void drive() = 0;
};

// Thread-safe throughout.  A topic name is 1 to max_topic_name_bytes bytes without control
// characters or '/'; it is created by its first append or create_topic.
//
// Durability: a call that appends returns when the batch is acknowledged in options.durability;
// a batch is kept whole or not at all.  Visibility: reads see what is acknowledged, nothing else.
//
// Failure: after the first failed write or sync the shard is poisoned (kPoisoned for everything
// that writes; reads go on) and the next open() decides what survived.  kNoSpace is not a failure
// of that kind: the append was refused, nothing was lost, and appends work again when space
// returns.
class Wal {
public:
    // Recovers and opens, creating what is absent.
    // kInvalidArgument: an option cannot be.  kBusy: another process has it open.  kUnsupported:
    // foreign format version or backend.  kCorruption: acknowledged bytes are damaged; the message
    // says where; see repair() in verify.h.  Nothing is changed or created on those errors.
    static Result<std::unique_ptr<Wal>> open(Options options);

    // Stops without syncing: what is in the ring stays there for the next open().
    virtual ~Wal() = default;

    // Syncs everything, writes the end mark and stops.  Later calls return kClosed.  Callers of
    // other methods must have returned.
    virtual Status close() = 0;

    // --- write ---
    // Appends one record (zero length is a record) and returns its offset.
    virtual Result<Offset> append(std::string_view topic, Bytes record) = 0;
    // Appends all or nothing; returns the first offset.  An empty batch appends nothing and
    // returns the topic's end (0 when there is no such topic; none is created).
    virtual Result<Offset> append_batch(std::string_view topic, std::span<const Bytes> records) = 0;
    // As append_batch without waiting for the acknowledgement.  Waits only while more than
    // max_outstanding_bytes are unacknowledged or the ring is full.
    virtual Result<Ticket> append_async(std::string_view topic, std::span<const Bytes> records,
                                        AckCallback callback = {}) = 0;
    // As append_batch and append_async, of one opaque batch.  Copies the bytes once, and allocates
    // nothing.
    virtual Result<Offset> append_opaque(std::string_view topic, OpaqueBatch batch) = 0;
    virtual Result<Ticket> append_opaque_async(std::string_view topic, OpaqueBatch batch,
                                               AckCallback callback = {},
                                               WhenFull when_full = WhenFull::kWait) = 0;
    // Waits until the ticket's append is acknowledged, or failed, and its callback has returned.
    virtual Status wait(const Ticket& ticket) = 0;
    // Waits until everything appended before the call is on stable storage, in any class.
    virtual Status sync() = 0;

    // --- read ---
    // The next record of a cursor; an empty batch when there is none (nothing is written then).
    // Concurrent readers of one cursor never get the same record twice.
    virtual Result<RecordBatch> read_next(std::string_view topic, ReadOptions options = {}) = 0;
    // Records up to `max_bytes` of data, at least one if there is any.
    virtual Result<RecordBatch> read_batch(std::string_view topic, std::uint64_t max_bytes,
                                           ReadOptions options = {}) = 0;
    // Stateless.  kOutOfRange: before the log start or past the high watermark (at it: empty).
    // An opaque batch that holds `offset` comes whole.
    virtual Result<RecordBatch> read_at(std::string_view topic, Offset offset,
                                        std::uint64_t max_bytes) = 0;
    // As read_at, but never waits for the disk: what is in memory, and kBusy when that is not
    // what is at `offset`.
    virtual Result<RecordBatch> read_recent(std::string_view topic, Offset offset,
                                            std::uint64_t max_bytes) = 0;
    // Waits until the topic's high watermark is past `offset`.  False: the time ran out.
    virtual Result<bool> wait_for(std::string_view topic, Offset offset,
                                  std::uint64_t timeout_ms) = 0;

    // --- cursors ---
    // The next offset the cursor will read.  kNotFound: no such topic.
    virtual Result<Offset> position(std::string_view topic, std::string_view consumer = {}) = 0;
    // Moves a cursor, either way, durably in the log's class.  kOutOfRange as read_at.
    virtual Status commit(std::string_view topic, std::string_view consumer, Offset offset) = 0;
    // Moves a cursor for this process only, until the next checkpointing read or commit.
    virtual Status seek(std::string_view topic, std::string_view consumer, Offset offset) = 0;
    virtual Status delete_cursor(std::string_view topic, std::string_view consumer) = 0;
    // Consumer -> committed offset.
    virtual Result<std::map<std::string, Offset>> cursors(std::string_view topic) = 0;

    // --- topics ---
    virtual Status create_topic(std::string_view topic) = 0;  // Fine when present.
    virtual Status delete_topic(std::string_view topic) = 0;
    virtual std::vector<TopicInfo> topics() = 0;
    virtual Result<TopicInfo> topic(std::string_view topic) = 0;
    virtual Status mark_clean(std::string_view topic) = 0;
    virtual Status mark_dirty(std::string_view topic) = 0;
    // Gives up records before `offset` (at most the high watermark).
    virtual Status truncate_head(std::string_view topic, Offset offset) = 0;
    virtual Status set_retention(std::string_view topic, const Retention& retention) = 0;
    // Applies retention and recycles files now; returns the files recycled.
    virtual Result<std::uint64_t> run_retention() = 0;

    // From now on, and while the driver lives, acknowledgements need its drive(); the Wal must
    // outlive it.  `wake` says, from any thread, that drive() should be called soon; it must not
    // call the Wal.  One driver at a time.
    // kUnsupported: another class than disk, several shards, or a backend without a queue.
    // kBusy: it has a driver.
    virtual Result<std::unique_ptr<Driver>> make_driver(std::function<void()> wake) = 0;

    virtual Stats stats() const = 0;
};

}  // namespace walrus::wal
