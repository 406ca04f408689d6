#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/settings.h"
#include "harness/scenario/names.h"
#include "harness/scenario/resilience.h"
#include "harness/scenario/scenario_parts.h"
#include "harness/scenario/toml_reader.h"
#include "harness/scenario/workload_toml.h"

namespace walrus::harness {
namespace {

constexpr std::array kFaultKinds = {FaultKind::kKill,         FaultKind::kTerm, FaultKind::kPause,
                                    FaultKind::kRestartStorm, FaultKind::kWipe, FaultKind::kBitFlip,
                                    FaultKind::kDiskFull};
constexpr std::array kTargets = {Role::kLeader, Role::kFollower, Role::kController, Role::kAll};
constexpr std::array<std::string_view, 10> kAnomalies = {
    "lost-write", "duplicate", "nonmonotonic-poll",    "corrupt", "phantom",
    "G1a",        "poll-skip", "inconsistent-offsets", "unseen",  "replica-divergence"};
constexpr std::array<std::string_view, 3> kKinds = {"measure", "resilience", "suite"};

constexpr std::uint64_t kMinPayloadBytes = 40;  // workload/payload.h: the header in each record.
constexpr std::uint64_t kMostTopics = 1'000;
constexpr std::uint64_t kMostClients = 256;
constexpr std::uint64_t kMostProofRate = 1'000'000;
constexpr std::uint64_t kMostFaults = 1'000;
constexpr std::uint64_t kLeastDiskBytes = 16 << 20;

std::uint32_t small(std::uint64_t value) {
    return static_cast<std::uint32_t>(value);
}

Durability read_durability(TomlTable& table, Durability fallback) {
    const std::string name = table.text("durability", std::string(durability_name(fallback)));
    const auto parsed = parse_durability(name);
    if (!parsed) table.problem("durability", parsed.error().message);
    return parsed.value_or(fallback);
}

void read_load(const toml::table* node, ResilienceLoad& load, Problems& problems) {
    if (node == nullptr) return;
    TomlTable table(*node, "[load]", problems);
    load.durability = read_durability(table, load.durability);
    load.topics = small(table.count("topics", load.topics, 1, kMostTopics));
    load.writers = small(table.count("writers", load.writers, 1, kMostClients));
    load.consumers = small(table.count("consumers", load.consumers, 0, kMostClients));
    load.rate_per_s = table.count("rate_per_s", load.rate_per_s, 1, kMostProofRate);
    load.payload_bytes = table.bytes("payload_bytes", load.payload_bytes);
    if (load.payload_bytes < kMinPayloadBytes) {
        table.problem("payload_bytes", fmt::format("must be at least {}", kMinPayloadBytes));
    }
    load.outstanding = small(table.count("outstanding", load.outstanding, 1, 1'000'000));
    load.settle_ns = table.duration_ns("settle", load.settle_ns);
    table.finish();
}

void read_phases(const toml::table* node, ResiliencePhases& phases, Problems& problems) {
    if (node == nullptr) return;
    TomlTable table(*node, "[phases]", problems);
    phases.warm_up_ns = table.duration_ns("warm_up", phases.warm_up_ns);
    phases.steady_ns = table.duration_ns("steady", phases.steady_ns);
    phases.fault_ns = table.duration_ns("fault", phases.fault_ns);
    phases.healed_ns = table.duration_ns("healed", phases.healed_ns);
    table.finish();
    if (phases.steady_ns == 0) table.problem("steady", "must be more than 0: it is what is lost");
    if (phases.healed_ns == 0) table.problem("healed", "must be more than 0: it shows recovery");
}

void read_fault(const toml::table& node, ResilienceScenario& scenario, Problems& problems) {
    TomlTable table(node, "[[fault]]", problems);
    FaultPlan plan;
    plan.line = table.line();
    if (!table.has("kind")) table.problem("kind", "is needed");
    plan.kind = enumerator(table, "kind", plan.kind, kFaultKinds, fault_name);
    plan.target = enumerator(table, "target", plan.target, kTargets, role_name);
    plan.at_ns = table.duration_ns("at", plan.at_ns);
    plan.every_ns = table.duration_ns("every", plan.every_ns);
    plan.times = small(table.count("times", plan.times, 1, kMostFaults));
    plan.duration_ns = table.duration_ns("duration", plan.duration_ns);
    plan.after_acks = table.count("after_acks", plan.after_acks, 0, INT64_MAX);
    const bool storm = plan.kind == FaultKind::kRestartStorm;
    if (table.has("restarts") && !storm) {
        table.problem("restarts", "is for kind = \"restart-storm\"");
    }
    plan.restarts = small(table.count("restarts", plan.restarts, 1, kMostFaults));
    if (plan.times > 1 && plan.every_ns == 0) {
        table.problem("every", "is needed with times: how far apart they are");
    }
    if (plan.kind == FaultKind::kDiskFull && scenario.disk_bytes == 0) {
        table.problem("kind",
                      "disk-full needs a small disk of the run's own: set disk = \"64MiB\" "
                      "or so at the top");
    }
    table.finish();
    scenario.faults.push_back(plan);
}

void read_anomalies(TomlTable& table, std::string_view key, std::vector<std::string>& names) {
    names = table.texts(key);
    for (const std::string& name : names) {
        if (std::ranges::find(kAnomalies, name) != kAnomalies.end()) continue;
        table.problem(key, fmt::format("no anomaly is called \"{}\"{}", name,
                                       did_you_mean(name, kAnomalies)));
    }
}

void read_check(const toml::table* node, ResilienceCheck& check, Problems& problems) {
    if (node == nullptr) return;
    TomlTable table(*node, "[check]", problems);
    read_anomalies(table, "expect", check.expect);
    read_anomalies(table, "allow", check.allow);
    check.may_refuse = table.flag("may_refuse", check.may_refuse);
    check.first_ack_within_ns = table.duration_ns("first_ack_within", 0);
    check.recovered_within_ns = table.duration_ns("recovered_within", 0);
    table.finish();
}

ResilienceScenario read_resilience(const toml::table& root, const std::string& path,
                                   Problems& problems) {
    ResilienceScenario scenario;
    scenario.path = path;
    TomlTable table(root, "scenario", problems);
    table.text("kind", "");
    scenario.name = table.required_text("name");
    scenario.title = table.text("title", scenario.name);
    scenario.seed = table.count("seed", scenario.seed, 0, INT64_MAX);
    scenario.disk_bytes = table.bytes("disk", 0);
    if (scenario.disk_bytes > 0 && scenario.disk_bytes < kLeastDiskBytes) {
        table.problem("disk", "is too small for any system: at least 16 MiB");
    }
    read_systems(table, scenario.systems, problems);
    read_load(table.table("load"), scenario.load, problems);
    read_phases(table.table("phases"), scenario.phases, problems);
    for (const toml::table* fault : table.tables("fault")) read_fault(*fault, scenario, problems);
    read_check(table.table("check"), scenario.check, problems);
    table.finish();
    if (scenario.systems.empty())
        table.problem("system", "a scenario needs at least one [[system]]");
    return scenario;
}

}  // namespace

std::string_view fault_name(FaultKind kind) {
    switch (kind) {
        case FaultKind::kKill: return "kill";
        case FaultKind::kTerm: return "term";
        case FaultKind::kPause: return "pause";
        case FaultKind::kRestartStorm: return "restart-storm";
        case FaultKind::kWipe: return "wipe";
        case FaultKind::kBitFlip: return "bit-flip";
        case FaultKind::kDiskFull: return "disk-full";
    }
    return "unknown";
}

std::vector<DueFault> due_faults(const ResilienceScenario& scenario) {
    std::vector<DueFault> due;
    for (const FaultPlan& plan : scenario.faults) {
        for (std::uint32_t i = 0; i < plan.times; ++i) {
            due.push_back({.plan = &plan, .at_ns = plan.at_ns + i * plan.every_ns});
        }
    }
    std::ranges::stable_sort(due, {}, &DueFault::at_ns);
    return due;
}

Result<ResilienceScenario> parse_resilience(std::string_view text, const std::string& path,
                                            const std::vector<Override>& overrides) {
    Problems problems(path);
    const auto root = parse_toml(text, path, overrides);
    if (!root) return root.error();
    ResilienceScenario scenario = read_resilience(*root, path, problems);
    if (!problems.empty()) return problems.error();
    return scenario;
}

Status check_against(const ResilienceScenario& scenario, const Registry& registry) {
    std::vector<std::string> problems;
    for (const SystemSpec& system : scenario.systems) {
        if (!check_present(system, registry)) continue;  // It is skipped, loudly.
        const auto driver = registry.find(system.driver);
        Status status = driver ? Status() : driver.error();
        if (driver) {
            const auto capabilities = (*driver)->capabilities(system.settings);
            status = capabilities
                         ? check_supported(*capabilities, scenario.load.durability,
                                           scenario.load.topics, true, scenario.load.consumers > 0)
                         : capabilities.error();
        }
        if (status && !scenario.faults.empty() && (*driver)->describe().level != Level::kServer) {
            status = Error{Errc::kInvalidArgument,
                           "is an engine: it has no process that a fault could be done to"};
        }
        if (status) continue;
        problems.push_back(fmt::format("{}:{}: system {}: {}", scenario.path, system.line,
                                       system.name, status.error().message));
    }
    if (problems.empty()) return {};
    return Error{Errc::kInvalidArgument, fmt::format("{}", fmt::join(problems, "\n"))};
}

Result<DocumentKind> document_kind(const std::string& path) {
    if (path.ends_with(".yaml") || path.ends_with(".yml")) return DocumentKind::kMeasure;
    const auto text = read_whole_file(path);
    if (!text) return text.error();
    const auto root = parse_toml(*text, path, {});
    if (!root) return root.error();
    const std::string kind = (*root)["kind"].value_or(std::string("measure"));
    for (std::size_t i = 0; i < kKinds.size(); ++i) {
        if (kKinds[i] == kind) return static_cast<DocumentKind>(i);
    }
    return Error{Errc::kInvalidArgument, fmt::format("{}: kind: unknown value \"{}\"{}", path, kind,
                                                     did_you_mean(kind, kKinds))};
}

Result<Suite> load_suite(const std::string& path) {
    const auto text = read_whole_file(path);
    if (!text) return text.error();
    const auto root = parse_toml(*text, path, {});
    if (!root) return root.error();
    Problems problems(path);
    TomlTable table(*root, "suite", problems);
    table.text("kind", "");
    Suite suite;
    suite.name = table.required_text("name");
    suite.title = table.text("title", suite.name);
    const std::filesystem::path base = std::filesystem::path(path).parent_path();
    for (const std::string& scenario : table.texts("scenarios")) {
        const std::string found = (base / scenario).lexically_normal();
        std::error_code error;
        if (!std::filesystem::exists(found, error)) {
            table.problem("scenarios", fmt::format("{} is not there", found));
        }
        suite.scenarios.push_back(found);
    }
    if (suite.scenarios.empty()) table.problem("scenarios", "a suite needs at least one");
    table.finish();
    if (!problems.empty()) return problems.error();
    return suite;
}

}  // namespace walrus::harness
