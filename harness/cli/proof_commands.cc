#include "harness/cli/proof_commands.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "harness/runner/child_process.h"
#include "walrus/base/random.h"

namespace walrus::harness {
namespace {

void print(const ProofResult& result, Output output) {
    if (output == Output::kJson) {
        fmt::print("{}\n", nlohmann::json{{"schema", kResilienceSchema},
                                          {"scenario", result.scenario},
                                          {"complete", !result.interrupted},
                                          {"skipped", result.skipped},
                                          {"runs", runs_json(result)}}
                               .dump(1));
    } else {
        fmt::print("{}", result_text(result));
    }
}

Result<ProofResult> judge_path(const std::string& path, const std::string& scenario) {
    if (std::filesystem::is_directory(path)) return judge_bundle(path);
    auto history = read_history(path);
    if (!history) return std::move(history).error();
    ResilienceCheck check;
    if (!scenario.empty()) {
        const auto task = load_resilience(scenario, {});
        if (!task) return task.error();
        check = task->scenario.check;
    }
    const std::string name = history->header.scenario;
    const std::string system = history->header.system;
    ProofResult result{.scenario = name, .runs = {}, .skipped = {}};
    result.runs.push_back(judge_run(system, std::move(*history), check));
    return result;
}

}  // namespace

ExitCode exit_code_of(const ProofResult& result) {
    if (result.interrupted) {
        return noted_signal() == SIGTERM ? ExitCode::kTerminated : ExitCode::kInterrupted;
    }
    const auto any = [&](ProofOutcome outcome) {
        return std::ranges::any_of(result.runs, [&](const ProofRun& run) {
            return run.history.header.begin_ns != 0 && run.judgement.outcome == outcome;
        });
    };
    const auto without_history = [](const ProofRun& run) {
        return run.history.header.begin_ns == 0;
    };
    if (any(ProofOutcome::kSafety)) return ExitCode::kSafetyViolation;
    if (any(ProofOutcome::kLiveness)) return ExitCode::kLivenessViolation;
    if (std::ranges::any_of(result.runs, without_history)) return ExitCode::kSetupFailed;
    if (any(ProofOutcome::kInvalid)) return ExitCode::kInconclusive;
    // Zero runs are no success.
    return result.runs.empty() ? ExitCode::kFailure : ExitCode::kOk;
}

ExitCode run_proof(const ProofTask& task, const Registry& registry, const RunOptions& options,
                   const Terminal& terminal) {
    SystemRandom random;
    const auto on_progress = [&](const std::string& system) {
        if (terminal.progress) {
            fmt::print(stderr, "\r\033[K{} / {} ...", task.scenario.name, system);
            std::fflush(stderr);
        }
    };
    const auto result = run_resilience(task, registry, options, random, on_progress);
    if (terminal.progress) fmt::print(stderr, "\r\033[K");
    if (!result) {
        complain(result.error());
        return ExitCode::kSetupFailed;
    }
    print(*result, terminal.output);
    if (terminal.output == Output::kText) {
        fmt::print("report: {}/report.html\n", options.bundle_directory);
    }
    std::fflush(stdout);
    return exit_code_of(*result);
}

ExitCode judge_command(const std::string& path, const std::string& scenario, Output output) {
    const auto result = judge_path(path, scenario);
    if (!result) {
        complain(result.error());
        return result.error().code == Errc::kNotFound ? ExitCode::kUsage : ExitCode::kFailure;
    }
    print(*result, output);
    return exit_code_of(*result);
}

}  // namespace walrus::harness
