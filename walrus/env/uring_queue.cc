#include "walrus/env/uring_queue.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <thread>
#include <utility>

#include "walrus/env/piece_outcome.h"
#include "walrus/env/posix_error.h"

namespace walrus::env {
namespace {

constexpr std::size_t kMaxDepth = 4096;
constexpr std::size_t kMaxPiece = std::size_t{1} << 30;  // Lengths of io_uring have 32 bits.

bool is_write(const IoRequest& request) {
    return request.kind == IoRequest::Kind::kWrite;
}

PosixFile* posix_file(const IoRequest& request) {
    return dynamic_cast<PosixFile*>(request.file);
}

}  // namespace

Result<std::unique_ptr<IoQueue>> UringQueue::open(std::size_t depth) {
    if (depth == 0 || depth > kMaxDepth) {
        return Error{Errc::kInvalidArgument, "io_uring: depth " + std::to_string(depth)};
    }
    std::unique_ptr<UringQueue> queue(new UringQueue(depth));
    // One entry more than requests, for the wake event.
    const int rc = ::io_uring_queue_init(static_cast<unsigned>(depth + 1), &queue->ring_, 0);
    if (rc < 0) {
        queue->ring_.ring_fd = -1;
        return Error{Errc::kUnsupported, posix_error("io_uring", "setup", -rc).message};
    }
    queue->wake_event_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!queue->wake_event_.valid()) {
        return Error{Errc::kUnsupported, posix_error("io_uring", "eventfd", errno).message};
    }
    return std::unique_ptr<IoQueue>(std::move(queue));
}

UringQueue::~UringQueue() {
    if (ring_.ring_fd < 0) return;
    while (in_kernel_ + done_.size() > 0) complete(true);
    ::io_uring_queue_exit(&ring_);
}

void UringQueue::submit(IoRequest& request) {
    WALRUS_ASSERT(in_kernel_ + done_.size() < depth_);
    PosixFile* file = posix_file(request);
    if (file == nullptr || request.bytes.empty()) {
        run_transfer(request);
        done_.push_back(&request);
        return;
    }
    request.transferred = 0;
    request.status = is_write(request) ? file->check_write(request.bytes, request.position)
                                       : file->check_read(request.bytes, request.position);
    if (!request.status) {
        done_.push_back(&request);
        return;
    }
    ++in_kernel_;
    start(request);
}

void UringQueue::start(IoRequest& request) {
    io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
    WALRUS_ASSERT(entry != nullptr);  // As many entries as requests may be in flight.
    const int fd = static_cast<const PosixFile*>(request.file)->fd();
    const MutableBytes rest = request.bytes.subspan(request.transferred);
    const auto length = static_cast<unsigned>(std::min(rest.size(), kMaxPiece));
    const std::uint64_t position = request.position + request.transferred;
    if (is_write(request)) {
        ::io_uring_prep_write(entry, fd, rest.data(), length, position);
        entry->rw_flags = request.durability == Durability::kData ? RWF_DSYNC : 0;
    } else {
        ::io_uring_prep_read(entry, fd, rest.data(), length, position);
    }
    ::io_uring_sqe_set_data(entry, &request);
    flush();
    // With nothing else in flight no event would make anybody try again.
    while (in_kernel_ == 1 && ::io_uring_sq_ready(&ring_) > 0) {
        std::this_thread::yield();
        flush();
    }
}

void UringQueue::flush() {
    int rc = 0;
    do {
        rc = ::io_uring_submit(&ring_);
    } while (rc == -EINTR);
    // Short of memory or of completion room: complete() makes room and tries again.
    WALRUS_ASSERT(rc >= 0 || rc == -EAGAIN || rc == -EBUSY || rc == -ENOMEM);
}

IoRequest* UringQueue::complete(bool block) {
    for (;;) {
        if (!done_.empty()) {
            IoRequest* request = done_.front();
            done_.pop_front();
            return request;
        }
        if (in_kernel_ == 0) return nullptr;
        if (::io_uring_sq_ready(&ring_) > 0) flush();
        io_uring_cqe* entry = nullptr;
        if (::io_uring_peek_cqe(&ring_, &entry) != 0) {
            if (!block) return nullptr;
            if (std::exchange(woken_, false)) return nullptr;
            if (!watching_) watch_for_wake();
            // What the kernel has not taken does not complete: then look again instead of waiting.
            if (::io_uring_sq_ready(&ring_) > 0) {
                std::this_thread::yield();
                continue;
            }
            const int rc = ::io_uring_wait_cqe(&ring_, &entry);
            if (rc == -EINTR || rc == -EAGAIN) continue;
            WALRUS_ASSERT(rc == 0);
        }
        void* tag = ::io_uring_cqe_get_data(entry);
        const int result = entry->res;
        ::io_uring_cqe_seen(&ring_, entry);
        if (tag == this) {
            note_wake(result);
            continue;
        }
        auto* request = static_cast<IoRequest*>(tag);
        if (finish(*request, result)) {
            --in_kernel_;
            return request;
        }
    }
}

// Only the thread that waits asks for it: the kernel runs the watch in the thread that asked, and
// drops it when that thread ends.
void UringQueue::watch_for_wake() {
    io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
    WALRUS_ASSERT(entry != nullptr);
    ::io_uring_prep_poll_add(entry, wake_event_.get(), POLLIN);
    ::io_uring_sqe_set_data(entry, this);
    watching_ = true;
    flush();
}

void UringQueue::note_wake(int result) {
    watching_ = false;
    if (result < 0) return;
    std::uint64_t wakes = 0;
    if (::read(wake_event_.get(), &wakes, sizeof wakes) > 0) woken_ = true;
}

void UringQueue::wake() {
    const std::uint64_t one = 1;
    // The counter cannot overflow, so the only failure is an interruption before any effect.
    while (::write(wake_event_.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
}

bool UringQueue::finish(IoRequest& request, int result) {
    const auto* file = static_cast<const PosixFile*>(request.file);
    const std::uint64_t position = request.position + request.transferred;
    const char* what = is_write(request) ? "write" : "read";
    const PieceOutcome outcome =
        outcome_of_piece(*file, request.kind, request.bytes.size() - request.transferred, result);
    request.transferred += outcome.moved;
    switch (outcome.next) {
        case PieceOutcome::Next::kDone: break;
        case PieceOutcome::Next::kGoOn: start(request); return false;
        case PieceOutcome::Next::kStuck:
            request.status =
                transfer_error(Errc::kIo, what, file->path(), position, "nothing written");
            break;
        case PieceOutcome::Next::kFail:
            request.status = posix_error_at(what, file->path(), position, -result);
            break;
    }
    return true;
}

}  // namespace walrus::env
