#include "harness/runner/warnings.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <system_error>

#include "harness/driver/settings.h"
#include "harness/metrics/build_facts.h"

namespace walrus::harness {
namespace {

constexpr double kClientBoundShare = 0.5;
constexpr double kMemoryPressureShare = 0.01;
constexpr double kLeastFreeShare = 0.05;
constexpr std::uint64_t kLeastFreeBytes = std::uint64_t{1} << 30;

// How systems call the size after which they begin a new log file, the clearest name first.
constexpr std::array kFileSizeKeys = {"rollover_bytes", "file_size", "write_buffer_size"};

// 0 when the configuration does not say.
std::uint64_t rollover_bytes(const Settings& effective_config) {
    for (const char* key : kFileSizeKeys) {
        const auto found = effective_config.find(key);
        if (found == effective_config.end()) continue;
        if (const auto bytes = parse_bytes(found->second)) return *bytes;
    }
    return 0;
}

void add(std::vector<std::string>& warnings, std::string warning) {
    if (!warning.empty()) warnings.push_back(std::move(warning));
}

std::string value_of(const Settings& settings, const char* key) {
    const auto found = settings.find(key);
    return found == settings.end() ? "unknown" : found->second;
}

double records_per_s(const WriteFigures& write) {
    if (write.window_ns == 0) return 0;
    return static_cast<double>(write.records) * 1e9 / static_cast<double>(write.window_ns);
}

}  // namespace

bool is_synced(Durability durability) {
    return durability >= Durability::kOsInterval;
}

std::string client_bound_warning(double rate_per_s, double ceiling_per_s) {
    if (ceiling_per_s <= 0 || rate_per_s <= kClientBoundShare * ceiling_per_s) return "";
    return fmt::format(
        "client-bound: the harness itself reaches {} records/s with this workload (null driver), "
        "and {:.0f} % of that was measured: the system may be faster than the figure",
        format_count(static_cast<std::uint64_t>(ceiling_per_s)), rate_per_s / ceiling_per_s * 100);
}

std::string rollover_warning(const Settings& effective_config, std::uint64_t payload_bytes) {
    const std::uint64_t file_bytes = rollover_bytes(effective_config);
    if (payload_bytes >= file_bytes) return "";
    return fmt::format(
        "too short for a rollover: {} were written in the window and a file of the system holds "
        "{}: lengthen the duration to include it",
        format_bytes(payload_bytes), format_bytes(file_bytes));
}

std::string short_window_warning(const Workload& workload, const WriteFigures& write) {
    const bool by_time = workload.max_bytes == 0 && workload.load != Load::kBurst;
    if (!by_time || write.series_interval_ns == 0) return "";
    std::size_t used = write.series.size();
    while (used > 0 && write.series[used - 1] == 0) --used;
    const std::uint64_t covered_ns = used * write.series_interval_ns;
    // The last interval may be a partial one.
    if (covered_ns + write.series_interval_ns >= workload.duration_ns) return "";
    return fmt::format("window shorter than asked: nothing was acknowledged in the last {} of {}",
                       format_duration(workload.duration_ns - covered_ns),
                       format_duration(workload.duration_ns));
}

std::string memory_pressure_warning(const ActivityDelta& activity) {
    if (activity.elapsed_ns == 0) return "";
    const double share = static_cast<double>(activity.total.memory_pressure_us) * 1e3 /
                         static_cast<double>(activity.elapsed_ns);
    if (share <= kMemoryPressureShare) return "";
    return fmt::format("memory pressure: some task waited for memory {:.0f} % of the time",
                       share * 100);
}

std::string governor_warning(const Settings& host) {
    const std::string governor = value_of(host, "cpu_governor");
    if (governor == "performance" || governor == "unknown") return "";
    return fmt::format(
        "the processor's frequency varies (governor {}): choose \"performance\" to compare figures",
        governor);
}

std::string throttling_warning(const Settings& before, const Settings& after) {
    const std::string was = value_of(before, "cpu_throttled");
    const std::string is = value_of(after, "cpu_throttled");
    if (was == is) return "";
    return fmt::format(
        "the processor was too hot and slowed down during the run ({} events before, {} after)",
        was, is);
}

std::string write_cache_warning(const Settings& host) {
    if (value_of(host, "device_write_cache") != "unknown") return "";
    return "the device's write cache is unknown: whether a flush reaches stable media cannot be "
           "seen from here";
}

std::string disk_space_warning(std::uint64_t free_bytes, std::uint64_t total_bytes) {
    const double share =
        total_bytes == 0 ? 1 : static_cast<double>(free_bytes) / static_cast<double>(total_bytes);
    if (share >= kLeastFreeShare && free_bytes >= kLeastFreeBytes) return "";
    return fmt::format(
        "the disk is nearly full ({} of {} free): file systems slow down, and the run may fail",
        format_bytes(free_bytes), format_bytes(total_bytes));
}

std::string build_warning(bool optimised, std::string_view sanitizer) {
    if (!sanitizer.empty()) {
        return fmt::format("built with {}: figures say nothing about speed", sanitizer);
    }
    return optimised ? "" : "built without optimisation: figures say nothing about speed";
}

std::vector<std::string> repetition_warnings(const Row& row, const Repetition& repetition,
                                             double ceiling_per_s) {
    std::vector<std::string> warnings;
    if (!repetition.error.empty()) return warnings;
    const WriteFigures& write = repetition.write;
    add(warnings, memory_pressure_warning(write.activity));
    if (row.measure == Measure::kScan || row.measure == Measure::kRestart) return warnings;
    add(warnings, client_bound_warning(records_per_s(write), ceiling_per_s));
    add(warnings,
        rollover_warning(write.effective_config, write.records * mean_payload_bytes(row.workload)));
    add(warnings, short_window_warning(row.workload, write));
    return warnings;
}

std::vector<std::string> machine_warnings(const Settings& host, const std::string& data_directory,
                                          bool synced) {
    std::vector<std::string> warnings;
    add(warnings, build_warning(build_is_optimised(), build_sanitizer()));
    add(warnings, governor_warning(host));
    if (synced) add(warnings, write_cache_warning(host));
    std::error_code error;
    const auto space = std::filesystem::space(data_directory, error);
    if (!error) add(warnings, disk_space_warning(space.available, space.capacity));
    return warnings;
}

}  // namespace walrus::harness
