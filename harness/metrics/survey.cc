#include "harness/metrics/survey.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "harness/driver/file_descriptor.h"
#include "harness/metrics/quiet.h"
#include "walrus/base/aligned_buffer.h"

namespace walrus::harness {
namespace {

constexpr std::uint64_t kLookNs = 1'000'000'000;
constexpr std::uint64_t kFloorNs = 250'000'000;
constexpr std::uint64_t kBlockBytes = 4096;

std::string io_uring_error() {
    io_uring_params parameters{};
    const long fd = ::syscall(SYS_io_uring_setup, 4, &parameters);
    if (fd < 0) return std::system_category().message(errno);
    ::close(static_cast<int>(fd));
    return "";
}

// Opens and writes, because some file systems accept the flag and fail later.
std::string direct_error(const std::string& path) {
    const auto file = open_file(path, O_RDWR | O_CREAT | O_DIRECT);
    if (!file) return file.error().message;
    AlignedBuffer block(kBlockBytes);
    std::fill_n(block.data(), block.size(), std::byte{1});
    const Status written = write_all_at(file->get(), block.span(), 0, path);
    return written ? "" : written.error().message;
}

std::string neighbours(PacedClock& clock) {
    const BlockDevice none;
    const Activity begin = observe_activity(none, ::getpid());
    clock.wait_until(clock.monotonic_ns() + kLookNs);
    return idle_disturbance(activity_between(begin, observe_activity(none, ::getpid())));
}

}  // namespace

MachineSurvey survey_machine(const std::string& data_directory, PacedClock& clock) {
    MachineSurvey survey;
    survey.data_directory = data_directory;
    survey.neighbours = neighbours(clock);  // Before we make the disk busy ourselves.
    survey.host = machine_facts(data_directory);
    survey.flushes_counted = BlockDevice::under(data_directory).valid();
    survey.io_uring_error = io_uring_error();
    survey.can_drop_caches = ::access("/proc/sys/vm/drop_caches", W_OK) == 0;
    std::error_code error;
    const auto space = std::filesystem::space(data_directory, error);
    if (!error) {
        survey.free_bytes = space.available;
        survey.total_bytes = space.capacity;
    }
    const std::string probe = data_directory + "/walrus-doctor-probe";
    const Status written = write_whole_file(probe, "x");
    if (!written) {
        survey.directory_error = written.error().message;
        return survey;
    }
    survey.direct_error = direct_error(probe);
    std::filesystem::remove(probe, error);
    auto floor = measure_device_floor(data_directory, kFloorNs, clock);
    if (floor) {
        survey.floor = std::move(*floor);
    } else {
        survey.floor_error = floor.error().message;
    }
    return survey;
}

}  // namespace walrus::harness
