#include "walrus/env/inline_queue.h"

namespace walrus::env {

void run_transfer(IoRequest& request) {
    request.transferred = 0;
    request.status = {};
    switch (request.kind) {
        case IoRequest::Kind::kRead: {
            Result<std::size_t> read = request.file->read_at(request.bytes, request.position);
            if (read) {
                request.transferred = *read;
            } else {
                request.status = std::move(read).error();
            }
            break;
        }
        case IoRequest::Kind::kWrite:
            request.status =
                request.file->write_at(request.bytes, request.position, request.durability);
            if (request.status) request.transferred = request.bytes.size();
            break;
    }
}

void InlineQueue::submit(IoRequest& request) {
    WALRUS_ASSERT(done_.size() < depth_);
    run_transfer(request);
    done_.push_back(&request);
}

IoRequest* InlineQueue::complete(bool /*block*/) {
    if (done_.empty()) return nullptr;
    IoRequest* request = done_.front();
    done_.pop_front();
    return request;
}

}  // namespace walrus::env
