// MirrorMapping: one file mapped twice in a row, so that a range that wraps is contiguous.
#pragma once

#include <cstddef>

#include "walrus/base/result.h"

namespace walrus::env {

// Owns the addresses [begin, begin + 2 * size): two shared, writable views of [0, size) of a file.
class MirrorMapping {
public:
    // `size_bytes` must be a multiple of the page size.  The descriptor may be closed afterwards.
    static Result<MirrorMapping> map(int fd, std::size_t size_bytes);

    MirrorMapping(MirrorMapping&& from) noexcept;
    MirrorMapping& operator=(MirrorMapping&&) = delete;
    ~MirrorMapping();

    std::byte* begin() const { return begin_; }
    std::size_t size() const { return size_; }  // Of one view.

private:
    MirrorMapping(std::byte* begin, std::size_t size_bytes) : begin_(begin), size_(size_bytes) {}

    std::byte* begin_;  // Null after a move.
    const std::size_t size_;
};

}  // namespace walrus::env
