#include "walrus/env/posix_env.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "walrus/env/inline_queue.h"
#include "walrus/env/mapped_file.h"
#include "walrus/env/posix_error.h"
#include "walrus/env/posix_file.h"
#include "walrus/env/posix_ring.h"
#include "walrus/env/unique_fd.h"
#include "walrus/env/uring_queue.h"

namespace walrus::env {
namespace {

int system_flags(OpenFlags flags) {
    int result = O_CLOEXEC | (flags.read_only ? O_RDONLY : O_RDWR);
    if (flags.create) result |= O_CREAT;
    if (flags.create && flags.exclusive) result |= O_EXCL;
    if (flags.direct) result |= O_DIRECT;
    return result;
}

Result<UniqueFd> open_fd(const std::string& path, OpenFlags flags) {
    int fd = -1;
    do {
        fd = ::open(path.c_str(), system_flags(flags), 0644);
    } while (fd < 0 && errno == EINTR);
    if (fd >= 0) return UniqueFd(fd);
    const int error = errno;
    if (flags.direct && error == EINVAL) {
        // The kernel creates first and refuses O_DIRECT second: do not leave the file behind, or
        // the caller's next attempt without `direct` finds it there.
        if (flags.create && flags.exclusive) ::unlink(path.c_str());
        return Error{Errc::kUnsupported, posix_error("open direct", path, error).message};
    }
    return posix_error("open", path, error);
}

Status lock_fd(const UniqueFd& fd, const std::string& path) {
    int rc = 0;
    do {
        rc = ::flock(fd.get(), LOCK_EX | LOCK_NB);
    } while (rc != 0 && errno == EINTR);
    if (rc == 0) return {};
    if (errno == EWOULDBLOCK) {
        return Error{Errc::kBusy, "lock: " + path + ": held by somebody else"};
    }
    return posix_error("lock", path, errno);
}

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.find_last_of('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

class PosixEnv final : public Env {
public:
    Result<std::unique_ptr<File>> open(const std::string& path, OpenFlags flags) override;
    Status rename(const std::string& from, const std::string& to) override;
    Status remove(const std::string& path) override;
    Result<std::vector<std::string>> list(const std::string& directory) override;
    Status create_dirs(const std::string& directory) override;
    Status sync_dir(const std::string& directory) override;
    Result<std::unique_ptr<MappedRing>> map_ring(const std::string& path,
                                                 std::uint64_t size) override;
    Result<std::unique_ptr<IoQueue>> open_queue(QueueKind kind, std::size_t depth) override;
};

Result<std::unique_ptr<File>> PosixEnv::open(const std::string& path, OpenFlags flags) {
    WALRUS_RETURN_IF_ERROR(check_flags(path, flags));
    Result<UniqueFd> fd = open_fd(path, flags);
    if (!fd) return std::move(fd).error();
    if (flags.lock) WALRUS_RETURN_IF_ERROR(lock_fd(*fd, path));
    if (flags.mapped && !flags.read_only) {
        return std::unique_ptr<File>(std::make_unique<MappedFile>(*std::move(fd), path, flags));
    }
    return std::unique_ptr<File>(std::make_unique<PosixFile>(*std::move(fd), path, flags));
}

Status PosixEnv::rename(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) return posix_error("rename", from, errno);
    return {};
}

Status PosixEnv::remove(const std::string& path) {
    if (::unlink(path.c_str()) != 0) return posix_error("remove", path, errno);
    return {};
}

Result<std::vector<std::string>> PosixEnv::list(const std::string& directory) {
    DIR* stream = ::opendir(directory.c_str());
    if (stream == nullptr) return posix_error("list", directory, errno);
    std::vector<std::string> names;
    int error = 0;
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(stream);
        if (entry == nullptr) {
            error = errno;
            break;
        }
        std::string name = entry->d_name;
        if (name != "." && name != "..") names.push_back(std::move(name));
    }
    ::closedir(stream);
    if (error != 0) return posix_error("list", directory, error);
    std::sort(names.begin(), names.end());
    return names;
}

Status PosixEnv::create_dirs(const std::string& directory) {
    for (std::size_t end = 0; end < directory.size();) {
        end = std::min(directory.find('/', end + 1), directory.size());
        const std::string part = directory.substr(0, end);
        if (::mkdir(part.c_str(), 0755) == 0) {
            WALRUS_RETURN_IF_ERROR(sync_dir(parent_of(part)));
        } else if (errno != EEXIST) {
            return posix_error("create directory", part, errno);
        }
    }
    struct stat facts {};
    if (::stat(directory.c_str(), &facts) != 0) return posix_error("stat", directory, errno);
    if (!S_ISDIR(facts.st_mode)) return posix_error("create directory", directory, EEXIST);
    return {};
}

Status PosixEnv::sync_dir(const std::string& directory) {
    const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid()) return posix_error("sync directory", directory, errno);
    if (::fsync(fd.get()) != 0) return posix_error("sync directory", directory, errno);
    return {};
}

Result<std::unique_ptr<MappedRing>> PosixEnv::map_ring(const std::string& path,
                                                       std::uint64_t size) {
    return map_posix_ring(path, size);
}

Result<std::unique_ptr<IoQueue>> PosixEnv::open_queue(QueueKind kind, std::size_t depth) {
    if (kind == QueueKind::kUring) return UringQueue::open(depth);
    if (depth == 0) return Error{Errc::kInvalidArgument, "open queue: depth 0"};
    return std::unique_ptr<IoQueue>(std::make_unique<InlineQueue>(depth));
}

}  // namespace

Env& posix_env() {
    static PosixEnv env;
    return env;
}

}  // namespace walrus::env
