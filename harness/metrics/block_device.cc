#include "harness/metrics/block_device.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "harness/driver/file_descriptor.h"

namespace walrus::harness {
namespace {

constexpr std::uint64_t kSectorBytes = 512;

std::string first_line(const std::string& path) {
    auto text = read_whole_file(path);
    if (!text) return "unknown";
    return text->substr(0, text->find('\n'));
}

}  // namespace

DeviceCounters DeviceCounters::operator-(const DeviceCounters& earlier) const {
    return {.reads = reads - earlier.reads,
            .read_bytes = read_bytes - earlier.read_bytes,
            .writes = writes - earlier.writes,
            .written_bytes = written_bytes - earlier.written_bytes,
            .discards = discards - earlier.discards,
            .flushes = flushes - earlier.flushes};
}

BlockDevice BlockDevice::under(const std::string& directory) {
    BlockDevice device;
    struct stat status {};
    if (::stat(directory.c_str(), &status) != 0 || major(status.st_dev) == 0) return device;
    const std::string link =
        fmt::format("/sys/dev/block/{}:{}", major(status.st_dev), minor(status.st_dev));
    std::error_code error;
    std::filesystem::path path = std::filesystem::canonical(link, error);
    if (error) return device;
    // Flushes and queue settings belong to the disk, not to the partition.
    if (std::filesystem::exists(path / "partition", error)) path = path.parent_path();
    device.name_ = path.filename();
    device.sys_path_ = path;
    return device;
}

DeviceCounters BlockDevice::counters() const {
    if (!valid()) return {};
    const auto text = read_whole_file(sys_path_ + "/stat");
    if (!text) return {};
    std::istringstream fields(*text);
    std::array<std::uint64_t, 17> field{};
    for (std::uint64_t& value : field) fields >> value;
    return {.reads = field[0],
            .read_bytes = field[2] * kSectorBytes,
            .writes = field[4],
            .written_bytes = field[6] * kSectorBytes,
            .discards = field[11],
            .flushes = field[15]};
}

std::uint64_t BlockDevice::in_flight() const {
    if (!valid()) return 0;
    const auto text = read_whole_file(sys_path_ + "/stat");
    if (!text) return 0;
    std::istringstream fields(*text);
    std::uint64_t value = 0;
    for (int i = 0; i < 9; ++i) fields >> value;
    return value;
}

std::string BlockDevice::queue_attribute(const std::string& attribute) const {
    if (!valid()) return "unknown";
    return first_line(sys_path_ + "/queue/" + attribute);
}

}  // namespace walrus::harness
