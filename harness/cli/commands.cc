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

#include "harness/cli/proof_commands.h"
#include "harness/driver/settings.h"
#include "harness/metrics/paced_clock.h"
#include "harness/report/bundle.h"
#include "harness/report/result_json.h"
#include "harness/report/summary.h"
#include "harness/report/tables.h"
#include "harness/runner/child_process.h"
#include "harness/runner/proof_runner.h"
#include "harness/runner/runner.h"
#include "harness/scenario/resilience.h"
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
std::vector<std::string> missing_drivers(const std::vector<SystemSpec>& systems,
                                         const Registry& registry) {
    std::vector<std::string> missing;
    for (const SystemSpec& system : systems) {
        if (const Status present = check_present(system, registry); !present) {
            missing.push_back(fmt::format("{}: {}", system.name, present.error().message));
        }
    }
    return missing;
}

std::string bundle_directory(const RunArguments& arguments, const std::string& name,
                             std::uint64_t seed) {
    if (!arguments.out.empty() && arguments.scenarios.size() == 1) return arguments.out;
    const auto seconds = static_cast<std::time_t>(machine_clock().wall_ms() / 1000);
    const std::string base = arguments.out.empty() ? "bundles" : arguments.out;
    return fmt::format("{}/{:%Y%m%d-%H%M%S}-{}-{}", base, fmt::gmtime(seconds), name, seed);
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

Result<RunOptions> options_of(const RunArguments& arguments, const std::string& name,
                              std::uint64_t seed) {
    RunOptions options;
    options.executable = std::filesystem::read_symlink("/proc/self/exe");
    options.bundle_directory = bundle_directory(arguments, name, seed);
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
    const auto options = options_of(arguments, scenario.name, scenario.seed);
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
    constexpr std::array kMildestFirst = {ExitCode::kOk,
                                          ExitCode::kInconclusive,
                                          ExitCode::kFailure,
                                          ExitCode::kUsage,
                                          ExitCode::kSetupFailed,
                                          ExitCode::kLivenessViolation,
                                          ExitCode::kSafetyViolation,
                                          ExitCode::kInterrupted,
                                          ExitCode::kTerminated};
    const auto rank = [&](ExitCode code) { return std::ranges::find(kMildestFirst, code); };
    return rank(a) > rank(b) ? a : b;
}

// What a file asks for: one of the two.
struct Task {
    std::optional<Scenario> measure;
    std::optional<ProofTask> proof;
};

Result<Task> load_task(const RunArguments& arguments, const std::string& path, DocumentKind kind,
                       const Registry& registry) {
    Task task;
    if (kind == DocumentKind::kMeasure) {
        auto scenario = load(arguments, path, registry);
        if (!scenario) return std::move(scenario).error();
        task.measure = std::move(*scenario);
        return task;
    }
    auto proof = load_resilience(path, arguments.overrides);
    if (!proof) return std::move(proof).error();
    if (arguments.seed) proof->scenario.seed = *arguments.seed;
    WALRUS_RETURN_IF_ERROR(check_against(proof->scenario, registry));
    task.proof = std::move(*proof);
    return task;
}

// Suites in their scenarios' place.
Result<std::vector<std::string>> expand_suites(const std::vector<std::string>& paths) {
    std::vector<std::string> all;
    for (const std::string& path : paths) {
        const auto kind = document_kind(path);
        if (!kind) return kind.error();
        if (*kind != DocumentKind::kSuite) {
            all.push_back(path);
            continue;
        }
        const auto suite = load_suite(path);
        if (!suite) return suite.error();
        all.insert(all.end(), suite->scenarios.begin(), suite->scenarios.end());
    }
    return all;
}

Result<std::vector<Task>> load_tasks(const RunArguments& arguments, const Registry& registry) {
    std::vector<Task> tasks;
    for (const std::string& path : arguments.scenarios) {
        const auto kind = document_kind(path);
        if (!kind) return kind.error();
        if (*kind == DocumentKind::kSuite) {
            return Error{Errc::kInvalidArgument, path + ": a suite cannot be part of a suite"};
        }
        auto task = load_task(arguments, path, *kind, registry);
        if (!task) return std::move(task).error();
        tasks.push_back(std::move(*task));
    }
    return tasks;
}

ExitCode run_task(const RunArguments& arguments, const Task& task, const Registry& registry,
                  const Terminal& terminal) {
    if (task.measure) return run_one(arguments, *task.measure, registry, terminal);
    const ResilienceScenario& scenario = task.proof->scenario;
    const auto options = options_of(arguments, scenario.name, scenario.seed);
    if (options) return run_proof(*task.proof, registry, *options, terminal);
    complain(options.error());
    return ExitCode::kUsage;
}

// What is in it: "3 rows, 2 systems".
Result<std::string> validate_file(const std::string& path, const Registry& registry) {
    const auto kind = document_kind(path);
    if (!kind) return kind.error();
    if (*kind == DocumentKind::kSuite) {
        const auto suite = load_suite(path);
        if (!suite) return suite.error();
        for (const std::string& part : suite->scenarios) {
            if (const auto found = validate_file(part, registry); !found) return found;
        }
        return fmt::format("{} scenarios", suite->scenarios.size());
    }
    const auto task = load_task({}, path, *kind, registry);
    if (!task) return task.error();
    if (task->measure) {
        return fmt::format("{} rows, {} systems", task->measure->rows.size(),
                           task->measure->systems.size());
    }
    const ResilienceScenario& scenario = task->proof->scenario;
    return fmt::format("{} faults, {} systems", due_faults(scenario).size(),
                       scenario.systems.size());
}

// Several scenarios, one line each.
void print_summary(const std::vector<std::pair<std::string, ExitCode>>& codes) {
    std::vector<std::vector<std::string>> rows = {{"scenario", "exit code"}};
    for (const auto& [name, code] : codes) {
        rows.push_back({name, fmt::format("{}", static_cast<int>(code))});
    }
    fmt::print("{}", align_columns(rows, 1));
}

}  // namespace

