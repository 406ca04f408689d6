// InlineQueue: an IoQueue for any File, which does each transfer inside submit().
#pragma once

#include "walrus/base/ring_queue.h"
#include "walrus/env/env.h"

namespace walrus::env {

// Runs the transfer through the file itself and notes its outcome in the request.
void run_transfer(IoRequest& request);

// Depth 1 in effect: nothing is ever in flight between calls.  The rules of threads are those of
// the files.
class InlineQueue final : public IoQueue {
public:
    explicit InlineQueue(std::size_t depth) : depth_(depth) {}

    std::size_t depth() const override { return depth_; }
    void submit(IoRequest& request) override;
    IoRequest* complete(bool block) override;
    void wake() override {}  // Nothing here ever waits.

private:
    const std::size_t depth_;
    RingQueue<IoRequest*> done_;  // Completed and not yet returned.
};

}  // namespace walrus::env
