// LogWriter: one shard's way to the disk.  Frames are staged in the ring under the shard's lock and
// written to the log files in pieces; a piece never crosses a file.
//
// Who writes: in class disk an appender that finds nobody writing writes its own group (no thread
// switch for a lone writer); when it is done it hands over to a member of the next group.  The
// committer thread writes what nobody waits for: asynchronous appends, the other classes.
//
//   staged --close_group--> boundaries --next_piece--> in flight --finish--> written / durable
//
// Acknowledgements follow the prefix: a piece counts only when all before it are done.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "walrus/base/clock.h"
#include "walrus/base/mutex.h"
#include "walrus/base/result.h"
#include "walrus/base/ring_queue.h"
#include "walrus/env/env.h"
#include "walrus/wal/group_gate.h"
#include "walrus/wal/log_files.h"
#include "walrus/wal/options.h"
#include "walrus/wal/staging.h"

namespace walrus::wal {

// What the log's content means, as far as the writer must ask.  Called under the lock.
class LogOwner {
public:
    virtual ~LogOwner() = default;
    // Upper bound of the bytes that entered_file() will stage.
    virtual std::uint64_t roll_bytes() = 0;
    // File `left` was left (its last frame is staged) and file left + 1 begun: stage what every
    // file begins with.
    virtual void entered_file(std::uint64_t left) = 0;
    // acknowledged() or durable() moved.
    virtual void progressed() = 0;
    // After progressed(), without the lock: tell `at_most` of those who are to be told.  True:
    // there are more.
    virtual bool deliver(std::size_t at_most) = 0;
    // The writer is poisoned: nothing more will be acknowledged.
    virtual void poisoned(const Error& cause) = 0;
};

struct LogWriterConfig {
    DurabilityClass durability = DurabilityClass::kDisk;
    std::uint64_t sync_interval_ms = 200;
    Threading threading = Threading::kBackground;
    std::uint64_t ballast_bytes = 0;  // Kept for control frames when no next file can be had.
    Clock* clock = nullptr;
};

// Counters; guarded by the lock.
struct LogWriterStats {
    std::uint64_t writes = 0;
    std::uint64_t written_bytes = 0;
    std::uint64_t syncs = 0;
    std::uint64_t groups = 0;
    std::uint64_t ring_waits = 0;
    std::uint64_t files_prepared = 0;
};

// Methods that take a lock need it held on mutex(); they may release and retake it.
class LogWriter {
public:
    // kDataNow: kBusy where kData waits for room.
    enum class Admission { kData, kDataNow, kControl };

    // `queue` may be null: then every piece is written by a plain durable write.
    LogWriter(LogWriterConfig config, LogFiles& files, env::MappedRing& ring,
              std::unique_ptr<env::IoQueue> queue, LogOwner& owner);
    ~LogWriter();

    // Goes on at `end`, in a file that is live, everything before it being durable.  The block
    // that holds `end` is read back into the ring.
    Status start(Lsn end, std::uint32_t epoch);
    // Stops the threads; nothing is synced.  Waiters get kClosed.
    void stop();

    Mutex& mutex() { return mutex_; }
    // Not before start().  All under the lock.
    Staging& staging() { return staging_; }
    Lsn durable() const { return gate_.durable(); }
    // One past what is acknowledged in the class, which is also what may be read.
    Lsn acknowledged() const;
    Lsn written() const { return written_; }  // One past what the log files hold.
    std::uint64_t current_file() const { return current_file_; }
    const LogWriterStats& stats() const { return stats_; }
    Status state() const;  // ok, kPoisoned or kClosed.

    // Waits until a frame of `size` bytes fits, rolling to the next file when it must.  Afterwards
    // and until the lock is released, that much may be staged.
    Status reserve(MutexLock& lock, std::uint64_t size, Admission admission);
    // To be called after staging: `waits` when the caller will wait_acknowledged().
    // Returns the group that what was staged belongs to.
    std::uint64_t staged(bool waits);
    // Releases the lock, then waits until everything before `end` is acknowledged.
    Status wait_acknowledged(MutexLock& lock, std::uint64_t group, Lsn end);
    // Waits until everything before `end` is acknowledged, for those that are not of its group.
    Status wait_progress(MutexLock& lock, Lsn end);
    // Waits until everything staged is durable, in any class.
    Status sync(MutexLock& lock);

    // A reader of the ring: what is at and after `lsn` stays until unpin().  False: gone already.
    bool pin(Lsn lsn);
    void unpin(Lsn lsn);

    // --- a thread that writes without waiting: a Driver of wal.h, in class disk ---
    // From now on drive() does the committer's work; `wake` asks for it, under the lock.  kBusy:
    // there is a driver.
    Status attach_driver(env::IoQueue& queue, std::function<void()> wake);
    // One step: takes what completed, starts what is staged, calls back.
    void drive(MutexLock& lock);
    // Waits for what the driver has in flight; the rest is the committer's again.
    void detach_driver(MutexLock& lock);

