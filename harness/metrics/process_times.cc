#include "harness/metrics/process_times.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

#include "harness/driver/file_descriptor.h"

namespace walrus::harness {
namespace {

constexpr std::uint64_t kKernelThreadFlag = 0x00200000;  // PF_KTHREAD of the kernel's sched.h.

// Positions in /proc/<pid>/stat, counted from the state, which follows the name.
constexpr std::size_t kParent = 1;
constexpr std::size_t kFlags = 6;
constexpr std::size_t kUserTicks = 11;  // Then system, user of reaped children, system of them.

std::uint64_t ticks_to_us(std::uint64_t ticks) {
    static const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    return ticks * (1'000'000 / per_second);
}

std::uint64_t number_of(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::vector<std::uint64_t> stat_fields(const std::string& directory) {
    const std::string text = read_whole_file(directory + "/stat").value_or("");
    const auto name_end = text.rfind(')');  // The name may contain spaces and parentheses.
    std::vector<std::uint64_t> fields;
    if (name_end == std::string::npos) return fields;
    std::istringstream words(text.substr(name_end + 2));
    for (std::string word; words >> word;) fields.push_back(number_of(word));
    return fields;
}

// "read_bytes: n" and "write_bytes: n" of /proc/<pid>/io: what went to and came from devices.
std::uint64_t io_bytes(const std::string& directory) {
    const std::string text = read_whole_file(directory + "/io").value_or("");
    std::uint64_t total = 0;
    for (const std::string_view key : {"\nread_bytes: ", "\nwrite_bytes: "}) {
        const auto at = text.find(key);
        if (at == std::string::npos) continue;
        total += number_of(std::string_view(text).substr(at + key.size()));
    }
    return total;
}

// Empty when the process ended meanwhile.
std::optional<ProcessTimes> look_at(const std::string& directory, std::uint64_t pid) {
    const std::vector<std::uint64_t> fields = stat_fields(directory);
    if (fields.size() < kUserTicks + 4) return std::nullopt;
    ProcessTimes process;
    process.pid = static_cast<pid_t>(pid);
    process.parent = static_cast<pid_t>(fields[kParent]);
    process.kernel_thread = (fields[kFlags] & kKernelThreadFlag) != 0;
    for (std::size_t i = 0; i < 4; ++i) process.cpu_us += ticks_to_us(fields[kUserTicks + i]);
    if (!process.kernel_thread) process.io_bytes = io_bytes(directory);
    return process;
}

}  // namespace

std::vector<ProcessTimes> list_processes() {
    std::vector<ProcessTimes> processes;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        if (auto process = look_at(entry.path(), number_of(name))) {
            processes.push_back(*process);
        }
    }
    return processes;
}

WorkTotals attribute_work(const std::vector<ProcessTimes>& processes, pid_t root) {
    std::map<pid_t, pid_t> parents;
    for (const ProcessTimes& process : processes) parents[process.pid] = process.parent;
    const auto is_ours = [&](pid_t pid) {
        // Bounded, because the list is not one moment: a reused pid could close a ring.
        for (std::size_t steps = 0; steps <= parents.size() && pid > 0; ++steps) {
            if (pid == root) return true;
            const auto above = parents.find(pid);
            if (above == parents.end()) return false;
            pid = above->second;
        }
        return false;
    };
    WorkTotals totals;
    for (const ProcessTimes& process : processes) {
        if (process.kernel_thread) {
            totals.kernel_threads_us += process.cpu_us;
        } else if (is_ours(process.pid)) {
            totals.ours_us += process.cpu_us;
        } else {
            totals.others_us += process.cpu_us;
            totals.others_io_bytes += process.io_bytes;
        }
    }
    return totals;
}

}  // namespace walrus::harness
