// FrameDecoder: cuts a byte stream into frames, each a 32-bit length and that many bytes.
//
// Used for the text protocol (little-endian) and for Kafka's (big-endian).
#pragma once

#include <optional>
#include <vector>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"

namespace walrus::protocol {

enum class LengthOrder { kLittleEndian, kBigEndian };

// One thread at a time.  It holds what was fed and not yet taken: take every frame before feeding
// more, and the memory is bounded by one frame and one feed, whatever a length claims.
class FrameDecoder {
public:
    FrameDecoder(LengthOrder order, std::size_t max_frame_bytes)
        : order_(order), max_frame_bytes_(max_frame_bytes) {}

    // Appends bytes as they came from the stream.
    void feed(Bytes bytes);

    // The next whole frame without its length (it may be empty), or nothing: more must be fed.
    // The frame is valid until the next feed().
    //
    // kTooLarge: the length exceeds the limit.  The stream cannot be followed any further: every
    // later call says the same, so close it.
    Result<std::optional<Bytes>> next();

    // True when the stream may end here: no frame has begun.
    bool between_frames() const { return begin_ == buffer_.size(); }

private:
    const LengthOrder order_;
    const std::size_t max_frame_bytes_;
    std::vector<std::byte> buffer_;
    std::size_t begin_ = 0;  // Invariant: begin_ <= buffer_.size(); what is before it was taken.
};

}  // namespace walrus::protocol
