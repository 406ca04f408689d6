#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "walrus/node/admin_source.h"

namespace walrus::node {
namespace {

std::string first_line(const char* path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

// Seconds since 1970 when the machine started.
double boot_time() {
    std::ifstream file("/proc/stat");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("btime ")) return std::stod(line.substr(6));
    return 0;
}

// The fields of /proc/self/stat behind the program's name, which may hold anything.
std::vector<std::string> stat_fields() {
    const std::string line = first_line("/proc/self/stat");
    const std::size_t end_of_name = line.rfind(')');
    if (end_of_name == std::string::npos) return {};
    std::istringstream rest(line.substr(end_of_name + 1));
    std::vector<std::string> fields;
    for (std::string field; rest >> field;) fields.push_back(field);
    return fields;
}

}  // namespace

ProcessFacts process_facts() {
    // Numbered from the third field of proc(5) on.
    constexpr std::size_t kUserTicks = 11;
    constexpr std::size_t kSystemTicks = 12;
    constexpr std::size_t kThreads = 17;
    constexpr std::size_t kStartTicks = 19;
    constexpr std::size_t kVirtualBytes = 20;
    constexpr std::size_t kResidentPages = 21;
    ProcessFacts facts;
    const std::vector<std::string> fields = stat_fields();
    if (fields.size() > kResidentPages) {
        const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
        const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        facts.cpu_seconds =
            (std::stod(fields[kUserTicks]) + std::stod(fields[kSystemTicks])) / ticks;
        facts.start_time_seconds = boot_time() + std::stod(fields[kStartTicks]) / ticks;
        facts.threads = std::stoull(fields[kThreads]);
        facts.virtual_bytes = std::stoull(fields[kVirtualBytes]);
        facts.resident_bytes = std::stoull(fields[kResidentPages]) * page;
    }
    std::error_code error;
    for (auto entry = std::filesystem::directory_iterator("/proc/self/fd", error);
         !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
        ++facts.open_fds;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.max_fds = limit.rlim_cur;
    return facts;
}

std::uint64_t free_disk_bytes(const std::string& path) {
    struct statvfs facts {};
    if (::statvfs(path.c_str(), &facts) != 0) return 0;
    return std::uint64_t{facts.f_bavail} * facts.f_frsize;
}

}  // namespace walrus::node
