#include "harness/report/summary.h"

#include <fmt/format.h>

#include <algorithm>

namespace walrus::harness {
namespace {

constexpr double kNsPerSecond = 1e9;
// Window edges may cut a flush off its appends.
constexpr double kFlushTolerance = 0.9;

double per_second(std::uint64_t amount, std::uint64_t ns) {
    return ns == 0 ? 0 : static_cast<double>(amount) * kNsPerSecond / static_cast<double>(ns);
}

// Larger is better, so that a ratio of two goodnesses is "times better".
double goodness(const Row& row, double figure) {
    if (row.measure != Measure::kRestart) return figure;
    return figure == 0 ? 0 : 1 / figure;
}

// Rounds in which both were measured, paired.
Ratio ratio_between(const Row& row, const SystemResult& ours, const SystemResult& theirs,
                    std::uint64_t seed) {
    std::vector<double> our_figures;
    std::vector<double> their_figures;
    for (const Repetition& mine : ours.repetitions) {
        if (!mine.measured()) continue;
        const auto other = std::ranges::find_if(theirs.repetitions, [&](const Repetition& r) {
            return r.round == mine.round && r.measured();
        });
        if (other == theirs.repetitions.end()) continue;
        our_figures.push_back(goodness(row, figure_of(row, mine)));
        their_figures.push_back(goodness(row, figure_of(row, *other)));
    }
    return paired_ratio(our_figures, their_figures, seed);
}

// Against the plain reads of the same repetition.
Ratio ratio_to_plain_reads(const SystemResult& ours, std::uint64_t seed) {
    std::vector<double> our_figures;
    std::vector<double> plain_figures;
    for (const Repetition& mine : ours.repetitions) {
        const ReadBackFigures& read = mine.read_back;
        if (!mine.measured() || read.plain_ns == 0) continue;
        our_figures.push_back(per_second(read.scan_bytes, read.scan_ns));
        plain_figures.push_back(per_second(read.plain_bytes, read.plain_ns));
    }
    return paired_ratio(our_figures, plain_figures, seed);
}

// A synced append needs a flush after it was sent and before it was acknowledged, and one flush
// can serve at most the appends in flight at that moment.
void derive_class(const RunResult& result, const Workload& workload, std::uint64_t appends,
                  std::uint64_t flushes, Line& line) {
    if (result.host.contains("device") && result.host.at("device").starts_with("not visible")) {
        line.derived_class = "unknown (no device is visible)";
        return;
    }
    const double in_flight = static_cast<double>(workload.writers) * workload.outstanding;
    const bool enough =
        static_cast<double>(flushes) * in_flight >= kFlushTolerance * static_cast<double>(appends);
    const bool survived_kill = line.records_checked > 0 && line.anomalies == 0;
    if (enough && appends > 0 && line.durability >= Durability::kDisk) {
        line.derived_class = "disk";
    } else if (survived_kill) {
        line.derived_class = "process";
    } else {
        line.derived_class = "none";
    }
    line.class_mismatch = line.durability >= Durability::kDisk && line.derived_class != "disk";
}

void add_latency(const RunResult& result, const SystemResult& system, Line& line,
                 const Workload& workload) {
    Histogram latency;
    std::uint64_t appends = 0;
    std::uint64_t flushes = 0;
    for (const Repetition& repetition : system.repetitions) {
        if (!repetition.measured()) continue;
        latency.merge(repetition.write.latency_ns);
        appends += repetition.write.appends;
        flushes += repetition.write.activity.total.device.flushes;
    }
    line.p50_ns = latency.quantile(0.5);
    line.p99_ns = latency.quantile(0.99);
    line.p999_ns = latency.quantile(0.999);
    if (appends > 0) {
        line.flushes_per_append = static_cast<double>(flushes) / static_cast<double>(appends);
    }
    const Histogram& floor =
        result.floor.overwrite_ns.count() > 0 ? result.floor.overwrite_ns : result.floor.append_ns;
    if (line.durability >= Durability::kDisk && floor.count() > 0) {
        line.p50_over_floor =
            static_cast<double>(line.p50_ns) / static_cast<double>(floor.quantile(0.5));
    }
    derive_class(result, workload, appends, flushes, line);
}

void add_checks(const SystemResult& system, Line& line) {
    for (const Repetition& repetition : system.repetitions) {
        if (!repetition.error.empty()) {
            ++line.failed;
            if (line.first_error.empty()) line.first_error = repetition.error;
            continue;
        }
        // A lost record is lost whatever else the machine did: only the figures do not count.
        if (repetition.measured()) {
            ++line.repetitions;
            if (!repetition.disturbance.empty()) ++line.disturbed;
        }
        if (!repetition.checked) continue;
        const Verdict& verdict = repetition.read_back.verdict;
        line.records_checked += verdict.acknowledged;
        for (const Anomaly& anomaly : verdict.anomalies) line.anomalies += anomaly.count;
        if (line.anomaly_summary.empty()) line.anomaly_summary = verdict.summary();
    }
}

Line summarise_system(const RunResult& result, const RowResult& row, const SystemResult& system) {
    Line line;
    line.row = row.row.name;
    line.measure = row.row.measure;
    line.durability = row.row.durability;
    line.workload = describe(row.row.workload);
    line.system = system.system;
    line.skipped = system.skipped;
    if (!system.skipped.empty()) return line;
    add_checks(system, line);

    std::vector<double> figures;
    for (const Repetition& repetition : system.repetitions) {
        if (repetition.measured()) figures.push_back(figure_of(row.row, repetition));
    }
    if (figures.empty()) return line;
    line.figure = median(figures);
    line.lowest = *std::ranges::min_element(figures);
    line.highest = *std::ranges::max_element(figures);
    add_latency(result, system, line, row.row.workload);

    const Row& shape = row.row;
    const std::uint64_t seed = result.scenario.seed;
    if (shape.measure == Measure::kScan) {
        line.ratio = ratio_to_plain_reads(system, seed);
        return line;
    }
    const RowResult* base_row =
        shape.baseline_row.empty() ? &row : result.find_row(shape.baseline_row);
    const SystemResult* base = base_row == nullptr ? nullptr : base_row->find(shape.baseline);
    if (base == nullptr) return line;
    line.is_baseline = base == &system;
    if (!line.is_baseline) line.ratio = ratio_between(shape, system, *base, seed);
    return line;
}

}  // namespace

const SystemResult* RowResult::find(std::string_view system) const {
    const auto found = std::ranges::find(systems, system, &SystemResult::system);
    return found == systems.end() ? nullptr : &*found;
}

const RowResult* RunResult::find_row(std::string_view name) const {
    const auto found =
        std::ranges::find_if(rows, [&](const RowResult& row) { return row.row.name == name; });
    return found == rows.end() ? nullptr : &*found;
}

double figure_of(const Row& row, const Repetition& repetition) {
    switch (row.measure) {
        case Measure::kAppend:
        case Measure::kTail:
            return per_second(repetition.write.records, repetition.write.window_ns);
        case Measure::kScan:
            return per_second(repetition.read_back.scan_bytes, repetition.read_back.scan_ns);
        case Measure::kRestart:
            return static_cast<double>(repetition.read_back.open_ns) / kNsPerSecond;
        case Measure::kMaxRate: return static_cast<double>(repetition.write.sustained_rate_per_s);
        case Measure::kCatchUp:
        case Measure::kDrain: return per_second(repetition.read.records, repetition.read.ns);
    }
    return 0;
}

std::vector<Line> summarise(const RunResult& result) {
    std::vector<Line> lines;
    for (const RowResult& row : result.rows) {
        for (const SystemResult& system : row.systems) {
            lines.push_back(summarise_system(result, row, system));
        }
    }
    return lines;
}

}  // namespace walrus::harness
