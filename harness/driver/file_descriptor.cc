#include "harness/driver/file_descriptor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

namespace walrus::harness {

Error os_error(std::string_view what, const std::string& path, int error_number) {
    const Errc code = error_number == ENOSPC   ? Errc::kNoSpace
                      : error_number == ENOENT ? Errc::kNotFound
                                               : Errc::kIo;
    return Error{code, fmt::format("cannot {} {}: {}", what, path,
                                   std::generic_category().message(error_number))};
}

void FileDescriptor::reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

Result<FileDescriptor> open_file(const std::string& path, int flags, unsigned mode) {
    FileDescriptor fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
    if (!fd.valid()) return os_error("open", path, errno);
    return fd;
}

Status write_all_at(int fd, Bytes data, std::uint64_t position, const std::string& path) {
    while (!data.empty()) {
        const ssize_t written =
            ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(position));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return os_error("write", path, errno);
        position += static_cast<std::uint64_t>(written);
        data = data.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

Result<std::string> read_whole_file(const std::string& path) {
    auto fd = open_file(path, O_RDONLY);
    if (!fd) return std::move(fd).error();
    std::string text;
    std::array<char, 65536> piece;
    for (;;) {
        const ssize_t got = ::read(fd->get(), piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os_error("read", path, errno);
        if (got == 0) return text;
        text.append(piece.data(), static_cast<std::size_t>(got));
    }
}

Status write_whole_file(const std::string& path, std::string_view text) {
    const std::string temporary = path + ".tmp";
    auto fd = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (!fd) return std::move(fd).error();
    WALRUS_RETURN_IF_ERROR(write_all_at(fd->get(), as_bytes(text), 0, temporary));
    if (std::rename(temporary.c_str(), path.c_str()) != 0) return os_error("create", path, errno);
    return {};
}

}  // namespace walrus::harness
