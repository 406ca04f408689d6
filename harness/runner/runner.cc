#include "harness/runner/runner.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/settings.h"
#include "harness/metrics/machine.h"
#include "harness/metrics/paced_clock.h"
#include "harness/metrics/quiet.h"
#include "harness/report/result_json.h"
#include "harness/report/summary.h"
#include "harness/runner/child_process.h"
#include "harness/runner/repetition.h"
#include "harness/runner/run_identity.h"
#include "harness/runner/warnings.h"
#include "harness/runner/workspace.h"
#include "harness/scenario/scenario_json.h"
#include "walrus/base/version.h"

namespace walrus::harness {
namespace {

constexpr std::uint64_t kFloorNs = 250'000'000;  // Once per round, where no row is synced.
constexpr std::uint64_t kShortFloorNs = 60'000'000;
constexpr std::uint64_t kLookNs = 500'000'000;

// Looks at the machine for half a second in which the harness sleeps.
class MachineProbe final : public NeighbourProbe {
public:
    explicit MachineProbe(const BlockDevice& device) : device_(device) {}

    std::string look() override {
        PacedClock& clock = machine_clock();
        const Activity begin = observe_activity(device_, ::getpid());
        clock.wait_until(clock.monotonic_ns() + kLookNs);
        return idle_disturbance(activity_between(begin, observe_activity(device_, ::getpid())));
    }

private:
    const BlockDevice& device_;
};

// What run_scenario was given.
struct Request {
    const Scenario& scenario;
    const Registry& registry;
    const RunOptions& options;
    Random& random;
    const ProgressSink& on_progress;
};

class Run {
public:
    Run(const Request& request, const Workspace& workspace)
        : scenario_(request.scenario),
          registry_(request.registry),
          options_(request.options),
          random_(request.random),
          on_progress_(request.on_progress),
          workspace_(workspace),
          probe_(workspace.device()),
          gate_(options_.gate, probe_, machine_clock(), [] { return noted_signal() != 0; }),
          taker_(registry_, workspace, ChildJobs(options_.executable),
                 {.child_slack_ms = options_.child_slack_ms, .keep_data = options_.keep_data}) {}

    Result<RunResult> run(const std::string& uuid) {
        WALRUS_RETURN_IF_ERROR(prepare(uuid));
        Status status;
        for (std::uint32_t round = 0; status && round < scenario_.repetitions; ++round) {
            status = run_round(round);
            if (status) WALRUS_RETURN_IF_ERROR(write_result());
        }
        result_.complete = status.has_value();
        if (!status) result_.notes.push_back(status.error().message);
        close();
        workspace_.close();
        WALRUS_RETURN_IF_ERROR(write_result());
        return std::move(result_);
    }

private:
    Status prepare(const std::string& uuid) {
        result_.uuid = uuid;
        result_.started_at = utc_now();
        result_.revision = std::string(build_commit());
        result_.command_line = options_.command_line;
        result_.quick = options_.quick;
        result_.host = machine_facts(workspace_.data());
        result_.scenario = scenario_;
        for (const Row& row : scenario_.rows) add_row(row);
        result_.notes = scenario_.notes;
        for (std::string& warning :
             machine_warnings(result_.host, workspace_.data(), any_synced_row())) {
            result_.notes.push_back(std::move(warning));
        }
        result_.host["quiet_gate"] = options_.gate.enabled ? "on" : "off";
        if (!options_.gate.enabled) {
            result_.notes.push_back(
                "--no-gate: repetitions count whatever else the machine was doing; indicative "
                "only");
        }
        started_ns_ = machine_clock().monotonic_ns();
        return write_whole_file(workspace_.bundle() + "/scenario.json",
                                nlohmann::json(scenario_).dump(2) + "\n");
    }

    bool any_synced_row() const {
        return std::ranges::any_of(scenario_.rows,
                                   [](const Row& row) { return is_synced(row.durability); });
    }

    void add_row(const Row& row) {
        RowResult& added = result_.rows.emplace_back(RowResult{.row = row, .systems = {}});
        for (const std::string& name : row.systems) {
            const SystemSpec& spec = *scenario_.find_system(name);
            const auto driver = registry_.find(spec.driver);
            const Status present = check_present(spec, registry_);
            SystemResult& system = added.systems.emplace_back();
            system.system = name;
            if (driver) system.level = (*driver)->describe().level;
            if (!present) system.skipped = present.error().message;
            if (present) progress_.total += scenario_.repetitions;
        }
    }

    // What can only be said when all is over.
    void close() {
        for (RowResult& row : result_.rows) {
            for (SystemResult& system : row.systems) {
                system.no_verdict = no_verdict_reason(system, scenario_.repetitions);
            }
        }
        const std::string hot = throttling_warning(result_.host, machine_facts(workspace_.data()));
        if (!hot.empty()) result_.notes.push_back(hot);
        result_.finished_at = utc_now();
    }

