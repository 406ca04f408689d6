#include "harness/cli/doctor.h"

#include <fmt/color.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/driver/settings.h"
#include "harness/metrics/build_facts.h"
#include "harness/runner/warnings.h"

namespace walrus::harness {
namespace {

// Faster than any flush that reaches a medium of its own.
constexpr std::uint64_t kFreeFlushNs = 20'000;

std::string fact(const MachineSurvey& survey, const char* name) {
    const auto found = survey.host.find(name);
    return found == survey.host.end() ? "unknown" : found->second;
}

Finding finding(std::string topic, const std::string& trouble, std::string all_well,
                std::string advice) {
    const bool ok = trouble.empty();
    return {.topic = std::move(topic),
            .health = ok ? Health::kOk : Health::kWarn,
            .what = ok ? std::move(all_well) : trouble,
            .advice = ok ? "" : std::move(advice)};
}

Finding machine_finding(const MachineSurvey& survey) {
    return {.topic = "machine",
            .health = Health::kOk,
            .what = fmt::format("{}, {} processors, {} memory, {}{}", fact(survey, "cpu_model"),
                                fact(survey, "cpu_count"), fact(survey, "memory"),
                                fact(survey, "kernel"),
                                fact(survey, "hypervisor") == "yes" ? ", virtual machine" : ""),
            .advice = ""};
}

Finding build_finding() {
    return finding("build", build_warning(build_is_optimised(), build_sanitizer()),
                   "optimised, no sanitizer", "measure with the preset \"release\"");
}

Finding clock_finding(const MachineSurvey& survey) {
    const std::string source = fact(survey, "clock");
    const bool fast = source.starts_with("time stamp counter");
    return finding("clock", fast ? "" : source + ": a reading costs more than 20 ns",
                   source + ", about 10 ns a reading",
                   "short appends are measured with this cost included; a machine with a constant "
                   "and unstopped time stamp counter has less");
}

Finding governor_finding(const MachineSurvey& survey) {
    return finding("frequency", governor_warning(survey.host),
                   "governor " + fact(survey, "cpu_governor"),
                   "cpupower frequency-set -g performance");
}

Finding neighbours_finding(const MachineSurvey& survey) {
    return finding("neighbours", survey.neighbours, "quiet during the last second",
                   "end the other work: a run waits for quiet, and gives no verdict without it");
}

Finding pressure_finding(const MachineSurvey& survey) {
    const bool visible = fact(survey, "pressure_stall_information") == "yes";
    return finding("pressure", visible ? "" : "the kernel gives no pressure stall information",
                   "pressure stall information is there",
                   "boot with psi=1, so that waiting for the disk and for memory can be seen");
}

Finding io_uring_finding(const MachineSurvey& survey) {
    const std::string& error = survey.io_uring_error;
    return finding("io_uring", error.empty() ? "" : "no io_uring: " + error, "io_uring works",
                   "Walrus falls back to pwritev2; allow it in /proc/sys/kernel/io_uring_disabled "
                   "or the container's seccomp profile");
}

Finding caches_finding(const MachineSurvey& survey) {
    return finding(
        "page cache", survey.can_drop_caches ? "" : "only single files can be put out of the cache",
        "can be dropped", "run as root for cold reads that are cold for metadata as well");
}

Finding directory_finding(const MachineSurvey& survey) {
    if (!survey.directory_error.empty()) {
        return {.topic = "data directory",
                .health = Health::kFail,
                .what = survey.directory_error,
                .advice = "name a directory you may write to with --data"};
    }
    const bool in_memory = fact(survey, "file_system") == "tmpfs";
    return finding("data directory", in_memory ? "tmpfs: nothing there is ever durable" : "",
                   fmt::format("{} on {} ({})", survey.data_directory, fact(survey, "file_system"),
                               fact(survey, "mount_options")),
                   "name a directory on the disk to be measured with --data");
}

Finding space_finding(const MachineSurvey& survey) {
    return finding("space", disk_space_warning(survey.free_bytes, survey.total_bytes),
                   fmt::format("{} of {} free", format_bytes(survey.free_bytes),
                               format_bytes(survey.total_bytes)),
                   "free some, or name another directory with --data");
}

Finding direct_finding(const MachineSurvey& survey) {
    const std::string& error = survey.direct_error;
    return finding("O_DIRECT", error.empty() ? "" : "refused: " + error, "works",
                   "Walrus falls back to buffered writes; use ext4 or XFS on a block device");
}

Finding device_finding(const MachineSurvey& survey) {
    return finding(
        "device", survey.flushes_counted ? "" : "the block device is not visible",
        fmt::format("{}, scheduler {}", fact(survey, "device"), fact(survey, "device_scheduler")),
        "its flushes cannot be counted, so no durability class can be confirmed; use a "
        "file system on a block device");
}

Finding write_cache_finding(const MachineSurvey& survey) {
    return finding("write cache", write_cache_warning(survey.host),
                   fact(survey, "device_write_cache"),
                   "say with every figure of class disk what the disk is");
}

Finding floor_finding(const MachineSurvey& survey) {
    const Histogram& overwrite = survey.floor.overwrite_ns;
    const Histogram& append = survey.floor.append_ns;
    if (append.count() == 0) {
        return {.topic = "floor",
                .health = Health::kFail,
                .what = "no durable write could be measured: " + survey.floor_error,
                .advice = "name a directory on a healthy disk with --data"};
    }
    const Histogram& best = overwrite.count() > 0 ? overwrite : append;
    const std::string figures =
        fmt::format("a durable 4 KiB write takes {} (p99 {}), append + fdatasync {}",
                    format_duration(best.quantile(0.5)), format_duration(best.quantile(0.99)),
                    format_duration(append.quantile(0.5)));
    const bool free = best.quantile(0.5) < kFreeFlushNs;
    return finding("floor", free ? figures + ": flushes are nearly free here" : "", figures,
                   "figures of class disk will not carry over to real disks");
}

std::string_view health_name(Health health) {
    switch (health) {
        case Health::kOk: return "ok";
        case Health::kWarn: return "warn";
        case Health::kFail: return "fail";
    }
    return "fail";
}

fmt::terminal_color colour_of(Health health) {
    switch (health) {
        case Health::kOk: return fmt::terminal_color::green;
        case Health::kWarn: return fmt::terminal_color::yellow;
        case Health::kFail: return fmt::terminal_color::red;
    }
    return fmt::terminal_color::red;
}

void print_text(const std::vector<Finding>& findings, bool colours) {
    for (const Finding& found : findings) {
        const std::string health = fmt::format("{:<5}", health_name(found.health));
        if (colours) {
            fmt::print("{}", fmt::format(fmt::fg(colour_of(found.health)), "{}", health));
        } else {
            fmt::print("{}", health);
        }
        fmt::print("{:<15} {}\n", found.topic, found.what);
        if (!found.advice.empty()) fmt::print("{:<20} -> {}\n", "", found.advice);
    }
}

void print_json(const std::vector<Finding>& findings, const MachineSurvey& survey) {
    nlohmann::json list = nlohmann::json::array();
    for (const Finding& found : findings) {
        list.push_back({{"topic", found.topic},
                        {"health", health_name(found.health)},
                        {"what", found.what},
                        {"advice", found.advice}});
    }
    const auto floor = [](const Histogram& histogram) {
        return nlohmann::json{{"count", histogram.count()},
                              {"p50_ns", histogram.quantile(0.5)},
                              {"p99_ns", histogram.quantile(0.99)}};
    };
    const nlohmann::json document = {{"schema", "walrus.doctor/v1"},
                                     {"findings", list},
                                     {"host", survey.host},
                                     {"floor",
                                      {{"overwrite", floor(survey.floor.overwrite_ns)},
                                       {"append", floor(survey.floor.append_ns)}}}};
    fmt::print("{}\n", document.dump(1));
}

}  // namespace

std::vector<Finding> diagnose(const MachineSurvey& survey) {
    std::vector<Finding> findings = {machine_finding(survey),    build_finding(),
                                     clock_finding(survey),      governor_finding(survey),
                                     neighbours_finding(survey), pressure_finding(survey),
                                     io_uring_finding(survey),   caches_finding(survey),
                                     directory_finding(survey)};
    if (!survey.directory_error.empty()) return findings;
    for (Finding& found :
         std::vector<Finding>{space_finding(survey), direct_finding(survey), device_finding(survey),
                              write_cache_finding(survey), floor_finding(survey)}) {
        findings.push_back(std::move(found));
    }
    return findings;
}

std::vector<Finding> diagnose_drivers(const Registry& registry) {
    std::vector<Finding> findings;
    for (const auto& [name, driver] : registry.drivers()) {
        const Description about = driver->describe();
        findings.push_back({.topic = "driver " + name,
                            .health = Health::kOk,
                            .what = fmt::format("{}: {}", about.version, about.summary),
                            .advice = ""});
    }
    for (const auto& [name, reason] : registry.absent()) {
        findings.push_back({.topic = "driver " + name,
                            .health = Health::kWarn,
                            .what = "absent: " + reason,
                            .advice = "scripts/setup.sh installs what it needs; build again"});
    }
    return findings;
}

ExitCode doctor_command(const std::string& data_directory, const Registry& registry,
                        const Terminal& terminal) {
    const MachineSurvey survey = survey_machine(data_directory, machine_clock());
    std::vector<Finding> findings = diagnose(survey);
    std::ranges::move(diagnose_drivers(registry), std::back_inserter(findings));
    if (terminal.output == Output::kJson) {
        print_json(findings, survey);
    } else {
        print_text(findings, terminal.colours);
    }
    const bool failed = std::ranges::any_of(
        findings, [](const Finding& found) { return found.health == Health::kFail; });
    return failed ? ExitCode::kSetupFailed : ExitCode::kOk;
}

}  // namespace walrus::harness
