#include "walrus/env/mirror_mapping.h"

#include <sys/mman.h>

#include <cerrno>
#include <utility>

#include "walrus/env/posix_error.h"

namespace walrus::env {

Result<MirrorMapping> MirrorMapping::map(int fd, std::size_t size_bytes) {
    void* reserved = ::mmap(nullptr, 2 * size_bytes, PROT_NONE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) return posix_error("map", "reserve addresses", errno);
    MirrorMapping mapping(static_cast<std::byte*>(reserved), size_bytes);
    for (std::size_t half = 0; half < 2; ++half) {
        void* at = mapping.begin_ + half * size_bytes;
        if (::mmap(at, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) ==
            MAP_FAILED) {
            return posix_error("map", "ring", errno);
        }
    }
    return mapping;
}

MirrorMapping::MirrorMapping(MirrorMapping&& from) noexcept
    : begin_(std::exchange(from.begin_, nullptr)), size_(from.size_) {}

MirrorMapping::~MirrorMapping() {
    if (begin_ != nullptr) ::munmap(begin_, 2 * size_);
}

}  // namespace walrus::env
