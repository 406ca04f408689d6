#include "harness/metrics/plain_read.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "harness/driver/file_descriptor.h"
#include "walrus/base/aligned_buffer.h"

namespace walrus::harness {
namespace {

constexpr std::uint64_t kReadBytes = 1 << 20;
constexpr int kDepth = 4;
constexpr std::uint64_t kLeastFileBytes = 4096;  // Smaller ones hold no records.

std::vector<std::string> files_below(const std::string& directory) {
    std::vector<std::string> paths;
    std::error_code error;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, error)) {
        if (entry.is_regular_file(error) && entry.file_size(error) >= kLeastFileBytes) {
            paths.push_back(entry.path());
        }
    }
    std::ranges::sort(paths);
    return paths;
}

struct Piece {
    int fd;
    std::uint64_t position;
    std::size_t length;
    const std::string* path;
};

// Only what was written: space that was merely allocated reads as zeros without touching the disk,
// and would flatter the plain side.
void add_written_pieces(int fd, const std::string& path, std::vector<Piece>& pieces) {
    for (off_t end = 0;;) {
        const off_t begin = ::lseek(fd, end, SEEK_DATA);
        if (begin < 0) return;
        end = ::lseek(fd, begin, SEEK_HOLE);
        constexpr auto kRead = static_cast<off_t>(kReadBytes);
        for (off_t at = begin; at < end; at += kRead) {
            const auto length = static_cast<std::size_t>(std::min(kRead, end - at));
            pieces.push_back({fd, static_cast<std::uint64_t>(at), length, &path});
        }
    }
}

// Reads pieces until none is left; the first failure stops everybody.
class PieceReader {
public:
    explicit PieceReader(const std::vector<Piece>& pieces) : pieces_(pieces) {}

    void run() {
        AlignedBuffer buffer(kReadBytes);
        for (;;) {
            const std::size_t at = next_.fetch_add(1);
            if (at >= pieces_.size() || failed_.load()) return;
            const Piece& piece = pieces_[at];
            const ssize_t got = ::pread(piece.fd, buffer.data(), align_up(piece.length, 4096),
                                        static_cast<off_t>(piece.position));
            if (got < 0) return fail(os_error("read", *piece.path, errno));
            bytes_.fetch_add(static_cast<std::uint64_t>(got));
        }
    }

    std::uint64_t bytes() const { return bytes_.load(); }
    Status status() const { return status_; }

private:
    void fail(Error error) {
        const std::lock_guard lock(mutex_);
        if (status_) status_ = std::move(error);
        failed_.store(true);
    }

    const std::vector<Piece>& pieces_;
    std::atomic<std::size_t> next_{0};
    std::atomic<std::uint64_t> bytes_{0};
    std::atomic<bool> failed_{false};
    std::mutex mutex_;
    Status status_;
};

}  // namespace

Result<PlainRead> read_files_plainly(const std::string& directory, PacedClock& clock) {
    const std::vector<std::string> paths = files_below(directory);
    std::vector<FileDescriptor> files;
    std::vector<Piece> pieces;
    for (const std::string& path : paths) {
        auto fd = open_file(path, O_RDONLY | O_DIRECT);
        if (!fd) return std::move(fd).error();
        add_written_pieces(fd->get(), path, pieces);
        files.push_back(std::move(*fd));
    }
    PieceReader reader(pieces);
    const std::uint64_t begin_ns = clock.monotonic_ns();
    std::vector<std::thread> threads;
    for (int i = 0; i < kDepth; ++i) threads.emplace_back([&reader] { reader.run(); });
    for (std::thread& thread : threads) thread.join();
    const std::uint64_t elapsed_ns = clock.monotonic_ns() - begin_ns;
    WALRUS_RETURN_IF_ERROR(reader.status());
    return PlainRead{.bytes = reader.bytes(), .elapsed_ns = elapsed_ns};
}

std::string drop_cached_files(const std::string& directory) {
    for (const std::string& path : files_below(directory)) {
        auto fd = open_file(path, O_RDONLY);
        if (!fd) continue;
        ::fdatasync(fd->get());
        ::posix_fadvise(fd->get(), 0, 0, POSIX_FADV_DONTNEED);
    }
    auto control = open_file("/proc/sys/vm/drop_caches", O_WRONLY);
    if (control && ::write(control->get(), "3\n", 2) == 2) {
        return "all caches of the machine dropped";
    }
    return "the system's files dropped from the page cache (fadvise)";
}

}  // namespace walrus::harness
