#include "harness/workload/load.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "harness/workload/rate_search.h"
#include "harness/workload/session.h"

namespace walrus::harness {
namespace {

// When the row gives no bound.
constexpr std::uint64_t kLateAfterNs = 1'000'000;
constexpr std::uint64_t kSearchStartPerS = 1'000;
constexpr double kNsPerSecond = 1e9;

Result<PhaseReport> run_window(LoadSession& session, const Row& row) {
    return session.run({.workload = row.workload, .read = row.measure == Measure::kTail});
}

// Writes the backlog as fast as the system takes it, then lets the readers at it.
Result<PhaseReport> run_with_backlog(LoadSession& session, const Row& row) {
    PhasePlan build{.workload = row.workload};
    build.workload.load = row.workload.outstanding > 1 ? Load::kWindow : Load::kClosed;
    auto built = session.run(build);
    if (!built || !built->first_error.empty()) return built;
    PhasePlan reading{.workload = row.workload, .read = true, .until_caught_up = true};
    reading.workload.max_bytes = 0;
    reading.write = row.measure == Measure::kCatchUp || row.workload.under_load;
    auto read = session.run(reading);
    if (read && !reading.write) read->write = std::move(built->write);
    return read;
}

SearchStep judge(const PhaseReport& phase, const Row& row, std::uint64_t rate_per_s) {
    const WriteFigures& write = phase.write;
    const double seconds = static_cast<double>(write.window_ns) / kNsPerSecond;
    const std::uint64_t intervals = std::max<std::uint64_t>(1, write.series.size());
    StepObservation step;
    step.rate_per_s = rate_per_s;
    step.achieved_per_s = static_cast<std::uint64_t>(static_cast<double>(write.records) / seconds);
    step.lag_ns = phase.lag_ns;
    step.latency_ns = write.latency_ns;
    step.backlog = phase.backlog;
    step.due_per_interval =
        static_cast<std::uint64_t>(static_cast<double>(rate_per_s) * seconds) / intervals;
    // What may be in flight at any moment is no growth.
    const std::uint64_t slack = std::uint64_t{row.workload.writers} * row.workload.batch;
    return judge_step(step, row.p99_ns, slack);
}

// The figures of the last step, which is the confirming one when there is one.
Result<PhaseReport> search_max_rate(LoadSession& session, const Row& row) {
    RateSearch search(
        {.start_per_s = row.workload.rate_per_s > 0 ? row.workload.rate_per_s : kSearchStartPerS,
         .most_steps = kMostSearchSteps});
    std::vector<SearchStep> steps;
    PhaseReport last;
    while (search.next_rate() > 0) {
        PhasePlan phase{.workload = row.workload};
        phase.workload.rate_per_s = search.next_rate();
        auto report = session.run(phase);
        if (!report) return report;
        last = std::move(*report);
        SearchStep& step = steps.emplace_back(judge(last, row, search.next_rate()));
        step.confirms = search.confirming();
        if (!last.first_error.empty()) break;
        search.observe(step.sustained);
    }
    last.write.search = std::move(steps);
    last.write.sustained_rate_per_s = search.found();
    return last;
}

Result<PhaseReport> run_measure(LoadSession& session, const Row& row) {
    switch (row.measure) {
        case Measure::kAppend:
        case Measure::kScan:
        case Measure::kRestart:
        case Measure::kTail: return run_window(session, row);
        case Measure::kMaxRate: return search_max_rate(session, row);
        case Measure::kCatchUp:
        case Measure::kDrain: return run_with_backlog(session, row);
    }
    return Error{Errc::kInvalidArgument, "unknown measure"};
}

}  // namespace

Result<LoadReport> run_load(System& system, const LoadRequest& request, PacedClock& clock) {
    const Row& row = request.row;
    auto session = LoadSession::make(system, row.workload,
                                     {.seed = request.seed,
                                      .run_id = request.run_id,
                                      .late_after_ns = row.p99_ns > 0 ? row.p99_ns : kLateAfterNs,
                                      .device = request.device},
                                     clock);
    if (!session) return std::move(session).error();
    auto phase = run_measure(**session, row);
    if (!phase) return std::move(phase).error();
    return LoadReport{.write = std::move(phase->write),
                      .read = std::move(phase->read),
                      .journal = (*session)->journal(),
                      .first_error = std::move(phase->first_error)};
}

}  // namespace walrus::harness
