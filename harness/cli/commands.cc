#include "harness/cli/commands.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/driver/settings.h"
#include "harness/metrics/paced_clock.h"
#include "harness/report/bundle.h"
#include "harness/report/result_json.h"
#include "harness/report/summary.h"
#include "harness/report/tables.h"
#include "harness/runner/child_process.h"
#include "harness/runner/runner.h"
#include "walrus/base/random.h"

namespace walrus::harness {
namespace {

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
        if (const Status present = check_present(system, registry); !present) {
            missing.push_back(fmt::format("{}: {}", system.name, present.error().message));
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

// "3m20s left", once there is something to go by.
std::string time_left(const Progress& progress) {
    if (progress.done == 0 || progress.done >= progress.total) return "";
    const double share = static_cast<double>(progress.done) / progress.total;
    const double elapsed_s = static_cast<double>(progress.elapsed_ns) / 1e9;
    const auto left_s = static_cast<std::uint64_t>(elapsed_s / share - elapsed_s + 1);
    if (left_s < 60) return fmt::format(", about {} s left", left_s);
    return fmt::format(", about {} min {} s left", left_s / 60, left_s % 60);
}

// One line that is overwritten, on a terminal only.  The last figure stays until there is another.
ProgressSink progress_line() {
    return [figure = std::string()](const Progress& progress) mutable {
        if (!progress.figure.empty()) figure = ", last " + progress.figure;
        const std::string again =
            progress.attempt == 0 ? "" : fmt::format(", attempt {}", progress.attempt + 1);
        fmt::print(stderr, "\r\033[K[{}/{}{}] round {}: {}{}{}", progress.done, progress.total,
                   time_left(progress), progress.round + 1, progress.what, again, figure);
        std::fflush(stderr);
    };
}

std::uint64_t anomalies_in(const RunResult& result) {
    std::uint64_t count = 0;
    for (const RowResult& row : result.rows) {
        for (const SystemResult& system : row.systems) {
            for (const Repetition& repetition : system.repetitions) {
                // Whatever else went wrong in it: a lost record is lost.
                for (const Anomaly& anomaly : repetition.read_back.verdict.anomalies) {
                    count += anomaly.count;
                }
            }
        }
    }
    return count;
}

bool any_without_verdict(const RunResult& result) {
    return std::ranges::any_of(result.rows, [](const RowResult& row) {
        return std::ranges::any_of(row.systems,
                                   [](const SystemResult& s) { return !s.no_verdict.empty(); });
    });
}

// The worst thing that happened decides.
ExitCode verdict_of(const RunResult& result, const std::vector<Line>& lines) {
    if (noted_signal() == SIGINT) return ExitCode::kInterrupted;
    if (noted_signal() == SIGTERM) return ExitCode::kTerminated;
    if (anomalies_in(result) > 0) return ExitCode::kSafetyViolation;
    if (!result.complete) return ExitCode::kSetupFailed;
    const auto any = [&](auto predicate) { return std::ranges::any_of(lines, predicate); };
    if (any([](const Line& line) { return line.failed > 0; })) return ExitCode::kFailure;
    if (any([](const Line& line) { return line.class_mismatch; })) return ExitCode::kFailure;
    if (any_without_verdict(result)) return ExitCode::kInconclusive;
    if (std::ranges::all_of(lines, [](const Line& line) { return line.repetitions == 0; })) {
        return ExitCode::kFailure;
    }
    return ExitCode::kOk;
}

// The first system without a verdict and how many more there are; the tables name them all.
void complain_about_no_verdict(const RunResult& result) {
    std::size_t count = 0;
    std::string first;
    for (const RowResult& row : result.rows) {
        for (const SystemResult& system : row.systems) {
            if (system.no_verdict.empty() || ++count > 1) continue;
            first = fmt::format("{} / {}: {}", row.row.name, system.system, system.no_verdict);
        }
    }
    if (count == 0) return;
    const std::string more = count == 1 ? "" : fmt::format(" (and {} more)", count - 1);
    fmt::print(stderr, "walrus-harness: no verdict: {}{}\n", first, more);
}

// What the terminal must be told even when it prints JSON.
void complain_about(const RunResult& result, const std::string& bundle) {
    complain_about_no_verdict(result);
    if (noted_signal() == 0) {
        if (!result.complete) fmt::print(stderr, "walrus-harness: {}\n", result.notes.back());
        return;
    }
    fmt::print(stderr,
               "walrus-harness: interrupted by signal {} ({}): what was measured so far is in {}, "
               "marked incomplete\n",
               noted_signal(), ::sigdescr_np(noted_signal()), bundle);
}

// Leaves `value_ns` alone when `text` is empty.
Status take_duration(const char* option, const std::string& text, std::uint64_t& value_ns) {
    if (text.empty()) return {};
    const auto parsed = parse_duration_ns(text);
    if (!parsed) {
        return Error{Errc::kInvalidArgument, fmt::format("{}: {}", option, parsed.error().message)};
    }
    value_ns = *parsed;
    return {};
}

Result<RunOptions> options_of(const RunArguments& arguments, const Scenario& scenario) {
    RunOptions options;
    options.executable = std::filesystem::read_symlink("/proc/self/exe");
    options.bundle_directory = bundle_directory(arguments, scenario);
    options.data_directory = arguments.data;
    options.command_line = arguments.command_line;
    options.quick = arguments.quick;
    options.keep_data = arguments.keep_data;
    options.gate.enabled = !arguments.no_gate;
    std::uint64_t child_timeout_ns = options.child_slack_ms * 1'000'000;
    WALRUS_RETURN_IF_ERROR(
        take_duration("--child-timeout", arguments.child_timeout, child_timeout_ns));
    options.child_slack_ms = std::max<std::uint64_t>(1, child_timeout_ns / 1'000'000);
    WALRUS_RETURN_IF_ERROR(take_duration("--gate-wait", arguments.gate_wait, options.gate.wait_ns));
    return options;
}

ExitCode run_one(const RunArguments& arguments, const Scenario& scenario, const Registry& registry,
                 const Terminal& terminal) {
    const auto options = options_of(arguments, scenario);
    if (!options) {
        complain(options.error());
        return ExitCode::kUsage;
    }
    SystemRandom random;
    const auto result = run_scenario(scenario, registry, *options, random,
                                     terminal.progress ? progress_line() : ProgressSink());
    if (terminal.progress) fmt::print(stderr, "\r\033[K");
    if (!result) {
        complain(result.error());
        return ExitCode::kSetupFailed;
    }
    const std::vector<Line> lines = summarise(*result);
    if (terminal.output == Output::kJson) {
        fmt::print("{}\n", nlohmann::json(*result).dump(1));
    } else {
        fmt::print("{}", render_tables(*result, lines));
    }
    const Status reported = write_report(options->bundle_directory);
    if (reported && terminal.output == Output::kText) {
        fmt::print("report: {}/report.html\n", options->bundle_directory);
    }
    std::fflush(stdout);
    if (!reported) complain(reported.error());
    complain_about(*result, options->bundle_directory);
    const ExitCode verdict = verdict_of(*result, lines);
    return reported || verdict != ExitCode::kOk ? verdict : ExitCode::kFailure;
}

// Which of two scenarios' codes the program ends with.
ExitCode worse(ExitCode a, ExitCode b) {
    constexpr std::array kMildestFirst = {ExitCode::kOk,          ExitCode::kInconclusive,
                                          ExitCode::kFailure,     ExitCode::kUsage,
                                          ExitCode::kSetupFailed, ExitCode::kSafetyViolation,
                                          ExitCode::kInterrupted, ExitCode::kTerminated};
    const auto rank = [&](ExitCode code) { return std::ranges::find(kMildestFirst, code); };
    return rank(a) > rank(b) ? a : b;
}

}  // namespace

void complain(const Error& error) {
    fmt::print(stderr, "walrus-harness: {}\n", error.message);
}

ExitCode run_command(const RunArguments& arguments, const Registry& registry,
                     const Terminal& terminal) {
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
        if (!missing.empty() && arguments.require) {
            fmt::print(stderr, "walrus-harness: --require: nothing was run\n");
            return ExitCode::kComparatorMissing;
        }
        scenarios.push_back(std::move(*scenario));
    }
    note_signals_instead_of_dying();
    ExitCode worst = ExitCode::kOk;
    for (const Scenario& scenario : scenarios) {
        worst = worse(worst, run_one(arguments, scenario, registry, terminal));
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

}  // namespace walrus::harness
