#include "harness/metrics/machine.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <sstream>
#include <system_error>
#include <thread>
#include <vector>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/settings.h"
#include "harness/metrics/paced_clock.h"
#include "harness/metrics/process_times.h"

namespace walrus::harness {
namespace {

std::string text_of(const std::string& path) {
    return read_whole_file(path).value_or("");
}

std::string line_of(const std::string& path) {
    const std::string text = text_of(path);
    return text.empty() ? "unknown" : text.substr(0, text.find('\n'));
}

// The value of "key : value" in a file like /proc/cpuinfo.
std::string field_of(const std::string& text, std::string_view key) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const auto colon = line.find(':');
        if (!line.starts_with(key) || colon == std::string::npos) continue;
        const auto value = line.find_first_not_of(" \t", colon + 1);
        return value == std::string::npos ? "" : line.substr(value);
    }
    return "unknown";
}

std::uint64_t ticks_to_us(std::uint64_t ticks) {
    static const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    return ticks * (1'000'000 / per_second);
}

// The mount that holds `directory`: the longest mount point that is a prefix of it.
void add_mount_facts(const std::string& directory, Settings& facts) {
    std::error_code error;
    const std::string path = std::filesystem::canonical(directory, error).string();
    // In a chroot the mount may be out of sight.
    facts["file_system"] = facts["mount_options"] = "unknown";
    std::istringstream lines(text_of("/proc/mounts"));
    std::size_t longest = 0;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string device, point, type, options;
        words >> device >> point >> type >> options;
        const bool inside = path == point || point == "/" || path.starts_with(point + "/");
        if (!inside || point.size() < longest) continue;
        longest = point.size();
        facts["file_system"] = type;
        facts["mount_options"] = options;
    }
}

// "some ... total=N" of a file in /proc/pressure, microseconds.
std::uint64_t pressure_us(const std::string& resource) {
    const std::string line = line_of("/proc/pressure/" + resource);
    const auto total = line.find("total=");
    std::uint64_t value = 0;
    if (total == std::string::npos) return 0;
    std::from_chars(line.data() + total + 6, line.data() + line.size(), value);
    return value;
}

std::uint64_t number_of(const std::string& text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

// `end - begin`, or 0 when a total fell because a process took its share with it.
std::uint64_t growth(std::uint64_t begin, std::uint64_t end) {
    return end > begin ? end - begin : 0;
}

std::uint64_t to_us(const timeval& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(time.tv_usec);
}

}  // namespace

Settings machine_facts(const std::string& data_directory) {
    Settings facts;
    const std::string cpu = text_of("/proc/cpuinfo");
    facts["cpu_model"] = field_of(cpu, "model name");
    facts["cpu_count"] = fmt::format("{}", std::thread::hardware_concurrency());
    facts["hypervisor"] = cpu.find(" hypervisor") == std::string::npos ? "no" : "yes";
    facts["cpu_governor"] = line_of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    facts["cpu_throttled"] =
        line_of("/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count");
    facts["memory"] = field_of(text_of("/proc/meminfo"), "MemTotal");
    facts["transparent_hugepages"] = line_of("/sys/kernel/mm/transparent_hugepage/enabled");
    facts["dirty_background_ratio"] = line_of("/proc/sys/vm/dirty_background_ratio");
    facts["clock"] = machine_clock().source();
    facts["pressure_stall_information"] = read_whole_file("/proc/pressure/cpu") ? "yes" : "no";
    facts["load_at_start"] = line_of("/proc/loadavg");

    utsname names{};
    if (::uname(&names) == 0) {
        facts["kernel"] = fmt::format("{} {}", names.sysname, names.release);
        facts["architecture"] = names.machine;
    }
    add_mount_facts(data_directory, facts);
    struct statfs space {};
    if (::statfs(data_directory.c_str(), &space) == 0) {
        const auto block = static_cast<std::uint64_t>(space.f_bsize);
        facts["disk_free"] = format_bytes(static_cast<std::uint64_t>(space.f_bavail) * block);
        facts["disk_size"] = format_bytes(static_cast<std::uint64_t>(space.f_blocks) * block);
    }
    const BlockDevice device = BlockDevice::under(data_directory);
    facts["device"] = device.valid() ? device.name() : "not visible (flushes are not counted)";
    facts["device_write_cache"] = device.queue_attribute("write_cache");
    facts["device_fua"] = device.queue_attribute("fua");
    facts["device_scheduler"] = device.queue_attribute("scheduler");
    facts["device_rotational"] = device.queue_attribute("rotational");
    return facts;
}

