// FrameQueue: frames that wait to be sent, as pieces for one gathered write.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>

#include "walrus/base/bytes.h"

namespace walrus::net {

// Small pieces are packed together, large ones are kept as they are, so a payload is not copied and
// a burst of small frames costs few pieces.
class FrameQueue {
public:
    // Behind what is there.
    void push(std::string piece);

    bool empty() const { return bytes_ == 0; }
    std::uint64_t bytes() const { return bytes_; }
    // The first pieces, as far as `pieces` reaches; valid until the queue changes.
    std::size_t gather(std::span<Bytes> pieces) const;
    // So many bytes of what was gathered are sent.
    void consume(std::uint64_t bytes);
    void clear();

private:
    static constexpr std::size_t kPackedBytes = 4 << 10;  // Of packed pieces together.
    static constexpr std::size_t kSmallBytes = 1 << 10;

    std::deque<std::string> pieces_;  // Invariant: none is empty.
    std::size_t sent_ = 0;            // Of the first piece.
    std::uint64_t bytes_ = 0;
};

}  // namespace walrus::net
