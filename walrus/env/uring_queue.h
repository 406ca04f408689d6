// UringQueue: an IoQueue on io_uring.
#pragma once

#include <liburing.h>

#include <memory>

#include "walrus/env/inline_queue.h"
#include "walrus/env/posix_file.h"
#include "walrus/env/unique_fd.h"

namespace walrus::env {

// Short transfers are continued and interrupted ones repeated inside the queue; the caller sees
// neither.  The kernel may give up what a thread has in flight when the thread ends; complete()
// starts it again.  Files that have no descriptor to transfer by (mapped ones) are served inside
// submit().
class UringQueue final : public IoQueue {
public:
    // kUnsupported: the kernel offers no io_uring (ENOSYS, EPERM, ENOMEM, ...).
    static Result<std::unique_ptr<IoQueue>> open(std::size_t depth);
    ~UringQueue() override;
    UringQueue(const UringQueue&) = delete;
    UringQueue& operator=(const UringQueue&) = delete;

    std::size_t depth() const override { return depth_; }
    void submit(IoRequest& request) override;
    IoRequest* complete(bool block) override;
    void wake() override;
    int event_fd() const override { return ring_.ring_fd; }

private:
    explicit UringQueue(std::size_t depth) : depth_(depth) {}

    // Hands the untransferred rest of `request` to the kernel.
    void start(IoRequest& request);
    // Notes what the kernel did; false when the request was started again for its rest.
    bool finish(IoRequest& request, int result);
    // Moves queued entries to the kernel; those it cannot take now stay queued.
    void flush();
    // Lets the kernel watch for the next wake().
    void watch_for_wake();
    void note_wake(int result);

    const std::size_t depth_;
    io_uring ring_{};
    std::size_t in_kernel_ = 0;   // Started and not completed.
    RingQueue<IoRequest*> done_;  // Completed inside submit().
    UniqueFd wake_event_;         // An eventfd that wake() adds to.
    bool watching_ = false;       // The kernel watches the event.
    bool woken_ = false;          // A wake() that no complete(true) has answered yet.
};

}  // namespace walrus::env
