#include "harness/metrics/device_floor.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

#include "harness/driver/file_descriptor.h"
#include "walrus/base/aligned_buffer.h"

namespace walrus::harness {
namespace {

constexpr std::uint64_t kBlockBytes = 4096;
constexpr std::uint64_t kFileBytes = 32 << 20;
constexpr std::uint64_t kWarmUpWrites = 16;
constexpr std::uint64_t kLeastWrites = 2 * kWarmUpWrites;         // However slow the device is.
constexpr std::uint64_t kMostAppends = kFileBytes / kBlockBytes;  // However fast it is.

// Removes the file when the measurement ends, however it ends.
class ScratchFile {
public:
    explicit ScratchFile(std::string path) : path_(std::move(path)) {}
    ~ScratchFile() { ::unlink(path_.c_str()); }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

Status durable_overwrite(int fd, AlignedBuffer& block, std::uint64_t position,
                         const std::string& path) {
    const iovec piece{.iov_base = block.data(), .iov_len = kBlockBytes};
    const ssize_t written = ::pwritev2(fd, &piece, 1, static_cast<off_t>(position), RWF_DSYNC);
    if (written != static_cast<ssize_t>(kBlockBytes)) return os_error("write", path, errno);
    return {};
}

// Empty (and no error) when the file system refuses O_DIRECT.
Status measure_overwrite(const std::string& path, std::uint64_t duration_ns, PacedClock& clock,
                         Histogram& latency) {
    {
        auto plain = open_file(path, O_RDWR | O_CREAT | O_TRUNC);
        if (!plain) return std::move(plain).error();
        AlignedBuffer zeros(1 << 20);
        std::fill_n(zeros.data(), zeros.size(), std::byte{0});
        for (std::uint64_t at = 0; at < kFileBytes; at += zeros.size()) {
            WALRUS_RETURN_IF_ERROR(write_all_at(plain->get(), zeros.span(), at, path));
        }
        if (::fdatasync(plain->get()) != 0) return os_error("sync", path, errno);
    }
    auto direct = open_file(path, O_RDWR | O_DIRECT);
    if (!direct) return {};
    AlignedBuffer block(kBlockBytes);
    std::fill_n(block.data(), block.size(), std::byte{0x5a});
    std::uint64_t writes = 0;
    std::uint64_t now = clock.monotonic_ns();
    for (const std::uint64_t end = now + duration_ns; now < end || writes < kLeastWrites;
         ++writes) {
        const std::uint64_t begin = clock.monotonic_ns();
        const std::uint64_t position = writes * kBlockBytes % kFileBytes;
        WALRUS_RETURN_IF_ERROR(durable_overwrite(direct->get(), block, position, path));
        now = clock.monotonic_ns();
        if (writes >= kWarmUpWrites) latency.record(now - begin);
    }
    return {};
}

Status measure_append(const std::string& path, std::uint64_t duration_ns, PacedClock& clock,
                      Histogram& latency) {
    auto file = open_file(path, O_RDWR | O_CREAT | O_TRUNC);
    if (!file) return std::move(file).error();
    AlignedBuffer block(kBlockBytes);
    std::fill_n(block.data(), block.size(), std::byte{0x5a});
    std::uint64_t writes = 0;
    std::uint64_t now = clock.monotonic_ns();
    const std::uint64_t end = now + duration_ns;
    for (; (now < end && writes < kMostAppends) || writes < kLeastWrites; ++writes) {
        const std::uint64_t begin = clock.monotonic_ns();
        WALRUS_RETURN_IF_ERROR(write_all_at(file->get(), block.span(), writes * kBlockBytes, path));
        if (::fdatasync(file->get()) != 0) return os_error("sync", path, errno);
        now = clock.monotonic_ns();
        if (writes >= kWarmUpWrites) latency.record(now - begin);
    }
    return {};
}

}  // namespace

Result<DeviceFloor> measure_device_floor(const std::string& directory, std::uint64_t duration_ns,
                                         PacedClock& clock) {
    DeviceFloor floor;
    {
        const ScratchFile overwritten(directory + "/floor-overwrite");
        WALRUS_RETURN_IF_ERROR(
            measure_overwrite(overwritten.path(), duration_ns, clock, floor.overwrite_ns));
    }
    const ScratchFile appended(directory + "/floor-append");
    WALRUS_RETURN_IF_ERROR(measure_append(appended.path(), duration_ns, clock, floor.append_ns));
    return floor;
}

}  // namespace walrus::harness
