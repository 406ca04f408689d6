#include "harness/scenario/scenario.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/driver/settings.h"

namespace walrus::harness {
namespace {

constexpr std::uint32_t kQuickRepetitions = 3;
constexpr std::uint64_t kQuickDivisor = 4;
constexpr std::uint64_t kQuickLeastNs = 200'000'000;
constexpr std::uint64_t kQuickWarmupNs = 100'000'000;
constexpr std::uint64_t kQuickMaxBytes = 256 << 20;
constexpr std::uint64_t kQuickSearchNs = 400'000'000;  // A step has four intervals at least.

}  // namespace

std::string_view load_name(Load load) {
    switch (load) {
        case Load::kClosed: return "closed";
        case Load::kWindow: return "window";
        case Load::kOpen: return "open";
        case Load::kBurst: return "burst";
    }
    return "unknown";
}

std::string_view arrivals_name(Arrivals arrivals) {
    switch (arrivals) {
        case Arrivals::kUniform: return "uniform";
        case Arrivals::kPoisson: return "poisson";
    }
    return "unknown";
}

std::string_view measure_name(Measure measure) {
    switch (measure) {
        case Measure::kAppend: return "append";
        case Measure::kScan: return "scan";
        case Measure::kRestart: return "restart";
        case Measure::kMaxRate: return "max-rate";
        case Measure::kTail: return "tail";
        case Measure::kCatchUp: return "catch-up";
        case Measure::kDrain: return "drain";
    }
    return "unknown";
}

bool reads_live(Measure measure) {
    return measure == Measure::kTail || measure == Measure::kCatchUp || measure == Measure::kDrain;
}

std::string_view ending_name(Ending ending) {
    switch (ending) {
        case Ending::kKill: return "kill";
        case Ending::kStop: return "stop";
        case Ending::kKeep: return "keep";
    }
    return "unknown";
}

std::string describe(const Workload& workload) {
    std::string text =
        fmt::format("{} writer{}", workload.writers, workload.writers == 1 ? "" : "s");
    if (workload.batch > 1) text += fmt::format(", batches of {}", workload.batch);
    if (workload.outstanding > 1) text += fmt::format(", {} in flight", workload.outstanding);
    if (workload.rate_per_s > 0) {
        text += fmt::format(", {} records/s{}", format_count(workload.rate_per_s),
                            workload.arrivals == Arrivals::kPoisson ? " (Poisson)" : "");
    }
    if (workload.load == Load::kBurst) {
        text += fmt::format(", bursts of {}", format_count(workload.bursts.records));
    }
    if (workload.readers > 0) {
        text += fmt::format(", {} reader{}", workload.readers, workload.readers == 1 ? "" : "s");
    }
    if (workload.topics > 1) text += fmt::format(", {} topics", format_count(workload.topics));
    return text;
}

std::uint64_t mean_payload_bytes(const Workload& workload) {
    if (workload.payload_bytes_max == 0) return workload.payload_bytes;
    return (workload.payload_bytes + workload.payload_bytes_max) / 2;
}

std::uint64_t longest_load_ns(const Row& row) {
    const std::uint64_t window_ns = row.workload.warmup_ns + row.workload.duration_ns;
    return row.measure == Measure::kMaxRate ? window_ns * kMostSearchSteps : window_ns;
}

Settings merged_settings(const Settings& settings, const Settings& over) {
    Settings merged = over;
    merged.insert(settings.begin(), settings.end());
    return merged;
}

bool keeps_servers(const Row& row) {
    return row.ending == Ending::kKeep;
}

bool needs_live_read(const Row& row) {
    return row.measure == Measure::kTail || row.measure == Measure::kCatchUp ||
           (row.measure == Measure::kDrain && row.workload.under_load);
}

const SystemSpec* Scenario::find_system(std::string_view system) const {
    const auto found = std::ranges::find(systems, system, &SystemSpec::name);
    return found == systems.end() ? nullptr : &*found;
}

const Row* Scenario::find_row(std::string_view row) const {
    const auto found = std::ranges::find(rows, row, &Row::name);
    return found == rows.end() ? nullptr : &*found;
}

Status check_present(const SystemSpec& system, const Registry& registry) {
    const auto driver = registry.find(system.driver);
    if (!driver && driver.error().code == Errc::kUnsupported) return driver.error();
    if (!driver) return {};
    const auto capabilities = (*driver)->capabilities(system.settings);
    if (!capabilities && capabilities.error().code == Errc::kUnsupported) {
        return capabilities.error();
    }
    return {};
}

namespace {

Status check_row_against(const Row& row, const SystemSpec& system, const Driver& driver) {
    const auto capabilities = driver.capabilities(merged_settings(system.settings, row.settings));
    if (!capabilities) return capabilities.error();
    if (keeps_servers(row) && driver.describe().level != Level::kServer) {
        return Error{Errc::kInvalidArgument,
                     "ending = \"keep\" needs a server; this system is an engine"};
    }
    return check_supported(*capabilities, row.durability, row.workload.topics,
                           row.workload.load == Load::kWindow || row.workload.outstanding > 1,
                           needs_live_read(row));
}

// Engines run inside the measuring process and servers behind a socket: never in one row.
Status check_levels(const Row& row, const Scenario& scenario, const Registry& registry) {
    std::string engine;
    std::string server;
    for (const std::string& name : row.systems) {
        const SystemSpec* system = scenario.find_system(name);
        const auto driver = registry.find(system == nullptr ? "" : system->driver);
        if (driver) ((*driver)->describe().level == Level::kServer ? server : engine) = name;
    }
    if (engine.empty() || server.empty()) return {};
    return Error{
        Errc::kInvalidArgument,
        fmt::format("{} is an engine and {} is a server: they are not compared", engine, server)};
}

}  // namespace

Status check_against(const Scenario& scenario, const Registry& registry) {
    std::vector<std::string> problems;
    const auto problem = [&](std::uint64_t line, const std::string& what) {
        problems.push_back(fmt::format("{}:{}: {}", scenario.path, line, what));
    };
    for (const SystemSpec& system : scenario.systems) {
        if (!check_present(system, registry)) continue;  // Its rows go on without it.
        const auto driver = registry.find(system.driver);
        if (!driver) {
            problem(system.line, driver.error().message);
            continue;
        }
        const auto capabilities = (*driver)->capabilities(system.settings);
        if (!capabilities) {
            problem(system.line,
                    fmt::format("system {}: {}", system.name, capabilities.error().message));
            continue;
        }
        for (const Row& row : scenario.rows) {
            if (std::ranges::find(row.systems, system.name) == row.systems.end()) continue;
            const Status supported = check_row_against(row, system, **driver);
            if (supported) continue;
            problem(row.line, fmt::format("row \"{}\" with system {}: {}", row.name, system.name,
                                          supported.error().message));
        }
    }
    for (const Row& row : scenario.rows) {
        const Status levels = check_levels(row, scenario, registry);
        if (!levels) {
            problem(row.line, fmt::format("row \"{}\": {}", row.name, levels.error().message));
        }
    }
    if (problems.empty()) return {};
    return Error{Errc::kInvalidArgument, fmt::format("{}", fmt::join(problems, "\n"))};
}

void make_quick(Scenario& scenario) {
    scenario.repetitions = std::min(scenario.repetitions, kQuickRepetitions);
    for (Row& row : scenario.rows) {
        Workload& workload = row.workload;
        const std::uint64_t least_ns =
            row.measure == Measure::kMaxRate ? kQuickSearchNs : kQuickLeastNs;
        workload.duration_ns = std::max(workload.duration_ns / kQuickDivisor,
                                        std::min(workload.duration_ns, least_ns));
        workload.warmup_ns = std::min(workload.warmup_ns, kQuickWarmupNs);
        if (workload.max_bytes > 0) {
            workload.max_bytes = std::min(workload.max_bytes, kQuickMaxBytes);
        }
    }
}

}  // namespace walrus::harness
