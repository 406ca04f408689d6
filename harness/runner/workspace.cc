#include "harness/runner/workspace.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "harness/driver/file_descriptor.h"
#include "harness/metrics/paced_clock.h"

namespace walrus::harness {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSettleNs = 10'000'000'000;
constexpr std::uint64_t kSettlePollNs = 2'000'000;

Status make_directories(const std::string& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) return os_error("create", path, error.value());
    return {};
}

}  // namespace

Result<Workspace> Workspace::create(const std::string& bundle, const std::string& data,
                                    const std::string& run_name) {
    std::error_code error;
    if (fs::exists(bundle + "/result.json", error)) {
        return Error{Errc::kAlreadyExists,
                     fmt::format("{} holds a bundle already: choose another --out", bundle)};
    }
    Workspace workspace;
    workspace.bundle_ = bundle;
    workspace.data_ = data.empty() ? bundle + "/data" : data;
    workspace.run_name_ = run_name;
    workspace.made_data_ = !fs::exists(workspace.data_, error);
    WALRUS_RETURN_IF_ERROR(make_directories(bundle + "/logs"));
    WALRUS_RETURN_IF_ERROR(make_directories(workspace.data_));
    workspace.device_ = BlockDevice::under(workspace.data_);
    return workspace;
}

Result<std::string> Workspace::make_directory(const std::string& name) const {
    std::string path = fmt::format("{}/{}-{}", data_, run_name_, name);
    WALRUS_RETURN_IF_ERROR(make_directories(path));
    return path;
}

void Workspace::remove_directory(const std::string& directory) const {
    std::error_code ignored;
    fs::remove_all(directory, ignored);
    settle();
}

void Workspace::close() const {
    std::error_code ignored;
    if (made_data_) fs::remove(data_, ignored);  // Only when empty.
}

void Workspace::settle() const {
    if (const auto fd = open_file(data_, O_RDONLY | O_DIRECTORY)) ::syncfs(fd->get());
    PacedClock& clock = machine_clock();
    const std::uint64_t deadline = clock.monotonic_ns() + kSettleNs;
    while (device_.in_flight() > 0 && clock.monotonic_ns() < deadline) {
        clock.wait_until(clock.monotonic_ns() + kSettlePollNs);
    }
}

}  // namespace walrus::harness
