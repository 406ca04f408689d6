#include "walrus/env/posix_ring.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "walrus/env/mirror_mapping.h"
#include "walrus/env/posix_error.h"
#include "walrus/env/posix_file.h"
#include "walrus/env/sigbus_guard.h"
#include "walrus/env/unique_fd.h"

namespace walrus::env {
namespace {

// Reserves blocks without changing the length, so that a crash while zeroing leaves a short file,
// which the next mapping zeroes on from its end.
Status reserve(const PosixFile& file, std::uint64_t size_bytes) {
    int rc = 0;
    do {
        rc = ::fallocate(file.fd(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size_bytes));
    } while (rc != 0 && errno == EINTR);
    if (rc == 0 || errno == EOPNOTSUPP) return {};
    return posix_error_at("map", file.path(), size_bytes, errno);
}

Status write_zeros(PosixFile& file, std::uint64_t from, std::uint64_t to) {
    const std::vector<std::byte> zeros(std::min<std::uint64_t>(to - from, 1 << 20));
    while (from < to) {
        const std::uint64_t piece = std::min<std::uint64_t>(to - from, zeros.size());
        WALRUS_RETURN_IF_ERROR(file.write_at(Bytes(zeros).first(piece), from, Durability::kNone));
        from += piece;
    }
    return {};
}

Status fit(PosixFile& file, std::uint64_t size_bytes) {
    const Result<std::uint64_t> present = file.size();
    if (!present) return present.error();
    if (*present == size_bytes) return {};
    if (*present > size_bytes) return file.truncate(size_bytes);
    Status grown = reserve(file, size_bytes);
    if (grown) grown = write_zeros(file, *present, size_bytes);
    // Gives the space back: a full disk must not stay full because of a ring that cannot be used.
    if (!grown) static_cast<void>(file.truncate(*present));
    return grown;
}

class PosixRing final : public MappedRing {
public:
    PosixRing(MirrorMapping mapping, std::unique_ptr<SigbusGuard> guard)
        : mapping_(std::move(mapping)), guard_(std::move(guard)) {}

    std::byte* data() override { return mapping_.begin(); }
    std::uint64_t size() const override { return mapping_.size(); }
    bool failed() const override { return guard_->failed(); }

private:
    const MirrorMapping mapping_;
    const std::unique_ptr<SigbusGuard> guard_;  // Goes first: it covers the mapping.
};

// Makes every page present and writable now, so that a store on the append path neither waits for
// a page nor is the first to learn of a failing disk.
Status populate(const std::string& path, std::byte* begin, std::size_t size_bytes,
                const SigbusGuard& guard) {
#ifdef MADV_POPULATE_WRITE
    constexpr int kPopulateWrite = MADV_POPULATE_WRITE;
#else
    constexpr int kPopulateWrite = 23;  // Linux 5.14; the headers of this system are older.
#endif
    int rc = 0;
    do {
        rc = ::madvise(begin, size_bytes, kPopulateWrite);
    } while (rc != 0 && (errno == EINTR || errno == EAGAIN));
    if (rc == 0) return {};
    if (errno != EINVAL) return posix_error("populate", path, errno);
    for (std::size_t at = 0; at < size_bytes; at += kBlockSize) {
        volatile std::byte* page = begin + at;
        *page = *page;
    }
    return guard.failed() ? Status{posix_error("populate", path, EIO)} : Status{};
}

}  // namespace

Result<std::unique_ptr<MappedRing>> map_posix_ring(const std::string& path,
                                                   std::uint64_t size_bytes) {
    if (size_bytes == 0 || size_bytes % kBlockSize != 0) {
        return Error{Errc::kInvalidArgument, "map: " + path + ": size is not a multiple of blocks"};
    }
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!fd.valid()) return posix_error("map", path, errno);
    PosixFile file(std::move(fd), path, {});
    WALRUS_RETURN_IF_ERROR(fit(file, size_bytes));
    Result<MirrorMapping> mapping = MirrorMapping::map(file.fd(), size_bytes);
    if (!mapping) return Error{mapping.error().code, mapping.error().message + ": " + path};
    auto guard = SigbusGuard::cover(mapping->begin(), 2 * size_bytes);
    if (!guard) return guard.error();
    WALRUS_RETURN_IF_ERROR(populate(path, mapping->begin(), 2 * size_bytes, **guard));
    return std::unique_ptr<MappedRing>(
        std::make_unique<PosixRing>(*std::move(mapping), *std::move(guard)));
}

}  // namespace walrus::env