pid_t harness_root() {
    // Without a parent of ours everything on the machine would be "below" it.
    return ::getppid() > 1 ? ::getppid() : ::getpid();
}

Activity observe_activity(const BlockDevice& device, pid_t root) {
    Activity now;
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    now.user_us = to_us(usage.ru_utime);
    now.system_us = to_us(usage.ru_stime);
    now.voluntary_switches = static_cast<std::uint64_t>(usage.ru_nvcsw);
    now.involuntary_switches = static_cast<std::uint64_t>(usage.ru_nivcsw);
    now.peak_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
    const std::string io = text_of("/proc/self/io");
    now.read_bytes = number_of(field_of(io, "read_bytes"));
    now.written_bytes = number_of(field_of(io, "write_bytes"));
    now.sync_calls = sync_calls();

    // "cpu user nice system idle iowait irq softirq steal ..."
    std::istringstream words(line_of("/proc/stat"));
    std::string label;
    std::uint64_t user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, steal = 0;
    words >> label >> user >> nice >> system >> idle >> wait >> irq >> soft >> steal;
    now.busy_us = ticks_to_us(user + nice + system);
    now.steal_us = ticks_to_us(steal);
    const WorkTotals work = attribute_work(list_processes(), root);
    now.kernel_threads_us = work.kernel_threads_us;
    now.ours_us = work.ours_us;
    now.others_us = work.others_us;
    now.others_io_bytes = work.others_io_bytes;
    now.cpu_pressure_us = pressure_us("cpu");
    now.io_pressure_us = pressure_us("io");
    now.memory_pressure_us = pressure_us("memory");
    now.device = device.counters();
    now.monotonic_ns = machine_clock().monotonic_ns();
    return now;
}

ActivityDelta activity_between(const Activity& begin, const Activity& end) {
    ActivityDelta delta;
    delta.elapsed_ns = end.monotonic_ns - begin.monotonic_ns;
    Activity& total = delta.total;
    total.device = end.device - begin.device;
    total.user_us = end.user_us - begin.user_us;
    total.system_us = end.system_us - begin.system_us;
    total.voluntary_switches = end.voluntary_switches - begin.voluntary_switches;
    total.involuntary_switches = end.involuntary_switches - begin.involuntary_switches;
    total.peak_rss_bytes = end.peak_rss_bytes;
    total.read_bytes = end.read_bytes - begin.read_bytes;
    total.written_bytes = end.written_bytes - begin.written_bytes;
    total.sync_calls = end.sync_calls - begin.sync_calls;
    total.busy_us = end.busy_us - begin.busy_us;
    total.kernel_threads_us = growth(begin.kernel_threads_us, end.kernel_threads_us);
    total.ours_us = growth(begin.ours_us, end.ours_us);
    total.others_us = growth(begin.others_us, end.others_us);
    total.others_io_bytes = growth(begin.others_io_bytes, end.others_io_bytes);
    total.steal_us = end.steal_us - begin.steal_us;
    total.cpu_pressure_us = end.cpu_pressure_us - begin.cpu_pressure_us;
    total.io_pressure_us = end.io_pressure_us - begin.io_pressure_us;
    total.memory_pressure_us = end.memory_pressure_us - begin.memory_pressure_us;

    const double elapsed_us =
        static_cast<double>(std::max<std::uint64_t>(delta.elapsed_ns, 1)) / 1e3;
    const std::uint64_t known = total.kernel_threads_us + total.ours_us + total.others_us;
    delta.other_cpu_share = static_cast<double>(total.others_us) / elapsed_us;
    delta.unexplained_cpu_share = static_cast<double>(growth(known, total.busy_us)) / elapsed_us;
    delta.steal_share = static_cast<double>(total.steal_us) / elapsed_us;
    return delta;
}

}  // namespace walrus::harness
