#include "harness/cli/commands.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/settings.h"
#include "harness/metrics/paced_clock.h"
#include "harness/report/result_json.h"
#include "harness/report/summary.h"
#include "harness/report/tables.h"
#include "harness/runner/child_process.h"
#include "harness/runner/runner.h"
#include "walrus/base/random.h"

namespace walrus::harness {
namespace {

void complain(const Error& error) {
    fmt::print(stderr, "walrus-harness: {}\n", error.message);
}

Result<Scenario> load(const RunArguments& arguments, const std::string& path,
                      const Registry& registry) {
    auto scenario = load_scenario(path, arguments.overrides);
    if (!scenario) return scenario;
    if (arguments.seed) scenario->seed = *arguments.seed;
    if (arguments.quick) make_quick(*scenario);
    if (arguments.repetitions) scenario->repetitions = *arguments.repetitions;
    WALRUS_RETURN_IF_ERROR(check_against(*scenario, registry));
    return scenario;
}

// Drivers the scenario needs and this build lacks, with the reason.
std::vector<std::string> missing_drivers(const Scenario& scenario, const Registry& registry) {
    std::vector<std::string> missing;
    for (const SystemSpec& system : scenario.systems) {
        if (const auto driver = registry.find(system.driver); !driver) {
            missing.push_back(fmt::format("{}: {}", system.name, driver.error().message));
        }
    }
    return missing;
}

std::string bundle_directory(const RunArguments& arguments, const Scenario& scenario) {
    if (!arguments.out.empty() && arguments.scenarios.size() == 1) return arguments.out;
    const auto seconds = static_cast<std::time_t>(machine_clock().wall_ms() / 1000);
    const std::string base = arguments.out.empty() ? "bundles" : arguments.out;
    return fmt::format("{}/{:%Y%m%d-%H%M%S}-{}-{}", base, fmt::gmtime(seconds), scenario.name,
                       scenario.seed);
}

// One line that is overwritten, on a terminal only.
void show_progress(const Progress& progress) {
    const double share =
        progress.total == 0 ? 0 : static_cast<double>(progress.done) / progress.total;
    const double elapsed = static_cast<double>(progress.elapsed_ns);
    const std::string left =
        share < 0.02
            ? ""
            : ", about " + format_duration(static_cast<std::uint64_t>(elapsed / share - elapsed)) +
                  " left";
    fmt::print(stderr, "\r\033[K[{}/{}{}] round {}: {} {}", progress.done, progress.total, left,
               progress.round + 1, progress.what, progress.figure);
    std::fflush(stderr);
}

// The worst thing that happened decides.
ExitCode verdict_of(const RunResult& result, const std::vector<Line>& lines) {
    if (noted_signal() == SIGINT) return ExitCode::kInterrupted;
    if (noted_signal() == SIGTERM) return ExitCode::kTerminated;
    const auto any = [&](auto predicate) { return std::ranges::any_of(lines, predicate); };
    if (any([](const Line& line) { return line.anomalies > 0; })) return ExitCode::kSafetyViolation;
    if (!result.complete) return ExitCode::kSetupFailed;
    if (any([](const Line& line) { return line.failed > 0; })) return ExitCode::kFailure;
    if (any([](const Line& line) { return line.class_mismatch; })) return ExitCode::kFailure;
    if (std::ranges::all_of(lines, [](const Line& line) { return line.repetitions == 0; })) {
        return ExitCode::kFailure;
    }
    return ExitCode::kOk;
}

ExitCode run_one(const RunArguments& arguments, const Scenario& scenario, const Registry& registry,
                 Output output) {
    RunOptions options;
    options.executable = std::filesystem::read_symlink("/proc/self/exe");
    options.bundle_directory = bundle_directory(arguments, scenario);
    options.data_directory = arguments.data;
    options.command_line = arguments.command_line;
    options.quick = arguments.quick;
    options.keep_data = arguments.keep_data;

    const bool progress = !arguments.quiet && ::isatty(STDERR_FILENO) == 1;
    SystemRandom random;
    const auto result = run_scenario(scenario, registry, options, random,
                                     progress ? ProgressSink(show_progress) : ProgressSink());
    if (progress) fmt::print(stderr, "\r\033[K");
    if (!result) {
        complain(result.error());
        return ExitCode::kSetupFailed;
    }
    const std::vector<Line> lines = summarise(*result);
    if (output == Output::kJson) {
        fmt::print("{}\n", nlohmann::json(*result).dump(1));
    } else {
        fmt::print("{}bundle: {}\n", render_tables(*result, lines), options.bundle_directory);
    }
    std::fflush(stdout);
    return verdict_of(*result, lines);
}

}  // namespace

ExitCode run_command(const RunArguments& arguments, const Registry& registry, Output output) {
    // All scenarios are checked before the first one runs.
    std::vector<Scenario> scenarios;
    for (const std::string& path : arguments.scenarios) {
        auto scenario = load(arguments, path, registry);
        if (!scenario) {
            complain(scenario.error());
            return ExitCode::kUsage;
        }
        const std::vector<std::string> missing = missing_drivers(*scenario, registry);
        for (const std::string& what : missing) {
            fmt::print(stderr, "walrus-harness: skipped: {}\n", what);
        }
        if (!missing.empty() && arguments.require) return ExitCode::kComparatorMissing;
        scenarios.push_back(std::move(*scenario));
    }
    note_signals_instead_of_dying();
    ExitCode worst = ExitCode::kOk;
    for (const Scenario& scenario : scenarios) {
        worst = std::max(worst, run_one(arguments, scenario, registry, output));
        if (noted_signal() != 0) break;
    }
    return worst;
}

ExitCode list_command(const Registry& registry, Output output) {
    if (output == Output::kJson) {
        nlohmann::json drivers = nlohmann::json::array();
        for (const auto& [name, driver] : registry.drivers()) {
            const Description about = driver->describe();
            drivers.push_back(
                {{"name", name}, {"version", about.version}, {"summary", about.summary}});
        }
        fmt::print("{}\n",
                   nlohmann::json{{"drivers", drivers}, {"absent", registry.absent()}}.dump(1));
        return ExitCode::kOk;
    }
    std::vector<std::vector<std::string>> rows = {{"driver", "version", "what it is"}};
    for (const auto& [name, driver] : registry.drivers()) {
        const Description about = driver->describe();
        rows.push_back({name, about.version, about.summary});
    }
    for (const auto& [name, reason] : registry.absent()) {
        rows.push_back({name, "-", "not in this build: " + reason});
    }
    fmt::print("{}", align_columns(rows, 3));
    return ExitCode::kOk;
}

ExitCode validate_command(const std::vector<std::string>& paths, const Registry& registry,
                          Output output) {
    nlohmann::json documents = nlohmann::json::array();
    ExitCode code = ExitCode::kOk;
    for (const std::string& path : paths) {
        auto scenario = load_scenario(path);
        const Status status =
            scenario ? check_against(*scenario, registry) : Status(scenario.error());
        if (!status) code = ExitCode::kUsage;
        if (output == Output::kJson) {
            documents.push_back({{"path", path},
                                 {"ok", status.has_value()},
                                 {"problems", status ? "" : status.error().message}});
        } else if (!status) {
            complain(status.error());
        } else {
            fmt::print("{}: ok ({} rows, {} systems)\n", path, scenario->rows.size(),
                       scenario->systems.size());
        }
    }
    if (output == Output::kJson) fmt::print("{}\n", documents.dump(1));
    return code;
}

ExitCode report_command(const std::string& bundle, Output output) {
    const auto text = read_whole_file(bundle + "/result.json");
    if (!text) {
        complain(text.error());
        return ExitCode::kUsage;
    }
    const auto result = parse_result(*text);
    if (!result) {
        complain(result.error());
        return ExitCode::kFailure;
    }
    if (output == Output::kJson) {
        fmt::print("{}\n", nlohmann::json(*result).dump(1));
    } else {
        fmt::print("{}", render_tables(*result, summarise(*result)));
    }
    return ExitCode::kOk;
}

}  // namespace walrus::harness
