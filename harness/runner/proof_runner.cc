#include "harness/runner/proof_runner.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/driver/file_descriptor.h"
#include "harness/metrics/machine.h"
#include "harness/runner/child_jobs.h"
#include "harness/runner/run_identity.h"
#include "harness/runner/workspace.h"
#include "walrus/base/version.h"

namespace walrus::harness {
namespace {

using nlohmann::json;

constexpr std::uint64_t kRunIdBits = 48;  // JSON numbers of others are exact up to 2^53.

// How long the child may take: what is planned, and what faults and consumers may need on top.
std::uint64_t longest_ms(const ResilienceScenario& scenario, std::uint64_t slack_ms) {
    const ResiliencePhases& phases = scenario.phases;
    std::uint64_t ns = phases.warm_up_ns + phases.steady_ns + phases.fault_ns + phases.healed_ns +
                       scenario.load.settle_ns;
    for (const DueFault& due : due_faults(scenario)) ns += due.plan->duration_ns;
    return ns / 1'000'000 + slack_ms * (1 + scenario.faults.size());
}

class ProofRunner {
public:
    ProofRunner(const ProofTask& task, const Registry& registry, const RunOptions& options,
                Random& random, Workspace workspace)
        : task_(task),
          registry_(registry),
          options_(options),
          random_(random),
          workspace_(std::move(workspace)),
          jobs_(options.executable) {}

    Result<ProofResult> run(const ProofProgress& on_progress) {
        result_.scenario = task_.scenario.name;
        const std::string begun = utc_now();
        std::error_code error;
        std::filesystem::create_directories(workspace_.bundle() + "/histories", error);
        WALRUS_RETURN_IF_ERROR(
            write_whole_file(workspace_.bundle() + "/scenario.toml", task_.text));
        for (const SystemSpec& system : task_.scenario.systems) {
            if (noted_signal() != 0) break;
            if (const Status present = check_present(system, registry_); !present) {
                result_.skipped.push_back(
                    fmt::format("{}: {}", system.name, present.error().message));
                continue;
            }
            if (on_progress) on_progress(system.name);
            result_.runs.push_back(run_system(system));
        }
        result_.interrupted = noted_signal() != 0;
        const json about = {{"run",
                             {{"uuid", make_uuid(random_)},
                              {"begun", begun},
                              {"command_line", options_.command_line},
                              {"seed", task_.scenario.seed},
                              {"harness", std::string(build_commit())}}},
                            {"host", machine_facts(workspace_.data())},
                            {"overrides", task_.overrides}};
        workspace_.close();
        WALRUS_RETURN_IF_ERROR(write_proof(workspace_.bundle(), result_, about));
        return std::move(result_);
    }

private:
    ProofRun run_system(const SystemSpec& system) {
        const std::string history =
            fmt::format("{}/histories/{}.jsonl", workspace_.bundle(), system.name);
        const Status done = run_child(system, history);
        auto found = read_history(history);
        ProofRun run{.system = system.name, .error = {}, .history = {}, .judgement = {}};
        if (found) run = judge_run(system.name, std::move(*found), task_.scenario.check);
        if (!done) run.error = done.error().message;
        return run;
    }

    Status run_child(const SystemSpec& system, const std::string& history) {
        const auto directory = workspace_.make_directory(as_file_name(system.name));
        if (!directory) return directory.error();
        Job job;
        job.kind = JobKind::kProve;
        job.directory = *directory;
        job.system = system;
        job.run_id = random_.next() >> (64 - kRunIdBits);
        job.proof = {.text = task_.text,
                     .path = task_.scenario.path,
                     .overrides = task_.overrides,
                     .seed = task_.scenario.seed,
                     .history = history,
                     .logs = workspace_.bundle() + "/logs"};
        const auto answer = jobs_.ask(job, workspace_.log_path(as_file_name(system.name) + ".log"),
                                      longest_ms(task_.scenario, options_.child_slack_ms));
        const bool keep = options_.keep_data && !answer;
        if (!keep) workspace_.remove_directory(*directory);
        return answer ? Status() : answer.error();
    }

    const ProofTask& task_;
    const Registry& registry_;
    const RunOptions& options_;
    Random& random_;
    const Workspace workspace_;
    const ChildJobs jobs_;
    ProofResult result_;
};

}  // namespace

Result<ProofTask> load_resilience(const std::string& path, const std::vector<Override>& overrides) {
    auto text = read_whole_file(path);
    if (!text) return std::move(text).error();
    auto scenario = parse_resilience(*text, path, overrides);
    if (!scenario) return std::move(scenario).error();
    return ProofTask{
        .scenario = std::move(*scenario), .text = std::move(*text), .overrides = overrides};
}

Result<ProofResult> run_resilience(const ProofTask& task, const Registry& registry,
                                   const RunOptions& options, Random& random,
                                   const ProofProgress& on_progress) {
    const std::string run_name =
        fmt::format("{}-{:08x}", as_file_name(task.scenario.name), random.next() & 0xffff'ffff);
    auto workspace = Workspace::create(options.bundle_directory, options.data_directory, run_name);
    if (!workspace) return std::move(workspace).error();
    return ProofRunner(task, registry, options, random, std::move(*workspace)).run(on_progress);
}

}  // namespace walrus::harness
