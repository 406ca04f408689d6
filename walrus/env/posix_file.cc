#include "walrus/env/posix_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <cerrno>
#include <utility>

#include "walrus/env/posix_error.h"

namespace walrus::env {
namespace {

bool is_aligned(Bytes bytes, std::uint64_t position) {
    const auto memory = reinterpret_cast<std::uintptr_t>(bytes.data());
    return memory % kBlockSize == 0 && bytes.size() % kBlockSize == 0 && position % kBlockSize == 0;
}

}  // namespace

PosixFile::PosixFile(UniqueFd fd, std::string path, OpenFlags flags)
    : fd_(std::move(fd)), path_(std::move(path)), flags_(flags) {}

Status PosixFile::check_read(Bytes bytes, std::uint64_t position) const {
    if (flags_.direct && !is_aligned(bytes, position)) {
        return transfer_error(Errc::kInvalidArgument, "direct transfer", path_, position,
                              "position, length or memory is not aligned to a block");
    }
    return {};
}

Status PosixFile::check_write(Bytes bytes, std::uint64_t position) const {
    WALRUS_RETURN_IF_ERROR(check_writable("write"));
    return check_read(bytes, position);
}

Status PosixFile::check_writable(std::string_view what) const {
    if (!flags_.read_only) return {};
    return Error{Errc::kInvalidArgument,
                 std::string(what).append(": ").append(path_).append(": opened read-only")};
}

std::size_t PosixFile::countable(std::size_t done) const {
    return flags_.direct ? align_down(done, kBlockSize) : done;
}

Result<std::size_t> PosixFile::read_at(MutableBytes into, std::uint64_t position) {
    WALRUS_RETURN_IF_ERROR(check_read(into, position));
    std::size_t done = 0;
    while (done < into.size()) {
        const ssize_t n = ::pread(fd(), into.data() + done, into.size() - done,
                                  static_cast<off_t>(position + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return posix_error_at("read", path_, position + done, errno);
        done += static_cast<std::size_t>(n);
        if (ends_at(static_cast<std::size_t>(n))) break;
    }
    return done;
}

Status PosixFile::write_at(Bytes data, std::uint64_t position, Durability durability) {
    WALRUS_RETURN_IF_ERROR(check_write(data, position));
    const int flags = durability == Durability::kData ? RWF_DSYNC : 0;
    for (std::size_t done = 0; done < data.size();) {
        const iovec piece{const_cast<std::byte*>(data.data()) + done, data.size() - done};
        const ssize_t n = ::pwritev2(fd(), &piece, 1, static_cast<off_t>(position + done), flags);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return posix_error_at("write", path_, position + done, errno);
        const std::size_t progress = countable(static_cast<std::size_t>(n));
        if (progress == 0) {
            return transfer_error(Errc::kIo, "write", path_, position + done, "nothing written");
        }
        done += progress;
    }
    return {};
}

Status PosixFile::sync_data() {
    // Not repeated on EINTR either: after any failure only the owner decides what is still true.
    if (::fdatasync(fd()) != 0) return posix_error("sync", path_, errno);
    return {};
}

Status PosixFile::preallocate(std::uint64_t size) {
    WALRUS_RETURN_IF_ERROR(check_writable("preallocate"));
    if (size == 0) return {};
    int rc = 0;
    do {
        rc = ::fallocate(fd(), 0, 0, static_cast<off_t>(size));
    } while (rc != 0 && errno == EINTR);
    if (rc == 0) return {};
    if (errno != EOPNOTSUPP) return posix_error_at("preallocate", path_, size, errno);
    Result<std::uint64_t> present = this->size();
    if (!present) return std::move(present).error();
    return *present < size ? truncate(size) : Status{};
}

Status PosixFile::truncate(std::uint64_t size) {
    WALRUS_RETURN_IF_ERROR(check_writable("truncate"));
    int rc = 0;
    do {
        rc = ::ftruncate(fd(), static_cast<off_t>(size));
    } while (rc != 0 && errno == EINTR);
    if (rc != 0) return posix_error_at("truncate", path_, size, errno);
    return {};
}

Result<std::uint64_t> PosixFile::size() {
    struct stat facts {};
    if (::fstat(fd(), &facts) != 0) return posix_error("size", path_, errno);
    return static_cast<std::uint64_t>(facts.st_size);
}

}  // namespace walrus::env
