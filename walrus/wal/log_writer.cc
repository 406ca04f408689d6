// Admission: room in the ring and in the files, and the waiting for it.  Writing:
// log_writer_commit.cc.
#include "walrus/wal/log_writer.h"

#include <algorithm>
#include <cstring>

#include "walrus/base/aligned_buffer.h"

namespace walrus::wal {

LogWriter::LogWriter(LogWriterConfig config, LogFiles& files, env::MappedRing& ring,
                     std::unique_ptr<env::IoQueue> queue, LogOwner& owner)
    : config_(config),
      files_(files),
      ring_(ring),
      queue_(std::move(queue)),
      owner_(owner),
      staging_(ring, files.config().file_size) {
    gate_.open(open_group_);
}

LogWriter::~LogWriter() {
    stop();
}

Status LogWriter::start(Lsn end, std::uint32_t epoch) {
    const std::uint64_t position = end.value % files_.config().file_size;
    current_file_ = position == 0 ? files_.number_of(end) - 1 : files_.number_of(end);
    prepared_upto_ = files_.last();
    staging_.start(end, epoch);
    submitted_ = written_ = Lsn{align_down(end.value, env::kBlockSize)};
    gate_.advance(end);
    if (submitted_ != end) {
        const Result<std::shared_ptr<LogFile>> file = files_.open_file(current_file_);
        if (!file) return file.error();
        const AlignedBuffer block(env::kBlockSize);
        const Result<std::size_t> got =
            (*file)->file->read_at(block.span(), align_down(position, env::kBlockSize));
        if (!got) return got.error();
        std::memcpy(staging_.at(submitted_), block.data(), *got);
    }
    next_interval_ns_ = config_.clock->monotonic_ns();
    if (!inline_mode()) committer_ = std::thread([this] { run_committer(); });
    return {};
}

void LogWriter::stop() {
    {
        const MutexLock lock(mutex_);
        if (stopping_) return;
        stopping_ = true;
        gate_.fail();
        if (queue_) queue_->wake();
        committer_wake_.notify_all();
        space_.notify_all();
        progress_.notify_all();
        file_ready_.notify_all();
    }
    if (committer_.joinable()) committer_.join();
}

Status LogWriter::state() const {
    if (failed_) return Error{Errc::kPoisoned, "shard poisoned: " + failed_->message};
    if (stopping_) return Error{Errc::kClosed, "log: closed"};
    return {};
}

Lsn LogWriter::acknowledged() const {
    return syncs_every_group() ? durable() : staging_.end();
}

// --- the ring ---

Lsn LogWriter::floor() const {
    Lsn lowest = written_;
    for (const Lsn pin : pins_) lowest = std::min(lowest, pin);
    return lowest;
}

bool LogWriter::fits(std::uint64_t size) const {
    // A group may be padded to a block behind what is staged next.
    return staging_.end() + size + env::kBlockSize <= floor() + staging_.ring_size();
}

bool LogWriter::pin(Lsn lsn) {
    if (!staging_.holds(lsn)) return false;
    pins_.push_back(lsn);
    return true;
}

void LogWriter::unpin(Lsn lsn) {
    const auto it = std::find(pins_.begin(), pins_.end(), lsn);
    WALRUS_ASSERT(it != pins_.end());
    *it = pins_.back();
    pins_.pop_back();
    if (space_waiters_ > 0) space_.notify_all();
}

Status LogWriter::wait_for_space(MutexLock& lock, std::uint64_t size) {
    ++stats_.ring_waits;
    ++space_waiters_;
    Status status;
    while (!fits(size) && (status = state())) {
        if (inline_mode()) {
            if (!work_inline(lock))
                status = Error{Errc::kResourceExhausted, "staging ring: full and nothing to write"};
            if (!status) break;
            continue;
        }
        if (queue_waiting_) queue_->wake();
        kick_committer();
        space_.wait(lock);
    }
    --space_waiters_;
    return status;
}

// As wait_for_space, without waiting.
Error LogWriter::refuse_for_space() {
    ++stats_.ring_waits;
    room_wanted_ = true;
    if (queue_waiting_) queue_->wake();
    kick_committer();
    return {Errc::kBusy, "staging ring: full"};
}

// --- the files ---

bool LogWriter::wants_file(std::uint64_t ahead) const {
    return !failed_ && (file_wanted_ || prepared_upto_ - current_file_ < ahead);
}

Status LogWriter::prepare_file(MutexLock& lock) {
    const std::uint64_t number = prepared_upto_ + 1;
    lock.unlock();
    const auto proceed = [this] {
        const MutexLock guard(mutex_);
        return !stopping_;
    };
    Status status = files_.prepare(number, proceed);
    // Open it now, so that rolling to it finds it open.
    if (status) static_cast<void>(files_.open_file(number));
    lock.lock();
    if (status) {
        prepared_upto_ = number;
        ++stats_.files_prepared;
    }
    prepare_status_ = status;
    ++prepare_attempts_;
    file_wanted_ = false;
    file_ready_.notify_all();
    return status;
}

Status LogWriter::wait_for_file(MutexLock& lock) {
    if (inline_mode()) return prepare_file(lock);
    const std::uint64_t seen = prepare_attempts_;
    while (!next_file_ready()) {
        WALRUS_RETURN_IF_ERROR(state());
        // One whole attempt after we came has failed.
        if (prepare_attempts_ > seen && !prepare_status_) return prepare_status_;
        file_wanted_ = true;
        if (keeper_wake_ != nullptr) keeper_wake_->notify_all();
        file_ready_.wait(lock);
    }
    return {};
}

// As wait_for_file, without waiting: the outcome of the last attempt, and another one is made.
Status LogWriter::ask_for_file(MutexLock& lock) {
    if (inline_mode()) return prepare_file(lock);
    file_wanted_ = true;
    if (keeper_wake_ != nullptr) keeper_wake_->notify_all();
    if (!prepare_status_) return prepare_status_;
    return Error{Errc::kBusy, "log: the next file is not ready yet"};
}

Status LogWriter::reserve(MutexLock& lock, std::uint64_t size, Admission admission) {
    const bool now = admission == Admission::kDataNow && !inline_mode();
    for (;;) {
        WALRUS_RETURN_IF_ERROR(state());
        const std::uint64_t left = staging_.left_in_file();
        const std::uint64_t kept =
            admission == Admission::kControl || next_file_ready() ? 0 : config_.ballast_bytes;
        if (left >= size + kept) {
            if (fits(size)) return {};
            if (now) return refuse_for_space();
            WALRUS_RETURN_IF_ERROR(wait_for_space(lock, size));
            continue;
        }
        if (!next_file_ready()) {
            WALRUS_RETURN_IF_ERROR(now ? ask_for_file(lock) : wait_for_file(lock));
            continue;
        }
        const std::uint64_t rolled = left + kFileHeaderSize + owner_.roll_bytes() + size;
        if (!fits(rolled)) {
            if (now) return refuse_for_space();
            WALRUS_RETURN_IF_ERROR(wait_for_space(lock, rolled));
            continue;
        }
        WALRUS_RETURN_IF_ERROR(roll());
    }
}

Status LogWriter::roll() {
    const std::uint64_t left = current_file_;
    const Result<std::shared_ptr<LogFile>> next = files_.open_file(left + 1);
    if (!next) return next.error();
    const Lsn sealed = staging_.seal(durable());
    staging_.enter_file((*next)->epoch);
    boundaries_.push_back({sealed, staging_.end(), open_group_});
    new_group();
    current_file_ = left + 1;
    owner_.entered_file(left);
    if (keeper_wake_ != nullptr) keeper_wake_->notify_all();
    return {};
}

void LogWriter::new_group() {
    last_appends_ = open_appends_.load(std::memory_order_relaxed);
    last_bytes_ = staged_bytes();
    open_appends_.store(0, std::memory_order_relaxed);
    open_waiters_ = 0;
    ++open_group_;
    ++stats_.groups;
    gate_.open(open_group_);
}

void LogWriter::close_group() {
    staging_.pad_to_block();
    boundaries_.push_back({staging_.end(), staging_.end(), open_group_});
    new_group();
}

Result<bool> LogWriter::make_file_durable(MutexLock& lock, std::uint64_t number) {
    const Lsn end = files_.base(number + 1);
    if (written_ < end) return false;
    if (durable() >= end) return true;
    if (durable() < files_.base(number)) return false;  // Files become durable in order.
    lock.unlock();
    Result<std::shared_ptr<LogFile>> file = files_.open_file(number);
    Status status = file ? (*file)->file->sync_data() : Status(file.error());
    lock.lock();
    if (!status) {
        poison(status.error());
        return status.error();
    }
    ++stats_.syncs;
    advance_durable(end);
    return true;
}

// --- waiting for acknowledgement ---

std::uint64_t LogWriter::staged(bool waits) {
    open_appends_.fetch_add(1, std::memory_order_relaxed);
    if (waits) ++open_waiters_;
    if (ring_.failed()) poison({Errc::kIo, "staging ring: a store could not reach its file"});
    if (inline_mode()) return open_group_;
    if (queue_waiting_) {
        if (piece_worthwhile()) {
            queue_waiting_ = false;
            queue_->wake();
        }
    } else if (!leading_ && !waits && piece_worthwhile()) {
        kick_committer();
    }
    return open_group_;
}

Status LogWriter::wait_acknowledged(MutexLock& lock, std::uint64_t group, Lsn end) {
    WALRUS_RETURN_IF_ERROR(state());
    if (!syncs_every_group()) {
        if (inline_mode() && piece_worthwhile()) work_inline(lock);
        return state();
    }
    if (inline_mode()) return wait_durable(lock, end);
    if (durable() >= end) return {};
    if (!leading_) {
        leading_ = true;
        lead(lock, end);
    } else {
        lock.unlock();
        const GroupGate::Outcome outcome = gate_.wait(group, end);
        if (outcome == GroupGate::Outcome::kDone) return {};
        lock.lock();
        if (outcome == GroupGate::Outcome::kLead) lead(lock, end);
    }
    if (durable() >= end) return {};
    WALRUS_RETURN_IF_ERROR(state());
    return wait_durable(lock, end);
}

Status LogWriter::wait_progress(MutexLock& lock, Lsn end) {
    return syncs_every_group() ? wait_durable(lock, end) : state();
}

Status LogWriter::wait_durable(MutexLock& lock, Lsn end) {
    ++progress_waiters_;
    Status status;
    while (durable() < end && (status = state())) {
        if (inline_mode()) {
            if (!work_inline(lock) && durable() < end && (status = state()))
                status = Error{Errc::kIo, "log: nothing left to write, but not durable"};
            if (!status) break;
            continue;
        }
        if (!leading_) kick_committer();
        progress_.wait(lock);
    }
    --progress_waiters_;
    return durable() >= end ? Status{} : status;
}

Status LogWriter::sync(MutexLock& lock) {
    WALRUS_RETURN_IF_ERROR(state());
    const Lsn target = staging_.end();
    if (durable() >= target) return {};
    sync_target_ = std::max(sync_target_, target);
    if (queue_waiting_) {
        queue_waiting_ = false;
        queue_->wake();
    }
    return wait_durable(lock, target);
}

}  // namespace walrus::wal