    Status run_round(std::uint32_t round) {
        progress_.round = round;
        if (!any_synced_row()) {
            auto floor = measure_floor(kFloorNs);
            if (!floor) return std::move(floor).error();
        }
        for (std::size_t index = 0; index < result_.rows.size(); ++index) {
            RowResult& row = result_.rows[index];
            // Rotated by the round, so that over the rounds no system is always first.
            for (std::uint32_t i = 0; i < row.systems.size(); ++i) {
                SystemResult& system = row.systems[(i + round + index) % row.systems.size()];
                if (!system.skipped.empty()) continue;
                WALRUS_RETURN_IF_ERROR(run_repetition(row.row, system, round, i));
            }
        }
        return {};
    }

    Result<FloorResult> measure_floor(std::uint64_t duration_ns) {
        auto floor = taker_.measure_floor(duration_ns);
        if (noted_signal() != 0) return interrupted();
        if (!floor) return floor;
        result_.floor.overwrite_ns.merge(floor->overwrite_ns);
        result_.floor.append_ns.merge(floor->append_ns);
        return floor;
    }

    // One place in a round: attempts until one counts.  An error ends the run.
    Status run_repetition(const Row& row, SystemResult& system, std::uint32_t round,
                          std::uint32_t position) {
        for (progress_.attempt = 0;; ++progress_.attempt) {
            progress_.what = fmt::format("{} / {}", row.name, system.system);
            report_progress("");
            Repetition repetition;
            repetition.round = round;
            repetition.position = position;
            repetition.attempt = progress_.attempt;
            repetition.seed = scenario_.seed + round;
            const std::uint64_t begin_ns = machine_clock().monotonic_ns();
            WALRUS_RETURN_IF_ERROR(attempt(row, system.system, repetition));
            const Ruling ruling = repetition.error.empty()
                                      ? gate_.judge(repetition.disturbance, repetition.attempt,
                                                    machine_clock().monotonic_ns() - begin_ns)
                                      : Ruling::kKeep;
            if (ruling != Ruling::kKeep) repetition.rejected = repetition.disturbance;
            if (ruling != Ruling::kRetake) ++progress_.done;
            report_progress(repetition.measured() ? describe_figure(row, repetition)
                                                  : repetition.error + repetition.rejected);
            system.repetitions.push_back(std::move(repetition));
            if (noted_signal() != 0) return interrupted();
            if (ruling != Ruling::kRetake) return {};
        }
    }

    Status attempt(const Row& row, const std::string& system, Repetition& repetition) {
        const double ceiling_per_s = taker_.ceiling_per_s(row.workload);
        if (is_synced(row.durability)) {
            auto floor = measure_floor(kShortFloorNs);
            if (!floor) return std::move(floor).error();
            repetition.floor = std::move(*floor);
        }
        Job job;
        job.system = *scenario_.find_system(system);
        job.row = row;
        job.seed = repetition.seed;
        job.run_id = random_.next();
        job.plain_reads_first = (repetition.round + repetition.position) % 2 == 0;
        std::string label =
            fmt::format("r{}-{}", repetition.round, as_file_name(row.name + "-" + system));
        if (repetition.attempt > 0) label += fmt::format("-again{}", repetition.attempt);
        taker_.take(std::move(job), label, repetition);
        if (noted_signal() != 0) return interrupted();
        repetition.disturbance = disturbance_of(row.measure, repetition);
        repetition.warnings = repetition_warnings(row, repetition, ceiling_per_s);
        return {};
    }

    static Error interrupted() {
        return Error{Errc::kFenced, fmt::format("interrupted by signal {} ({})", noted_signal(),
                                                ::sigdescr_np(noted_signal()))};
    }

    void report_progress(const std::string& figure) {
        if (!on_progress_) return;
        progress_.figure = figure;
        progress_.elapsed_ns = machine_clock().monotonic_ns() - started_ns_;
        on_progress_(progress_);
    }

    Status write_result() const {
        return write_whole_file(workspace_.bundle() + "/result.json",
                                nlohmann::json(result_).dump(1) + "\n");
    }

    const Scenario& scenario_;
    const Registry& registry_;
    const RunOptions& options_;
    Random& random_;
    const ProgressSink& on_progress_;
    const Workspace& workspace_;
    MachineProbe probe_;
    QuietGate gate_;
    RepetitionTaker taker_;
    RunResult result_;
    Progress progress_;
    std::uint64_t started_ns_ = 0;
};

}  // namespace

Result<RunResult> run_scenario(const Scenario& scenario, const Registry& registry,
                               const RunOptions& options, Random& random,
                               const ProgressSink& on_progress) {
    const std::string uuid = make_uuid(random);
    const auto workspace = Workspace::create(options.bundle_directory, options.data_directory,
                                             uuid.substr(0, uuid.find('-')));
    if (!workspace) return workspace.error();
    return Run({scenario, registry, options, random, on_progress}, *workspace).run(uuid);
}

std::string describe_figure(const Row& row, const Repetition& repetition) {
    const double figure = figure_of(row, repetition);
    switch (row.measure) {
        case Measure::kAppend:
        case Measure::kMaxRate:
        case Measure::kTail:
        case Measure::kCatchUp:
        case Measure::kDrain:
            return format_count(static_cast<std::uint64_t>(figure)) + " records/s";
        case Measure::kScan: return fmt::format("{:.2f} GB/s", figure / 1e9);
        case Measure::kRestart: return format_duration(static_cast<std::uint64_t>(figure * 1e9));
    }
    return "";
}

}  // namespace walrus::harness
