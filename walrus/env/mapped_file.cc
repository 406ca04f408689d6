#include "walrus/env/mapped_file.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "walrus/env/posix_error.h"

namespace walrus::env {
namespace {

constexpr std::uint64_t kLeastMapping = 1 << 20;

}  // namespace

MappedFile::MappedFile(UniqueFd fd, std::string path, OpenFlags flags)
    : file_(std::move(fd), std::move(path), flags) {}

MappedFile::~MappedFile() {
    unmap();
}

Result<std::size_t> MappedFile::read_at(MutableBytes into, std::uint64_t position) {
    return file_.read_at(into, position);
}

Status MappedFile::write_at(Bytes data, std::uint64_t position, Durability durability) {
    WALRUS_RETURN_IF_ERROR(file_.check_write(data, position));
    if (data.empty()) return {};
    const std::uint64_t end = position + data.size();
    {
        const std::shared_lock lock(mutex_);
        if (end <= std::min(size_, mapped_bytes_)) return store(data, position, durability);
    }
    const std::unique_lock lock(mutex_);
    WALRUS_RETURN_IF_ERROR(grow(end));
    return store(data, position, durability);
}

Status MappedFile::sync_data() {
    const std::shared_lock lock(mutex_);
    if (failed_ || (guard_ && guard_->failed())) return posix_error("sync", file_.path(), EIO);
    // Writes back the pages that stores made dirty as well.
    return file_.sync_data();
}

Status MappedFile::preallocate(std::uint64_t size) {
    const std::unique_lock lock(mutex_);
    return grow(size);
}

Status MappedFile::truncate(std::uint64_t size) {
    const std::unique_lock lock(mutex_);
    WALRUS_RETURN_IF_ERROR(file_.truncate(size));
    size_ = size;
    return {};
}

Result<std::uint64_t> MappedFile::size() {
    return file_.size();
}

// Makes [0, size) part of the file and of the mapping.  What is added gets blocks of its own: a
// full disk could refuse a store into a hole only by a signal.
Status MappedFile::grow(std::uint64_t size) {
    const Result<std::uint64_t> present = file_.size();
    if (!present) return present.error();
    size_ = *present;
    if (size_ < size) {
        WALRUS_RETURN_IF_ERROR(file_.preallocate(size));
        size_ = size;
    }
    return mapped_bytes_ < size_ ? remap(size_) : Status{};
}

Status MappedFile::remap(std::uint64_t size) {
    unmap();
    // Doubling keeps a file that grows by small writes from being mapped anew for each.
    const std::uint64_t bytes = align_up(std::max(kLeastMapping, size), kBlockSize) * 2;
    void* got = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.fd(), 0);
    if (got == MAP_FAILED) return posix_error_at("map", file_.path(), size, errno);
    begin_ = static_cast<std::byte*>(got);
    mapped_bytes_ = bytes;
    auto guard = SigbusGuard::cover(begin_, bytes);
    if (!guard) {
        unmap();
        return guard.error();
    }
    guard_ = *std::move(guard);
    return {};
}

Status MappedFile::store(Bytes data, std::uint64_t position, Durability durability) {
    std::memcpy(begin_ + position, data.data(), data.size());
    if (failed_ || guard_->failed()) {
        return posix_error_at("write", file_.path(), position, EIO);
    }
    if (durability == Durability::kNone) return {};
    const std::uint64_t page = align_down(position, kBlockSize);
    if (::msync(begin_ + page, position + data.size() - page, MS_SYNC) != 0) {
        return posix_error_at("write", file_.path(), position, errno);
    }
    return {};
}

void MappedFile::unmap() {
    if (guard_ && guard_->failed()) failed_ = true;
    guard_.reset();
    if (begin_ != nullptr) ::munmap(begin_, mapped_bytes_);
    begin_ = nullptr;
    mapped_bytes_ = 0;
}

}  // namespace walrus::env
