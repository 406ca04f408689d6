// The writing half of LogWriter: which piece is next, who writes it, and what follows from it.
#include <algorithm>
#include <thread>
#include <utility>

#include "walrus/wal/log_writer.h"

namespace walrus::wal {
namespace {

// One transfer at most.  Larger ones gain nothing; smaller ones keep the queue busy.
constexpr std::uint64_t kMaxPiece = 1 << 20;
// Below this a class that does not wait for the disk keeps staging.
constexpr std::uint64_t kWriteUnit = 1 << 20;
// A second group is put in flight only when this much is staged: for closed-loop writers every
// further group costs a flush of its own (machine limits: -20 % at 10 writers).
constexpr std::uint64_t kLargeGroup = 96 << 10;
constexpr std::size_t kGroupsInFlight = 2;
constexpr std::size_t kCallbacksAtOnce = 64;
constexpr std::size_t kPiecesInFlight = 4;
// How long a leader waits for the members of the last group to come back: while they keep coming,
// and not longer than a flush takes.
constexpr std::uint64_t kArrivalGapNs = 30'000;
constexpr std::uint64_t kGatherNs = 150'000;

}  // namespace

// --- which piece ---

bool LogWriter::piece_worthwhile() const {
    if (failed_) return false;
    const bool empty = staged_bytes() == 0 && boundaries_.empty();
    if (empty) return false;
    if (syncs_every_group()) {
        if (in_flight_.empty()) return true;
        return in_flight_.size() < kGroupsInFlight &&
               (!boundaries_.empty() || staged_bytes() >= kLargeGroup);
    }
    if (in_flight_.size() >= kPiecesInFlight) return false;
    if (!boundaries_.empty() || sync_target_ > submitted_) return true;
    const std::uint64_t whole_blocks =
        align_down(staging_.end().value, env::kBlockSize) - submitted_.value;
    // Somebody wants room and nothing under way will make any.
    const bool wanted = space_waiters_ > 0 || room_wanted_;
    if (wanted && in_flight_.empty() && whole_blocks > 0) return true;
    return whole_blocks >= kWriteUnit;
}

std::unique_ptr<LogWriter::Piece> LogWriter::next_piece() {
    if (!piece_worthwhile()) return nullptr;
    room_wanted_ = false;
    if (boundaries_.empty() && (syncs_every_group() || sync_target_ > submitted_)) close_group();

    Boundary limit;
    if (boundaries_.empty()) {
        const Lsn whole_blocks{align_down(staging_.end().value, env::kBlockSize)};
        limit = {whole_blocks, whole_blocks, 0};
        new_group();
    } else {
        limit = boundaries_.front();
    }
    std::unique_ptr<Piece> piece;
    if (free_pieces_.empty()) {
        piece = std::make_unique<Piece>();
    } else {
        piece = std::move(free_pieces_.back());
        free_pieces_.pop_back();
    }
    const bool whole = limit.end - submitted_ <= kMaxPiece;
    piece->begin = submitted_;
    piece->end = whole ? limit.end : submitted_ + kMaxPiece;
    piece->next_begin = whole ? limit.next_begin : piece->end;
    piece->group = whole ? limit.group : 0;
    piece->done = false;
    submitted_ = piece->next_begin;
    if (whole && !boundaries_.empty()) boundaries_.pop_front();
    return piece;
}

// Opens the file; without the lock, for that may touch the disk.
Status LogWriter::begin_piece(Piece& piece) {
    const std::uint64_t number = files_.number_of(piece.begin);
    if (piece.file == nullptr || piece.file->number != number) {
        Result<std::shared_ptr<LogFile>> file = files_.open_file(number);
        if (!file) return file.error();
        piece.file = std::move(*file);
    }
    env::IoRequest& request = piece.request;
    request.kind = env::IoRequest::Kind::kWrite;
    request.file = piece.file->file.get();
    request.bytes = {staging_.at(piece.begin), piece.end - piece.begin};
    request.position = piece.begin.value % files_.config().file_size;
    request.durability = syncs_every_group() ? env::Durability::kData : env::Durability::kNone;
    request.status = {};
    return {};
}

// --- what follows ---

void LogWriter::finish_piece(Piece& piece, const Status& status) {
    piece.done = true;
    if (!status) {
        poison(status.error());
    } else if (piece.end > piece.begin) {
        ++stats_.writes;
        stats_.written_bytes += piece.end - piece.begin;
        if (syncs_every_group()) ++stats_.syncs;
    }
    retire_done_pieces();
}

void LogWriter::retire_done_pieces() {
    const std::uint64_t file_before = files_.number_of(written_);
    bool moved = false;
    while (!in_flight_.empty() && in_flight_.front()->done) {
        std::unique_ptr<Piece> piece = std::move(in_flight_.front());
        in_flight_.pop_front();
        if (!failed_) {
            moved = true;
            written_ = piece->next_begin;
            if (syncs_every_group() && written_ > durable()) gate_.advance(written_);
            if (piece->group != 0) {
                gate_.finish(piece->group);
                finished_upto_ = piece->group + 1;
            }
        }
        free_pieces_.push_back(std::move(piece));
    }
    if (!moved) return;
    owner_.progressed();
    deliver_due_ = true;
    if (space_waiters_ > 0) space_.notify_all();
    if (progress_waiters_ > 0) progress_.notify_all();
    if (files_.number_of(written_) != file_before && keeper_wake_ != nullptr)
        keeper_wake_->notify_all();
}

void LogWriter::advance_durable(Lsn upto) {
    if (upto <= durable()) return;
    gate_.advance(upto);
    owner_.progressed();
    if (progress_waiters_ > 0) progress_.notify_all();
}

void LogWriter::poison(const Error& cause) {
    if (failed_) return;
    failed_ = cause;
    gate_.fail();
    space_.notify_all();
    progress_.notify_all();
    file_ready_.notify_all();
    owner_.poisoned(cause);
}

// --- who writes ---

// Lets the members of the last group come back before the next group is closed.  A lone writer
// finds itself already here, so it never waits.
void LogWriter::gather(MutexLock& lock) {
    if (inline_mode() || !syncs_every_group() || failed_) return;
    std::uint64_t expected = last_appends_;
    // Where nobody sleeps for this group it need not be whole: what comes later goes into the
    // second group, and the device has work meanwhile.
    if (open_waiters_ == 0 && last_bytes_ > kLargeGroup)
        expected = expected * kLargeGroup / last_bytes_;
    if (open_appends_.load(std::memory_order_relaxed) >= expected) return;
    lock.unlock();
    const std::uint64_t began = config_.clock->monotonic_ns();
    std::uint64_t last_arrival = began;
    std::uint64_t seen = 0;
    for (;;) {
        std::this_thread::yield();
        const std::uint64_t here = open_appends_.load(std::memory_order_relaxed);
        const std::uint64_t now = config_.clock->monotonic_ns();
        if (here >= expected || now - began > kGatherNs) break;
        if (here != seen) {
            seen = here;
            last_arrival = now;
        } else if (now - last_arrival > kArrivalGapNs) {
            break;
        }
    }
    lock.lock();
}

bool LogWriter::write_one_piece(MutexLock& lock) {
    std::unique_ptr<Piece> taken = next_piece();
    if (taken == nullptr) return false;
    Piece& piece = *taken;
    in_flight_.push_back(std::move(taken));
    lock.unlock();
    Status status = begin_piece(piece);
    if (status && piece.end > piece.begin)
        status = piece.request.file->write_at(piece.request.bytes, piece.request.position,
                                              piece.request.durability);
    lock.lock();
    finish_piece(piece, status);
    return true;
}

// The caller has set leading_, or was offered the lead.
void LogWriter::lead(MutexLock& lock, Lsn until) {
    while (durable() < until && !failed_ && !stopping_) {
        gather(lock);
        if (!write_one_piece(lock)) break;
    }
    hand_over();
    wake_finished(lock);
}

void LogWriter::hand_over() {
    if (syncs_every_group() && open_waiters_ > 0 && boundaries_.empty() && !failed_ && !stopping_) {
        gate_.offer_lead(open_group_);  // leading_ stays set, on behalf of whoever takes it.
        return;
    }
    leading_ = false;
    if (piece_worthwhile()) kick_committer();
}

// `meanwhile`: the caller's queue, to which more may be submitted between callbacks.
void LogWriter::wake_finished(MutexLock& lock, env::IoQueue* meanwhile) {
    const std::uint64_t from = finished_from_;
    const std::uint64_t upto = finished_upto_;
    finished_from_ = upto;
    if (!syncs_every_group() || (from >= upto && !deliver_due_)) return;
    deliver_due_ = false;
    lock.unlock();
    for (std::uint64_t group = from; group < upto; ++group) gate_.wake(group);
    // While a long row of callbacks runs, producers stage what the device could be writing.
    while (owner_.deliver(kCallbacksAtOnce)) {
        if (meanwhile == nullptr) continue;
        lock.lock();
        if (staged_bytes() >= kLargeGroup) submit_pieces(lock, *meanwhile);
        lock.unlock();
    }
    lock.lock();
}

void LogWriter::submit_pieces(MutexLock& lock, env::IoQueue& queue) {
    while (in_flight_.size() < queue.depth()) {
        std::unique_ptr<Piece> taken = next_piece();
        if (taken == nullptr) return;
        Piece& piece = *taken;
        in_flight_.push_back(std::move(taken));
        lock.unlock();
        const Status status = begin_piece(piece);
        const bool transfer = status && piece.end > piece.begin;
        if (transfer) queue.submit(piece.request);
        lock.lock();
        if (!transfer) finish_piece(piece, status);
    }
}

void LogWriter::finish_request(const env::IoRequest& request) {
    Piece* piece = nullptr;
    for (std::size_t i = 0; i < in_flight_.size(); ++i)
        if (&in_flight_[i]->request == &request) piece = in_flight_[i].get();
    WALRUS_ASSERT(piece != nullptr);
    finish_piece(*piece, request.status);
}

// Writes through the queue, several pieces in flight, until there is nothing worth writing.
void LogWriter::pump_queue(MutexLock& lock) {
    while (!stopping_) {
        if (in_flight_.empty()) gather(lock);
        submit_pieces(lock, *queue_);
        check_interval();
        sync_files(lock);
        if (in_flight_.empty()) break;
        queue_waiting_ = true;
        lock.unlock();
        env::IoRequest* request = queue_->complete(true);
        lock.lock();
        queue_waiting_ = false;
        for (; request != nullptr; request = queue_->complete(false)) finish_request(*request);
        wake_finished(lock, queue_.get());
    }
    // Nothing may complete into pieces that are gone.
    std::size_t left = 0;
    for (std::size_t i = 0; i < in_flight_.size(); ++i) left += in_flight_[i]->done ? 0 : 1;
    while (left > 0)
        if (queue_->complete(true) != nullptr) --left;
    in_flight_.clear();
}

// --- the driver ---

Status LogWriter::attach_driver(env::IoQueue& queue, std::function<void()> wake) {
    if (driver_ != nullptr) return Error{Errc::kBusy, "log: it has a driver"};
    driver_ = &queue;
    driver_wake_ = std::move(wake);
    driver_woken_ = false;
    if (!leading_ && piece_worthwhile()) kick_committer();
    return {};
}

// The lead is the driver's from its first submission until nothing is in flight.
void LogWriter::drive(MutexLock& lock) {
    driver_woken_ = false;
    if (!driver_leads_) {
        if (leading_ || stopping_ || !piece_worthwhile()) return;
        leading_ = driver_leads_ = true;
    }
    for (bool moved = true; moved;) {
        moved = false;
        while (const env::IoRequest* request = driver_->complete(false)) {
            finish_request(*request);
            moved = true;
        }
        if (!stopping_) submit_pieces(lock, *driver_);
        wake_finished(lock, driver_);
    }
    if (!in_flight_.empty()) return;
    driver_leads_ = false;
    hand_over();
}

void LogWriter::detach_driver(MutexLock& lock) {
    while (driver_leads_) {
        lock.unlock();
        const env::IoRequest* request = driver_->complete(true);
        lock.lock();
        if (request != nullptr) finish_request(*request);
        drive(lock);
    }
    driver_ = nullptr;
    driver_wake_ = nullptr;
    if (!leading_ && piece_worthwhile()) kick_committer();
}

void LogWriter::check_interval() {
    if (config_.durability != DurabilityClass::kOsInterval) return;
    const std::uint64_t now = config_.clock->monotonic_ns();
    if (now < next_interval_ns_) return;
    next_interval_ns_ = now + config_.sync_interval_ms * 1'000'000;
    sync_target_ = std::max(sync_target_, staging_.end());
}

// Syncs what the classes other than `disk` have written, once it reaches the target.
void LogWriter::sync_files(MutexLock& lock) {
    if (syncs_every_group() || !sync_due() || written_ < sync_target_) return;
    const Lsn upto = written_;
    const std::uint64_t first = files_.number_of(durable());
    const std::uint64_t last = files_.number_of(Lsn{upto.value - 1});
    lock.unlock();
    Status status;
    for (std::uint64_t number = first; number <= last && status; ++number) {
        const Result<std::shared_ptr<LogFile>> file = files_.open_file(number);
        status = file ? (*file)->file->sync_data() : Status(file.error());
    }
    lock.lock();
    if (!status) return poison(status.error());
    stats_.syncs += last - first + 1;
    advance_durable(upto);
}

void LogWriter::kick_committer() {
    if (driver_ != nullptr) {
        if (!std::exchange(driver_woken_, true)) driver_wake_();
        return;
    }
    if (!committer_idle_) return;
    committer_idle_ = false;
    committer_wake_.notify_one();
}

void LogWriter::run_committer() {
    MutexLock lock(mutex_);
    while (!stopping_) {
        check_interval();
        const bool due = !failed_ && (piece_worthwhile() || sync_due());
        if (!leading_ && driver_ == nullptr && due) {
            leading_ = true;
            if (queue_ != nullptr) {
                pump_queue(lock);
            } else {
                gather(lock);
                write_one_piece(lock);
                wake_finished(lock);
            }
            sync_files(lock);
            hand_over();
            continue;
        }
        committer_idle_ = true;
        if (config_.durability == DurabilityClass::kOsInterval)
            committer_wake_.wait_for(lock, config_.sync_interval_ms);
        else
            committer_wake_.wait(lock);
        committer_idle_ = false;
    }
}

bool LogWriter::work_inline(MutexLock& lock) {
    check_interval();
    if (write_one_piece(lock)) {
        wake_finished(lock);
        sync_files(lock);
        return true;
    }
    const Lsn before = durable();
    sync_files(lock);
    return durable() > before;
}

}  // namespace walrus::wal