void complain(const Error& error) {
    fmt::print(stderr, "walrus-harness: {}\n", error.message);
}

ExitCode run_command(const RunArguments& given, const Registry& registry,
                     const Terminal& terminal) {
    RunArguments arguments = given;
    auto paths = expand_suites(given.scenarios);
    if (!paths) {
        complain(paths.error());
        return ExitCode::kUsage;
    }
    arguments.scenarios = std::move(*paths);
    // All scenarios are checked before the first one runs.
    const auto tasks = load_tasks(arguments, registry);
    if (!tasks) {
        complain(tasks.error());
        return ExitCode::kUsage;
    }
    for (const Task& task : *tasks) {
        const std::vector<std::string> missing = missing_drivers(
            task.measure ? task.measure->systems : task.proof->scenario.systems, registry);
        for (const std::string& what : missing) {
            fmt::print(stderr, "walrus-harness: skipped: {}\n", what);
        }
        if (!missing.empty() && arguments.require) {
            fmt::print(stderr, "walrus-harness: --require: nothing was run\n");
            return ExitCode::kComparatorMissing;
        }
    }
    note_signals_instead_of_dying();
    ExitCode worst = ExitCode::kOk;
    std::vector<std::pair<std::string, ExitCode>> codes;
    for (const Task& task : *tasks) {
        const ExitCode code = run_task(arguments, task, registry, terminal);
        codes.emplace_back(task.measure ? task.measure->name : task.proof->scenario.name, code);
        worst = worse(worst, code);
        if (noted_signal() != 0) break;
    }
    if (codes.size() > 1 && terminal.output == Output::kText) print_summary(codes);
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
        const auto what = validate_file(path, registry);
        if (!what) code = ExitCode::kUsage;
        if (output == Output::kJson) {
            documents.push_back({{"path", path},
                                 {"ok", what.has_value()},
                                 {"problems", what ? "" : what.error().message}});
        } else if (!what) {
            complain(what.error());
        } else {
            fmt::print("{}: ok ({})\n", path, *what);
        }
    }
    if (output == Output::kJson) fmt::print("{}\n", documents.dump(1));
    return code;
}

}  // namespace walrus::harness