    // --- for the thread that keeps files ready ---
    bool wants_file(std::uint64_t ahead) const;
    // Makes the next file ready; kNoSpace is remembered for those who wait in reserve().
    Status prepare_file(MutexLock& lock);
    // Syncs a left file when it is written whole but not durable.  True: it is durable.
    Result<bool> make_file_durable(MutexLock& lock, std::uint64_t number);
    // Called (under the lock) when the keeper has something to do.
    void set_keeper_wake(CondVar* wake) { keeper_wake_ = wake; }

private:
    struct Boundary {
        Lsn end;         // Pieces stop here,
        Lsn next_begin;  // and go on here: behind the next file's header after a roll.
        std::uint64_t group = 0;
    };
    struct Piece {
        Lsn begin;
        Lsn end;
        Lsn next_begin;
        std::uint64_t group = 0;  // Not 0: the last piece of that group.
        bool done = false;
        std::shared_ptr<LogFile> file;
        env::IoRequest request;
    };

    bool syncs_every_group() const { return config_.durability == DurabilityClass::kDisk; }
    bool inline_mode() const { return config_.threading == Threading::kInline; }
    std::uint64_t staged_bytes() const { return staging_.end() - submitted_; }
    bool next_file_ready() const { return prepared_upto_ > current_file_; }

    // --- admission (log_writer.cc) ---
    Lsn floor() const;
    bool fits(std::uint64_t size) const;
    Status wait_for_space(MutexLock& lock, std::uint64_t size);
    Error refuse_for_space();
    Status wait_for_file(MutexLock& lock);
    Status ask_for_file(MutexLock& lock);
    Status roll();
    void close_group();
    void new_group();
    Status wait_durable(MutexLock& lock, Lsn end);

    // --- writing (log_writer_commit.cc) ---
    bool piece_worthwhile() const;
    std::unique_ptr<Piece> next_piece();
    Status begin_piece(Piece& piece);
    void finish_piece(Piece& piece, const Status& status);
    void retire_done_pieces();
    void poison(const Error& cause);
    void gather(MutexLock& lock);
    void lead(MutexLock& lock, Lsn until);
    bool write_one_piece(MutexLock& lock);
    void hand_over();
    void wake_finished(MutexLock& lock, env::IoQueue* meanwhile = nullptr);
    void pump_queue(MutexLock& lock);
    void submit_pieces(MutexLock& lock, env::IoQueue& queue);
    void finish_request(const env::IoRequest& request);
    void advance_durable(Lsn upto);
    void check_interval();
    bool sync_due() const { return sync_target_ > durable() && !failed_; }
    void sync_files(MutexLock& lock);
    void kick_committer();
    void run_committer();
    // One step of whatever there is to do, by the calling thread.  False: nothing.
    bool work_inline(MutexLock& lock);

    const LogWriterConfig config_;
    LogFiles& files_;
    env::MappedRing& ring_;
    std::unique_ptr<env::IoQueue> queue_;
    LogOwner& owner_;

    mutable Mutex mutex_;
    Staging staging_;
    GroupGate gate_;
    std::uint64_t current_file_ = 0;
    std::uint64_t prepared_upto_ = 0;  // The last live file.

    // Invariant: written_ <= submitted_ <= staging_.end(), and durable() runs behind written_ but
    // for the block that start() found partly filled.
    Lsn submitted_;
    Lsn written_;
    RingQueue<Boundary> boundaries_;
    RingQueue<std::unique_ptr<Piece>> in_flight_;  // In log order.
    std::vector<std::unique_ptr<Piece>> free_pieces_;
    std::vector<Lsn> pins_;

    std::uint64_t open_group_ = 1;
    std::uint64_t open_waiters_ = 0;              // Members of the open group that wait.
    std::atomic<std::uint64_t> open_appends_{0};  // Appends in the open group.
    std::uint64_t last_appends_ = 0;              // Appends in the group before it.
    std::uint64_t last_bytes_ = 0;                // Their size, padding included.
    std::uint64_t finished_from_ = 1;             // Groups finished but not yet woken:
    std::uint64_t finished_upto_ = 1;             // [from, upto).

    bool leading_ = false;       // Somebody is writing pieces:
    bool driver_leads_ = false;  // the driver, until nothing of it is in flight.
    env::IoQueue* driver_ = nullptr;
    std::function<void()> driver_wake_;
    bool driver_woken_ = false;   // drive() will come.
    bool deliver_due_ = false;    // progressed() was called, deliver() not yet.
    bool queue_waiting_ = false;  // The committer sleeps in the queue.
    bool committer_idle_ = false;
    std::uint64_t space_waiters_ = 0;
    bool room_wanted_ = false;  // By somebody who was refused and will come again.
    std::uint64_t progress_waiters_ = 0;
    Lsn sync_target_;  // Everything before it shall become durable.
    std::uint64_t next_interval_ns_ = 0;
    CondVar committer_wake_;
    CondVar space_;
    CondVar progress_;
    CondVar file_ready_;
    CondVar* keeper_wake_ = nullptr;
    std::uint64_t prepare_attempts_ = 0;
    bool file_wanted_ = false;
    Status prepare_status_;

    std::optional<Error> failed_;
    bool stopping_ = false;
    LogWriterStats stats_;
    std::thread committer_;
};

}  // namespace walrus::wal
