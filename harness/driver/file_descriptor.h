// FileDescriptor: owns one descriptor; and the few file calls of the harness, with errors that
// name the path.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"

namespace walrus::harness {

// An error of the operating system: "cannot <what> <path>: <errno text>".  ENOSPC is kNoSpace,
// ENOENT kNotFound, everything else kIo.
Error os_error(std::string_view what, const std::string& path, int error_number);

class FileDescriptor {
public:
    FileDescriptor() = default;
    explicit FileDescriptor(int fd) : fd_(fd) {}
    FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    ~FileDescriptor() { reset(); }

    int get() const { return fd_; }
    bool valid() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }
    void reset();

private:
    int fd_ = -1;
};

// open(2) with O_CLOEXEC added.
Result<FileDescriptor> open_file(const std::string& path, int flags, unsigned mode = 0644);
// Writes all of `data` at `position`.
Status write_all_at(int fd, Bytes data, std::uint64_t position, const std::string& path);
// The whole of a (small) file; /proc and /sys too.
Result<std::string> read_whole_file(const std::string& path);
// Writes `text` to a temporary name and renames it, so that readers see all or nothing.
Status write_whole_file(const std::string& path, std::string_view text);

}  // namespace walrus::harness
