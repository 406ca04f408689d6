// ReplyQueue: replies in the order of their requests, and how much of them was sent.
#pragma once

#include <cstdint>
#include <span>

#include "walrus/base/bytes.h"
#include "walrus/base/ring_queue.h"
#include "walrus/net/connection_handler.h"

namespace walrus::net {

// Requests are numbered from 0 in the order in which they are added.
class ReplyQueue {
public:
    std::uint64_t add();

    // An unknown request, or one that was cut off, is ignored.
    void complete(std::uint64_t request, Reply reply);
    void reserve(std::uint64_t request, std::uint64_t bytes);
    // Forgets every request behind this one.
    void cut_after(std::uint64_t request);

    // Fills `pieces` with what can be sent now, in order; returns how many, 0: nothing can.
    std::size_t gather(std::span<Bytes> pieces) const;
    // So many bytes of what gather() gave were sent.
    void consume(std::uint64_t bytes);

    bool empty() const { return slots_.empty(); }
    std::size_t unanswered() const { return unanswered_; }
    // Of replies that are complete, also behind one that is not.
    std::uint64_t unsent_bytes() const { return unsent_bytes_; }
    std::uint64_t reserved_bytes() const { return reserved_bytes_; }

private:
    struct Slot {
        Reply reply;
        std::uint64_t size_bytes = 0;
        std::uint64_t reserved_bytes = 0;  // Until it is answered.
        bool answered = false;
    };

    Slot* find(std::uint64_t request);
    void drop_sent();

    mutable RingQueue<Slot> slots_;  // operator[] is not const.
    std::uint64_t first_ = 0;        // Number of the first slot.
    std::uint64_t sent_bytes_ = 0;   // Of the first slot's reply.
    std::size_t unanswered_ = 0;
    std::uint64_t unsent_bytes_ = 0;
    std::uint64_t reserved_bytes_ = 0;
};

}  // namespace walrus::net
