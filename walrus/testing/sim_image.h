// SimImage: the bytes of a simulated file.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "walrus/base/bytes.h"

namespace walrus::testing {

// Copies share their blocks until one of them is written, so that a test can take a crash image at
// every operation.  Blocks never written read as zero and cost nothing.  One thread at a time;
// images that share blocks may be used by different threads.
class SimImage {
public:
    SimImage();
    SimImage(const SimImage& from);
    SimImage& operator=(const SimImage& from);

    std::uint64_t size() const { return size_; }
    // Returns the bytes read, fewer only at the end.
    std::size_t read(MutableBytes into, std::uint64_t position) const;
    // Extends the image when the range reaches past its end.
    void write(Bytes data, std::uint64_t position);
    // New bytes read as zero.
    void resize(std::uint64_t size);

private:
    struct Block {
        std::uint64_t owner;
        std::array<std::byte, 4096> bytes;
    };

    std::byte* writable_block(std::uint64_t index);

    // Only blocks that carry it may be changed in place.  Both sides of a copy get a new one, so
    // that what they share belongs to neither.
    mutable std::uint64_t token_;
    std::uint64_t size_ = 0;
    std::vector<std::shared_ptr<Block>> blocks_;  // Null: zeros.  Invariant: the bytes past the end
                                                  // in the last block are zero.
};

}  // namespace walrus::testing
