// ReceiveBuffer: what came from a stream and is not yet taken, cut into frames in place.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "walrus/base/bytes.h"
#include "walrus/net/frame_server.h"

namespace walrus::net {

// Blocks of kBlockBytes that go from connection to connection: one that has nothing half received
// needs none, so idle connections cost no memory.
class BlockPool {
public:
    static constexpr std::size_t kBlockBytes = 64 << 10;
    using Block = std::unique_ptr<std::byte[]>;

    Block take();
    void give_back(Block block);

private:
    static constexpr std::size_t kKept = 64;
    std::vector<Block> blocks_;
};

// Frames are views into the buffer.  Memory follows the bytes that really came, never what a length
// claims.  A frame of up to a block is not moved but when it straddles the block's end; a larger
// one is read into a buffer that fits it, which is kept while it is in use.
class ReceiveBuffer {
public:
    enum class Cut : std::uint8_t { kFrame, kNeedMore, kBadLength };

    // The pool outlives the buffer.
    ReceiveBuffer(BlockPool& pool, LengthOrder order, std::uint32_t max_frame_bytes)
        : pool_(pool), order_(order), max_frame_bytes_(max_frame_bytes) {}
    ~ReceiveBuffer() { release(); }
    ReceiveBuffer(const ReceiveBuffer&) = delete;
    ReceiveBuffer& operator=(const ReceiveBuffer&) = delete;

    // Where the next bytes go, at least one; call when every whole frame was taken.  Invalidates
    // frames.
    MutableBytes prepare();
    // `bytes` of what was prepared have come.
    void commit(std::size_t bytes) { end_ += bytes; }

    // The next frame without its length, valid until prepare() or settle().  kBadLength: the length
    // is above the limit; `length()` tells it, and the stream cannot be followed further.
    Cut next(Bytes& frame);
    std::uint32_t length() const { return length_; }
    // For what is taken from now on.
    void set_limit(std::uint32_t max_frame_bytes) { max_frame_bytes_ = max_frame_bytes; }
    // True when next() would find a frame, or a bad length.
    bool has_frame() const;

    // Gives memory back as far as nothing is in it.  A large buffer stays for the next large frame
    // until forget_large() finds it unused since its last call.
    void settle();
    void forget_large();
    // Throws away what is in it; the pool is not needed after this.
    void release();

    std::size_t capacity() const { return capacity_; }
    std::size_t unread() const { return end_ - begin_; }

private:
    static constexpr std::size_t kLengthBytes = 4;

    std::uint32_t peek_length() const;
    void move_to(std::size_t capacity);

    BlockPool& pool_;
    const LengthOrder order_;
    std::uint32_t max_frame_bytes_;
    BlockPool::Block data_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;  // Invariant: begin_ <= end_ <= capacity_.
    std::size_t end_ = 0;
    std::uint32_t length_ = 0;
    bool used_ = false;  // Since the last forget_large().
};

}  // namespace walrus::net
