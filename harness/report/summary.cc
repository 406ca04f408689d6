#include "harness/report/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace walrus::harness {
namespace {

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
void derive_class(const RunResult& result, const Row& row, std::uint64_t appends,
                  std::uint64_t flushes, Line& line) {
    const Workload& workload = row.workload;
    if (result.host.contains("device") && result.host.at("device").starts_with("not visible")) {
        line.derived_class = "unknown (no device is visible)";
        return;
    }
    const double in_flight = static_cast<double>(workload.writers) * workload.outstanding;
    const bool enough =
        static_cast<double>(flushes) * in_flight >= kFlushTolerance * static_cast<double>(appends);
    const bool intact = line.records_checked > 0 && line.anomalies == 0;
    const bool survived_kill = intact && row.ending != Ending::kKeep;
    if (enough && appends > 0 && line.durability >= Durability::kDisk) {
        line.derived_class = "disk";
    } else if (survived_kill) {
        line.derived_class = "process";
    } else if (intact) {
        line.derived_class = "unknown (the server was not killed)";
    } else {
        line.derived_class = "none";
    }
    line.class_mismatch = line.durability >= Durability::kDisk && line.derived_class != "disk";
}

// Median of one durable write of the device: as measured beside the line's own repetitions, or by
// the whole run.  0: not measured.
std::uint64_t floor_of(const RunResult& result, const SystemResult& system, Line& line) {
    FloorResult own;
    for (const Repetition& repetition : system.repetitions) {
        if (!repetition.measured()) continue;
        own.overwrite_ns.merge(repetition.floor.overwrite_ns);
        own.append_ns.merge(repetition.floor.append_ns);
    }
    line.own_floor = own.measured();
    const FloorResult& floor = line.own_floor ? own : result.floor;
    return (floor.overwrite_ns.count() > 0 ? floor.overwrite_ns : floor.append_ns).quantile(0.5);
}

void add_latency(const RunResult& result, const SystemResult& system, Line& line, const Row& row) {
    const Histogram latency = merged_latency(system);
    std::uint64_t appends = 0;
    std::uint64_t records = 0;
    std::uint64_t flushes = 0;
    for (const Repetition& repetition : system.repetitions) {
        if (!repetition.measured()) continue;
        appends += repetition.write.appends;
        records += repetition.write.records;
        flushes += repetition.write.activity.total.device.flushes;
    }
    line.p50_ns = latency.quantile(0.5);
    line.p99_ns = latency.quantile(0.99);
    line.p999_ns = latency.quantile(0.999);
    if (appends > 0) {
        line.flushes_per_append = static_cast<double>(flushes) / static_cast<double>(appends);
    }
    if (records > 0) {
        line.flushes_per_record = static_cast<double>(flushes) / static_cast<double>(records);
    }
    line.floor_p50_ns = floor_of(result, system, line);
    if (line.durability >= Durability::kDisk && line.floor_p50_ns > 0) {
        line.p50_over_floor =
            static_cast<double>(line.p50_ns) / static_cast<double>(line.floor_p50_ns);
    }
    derive_class(result, row, appends, flushes, line);
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
        } else {
            ++line.rejected;
        }
        if (!repetition.checked) continue;
        const Verdict& verdict = repetition.read_back.verdict;
        line.records_checked += verdict.acknowledged;
        for (const Anomaly& anomaly : verdict.anomalies) line.anomalies += anomaly.count;
        if (line.anomaly_summary.empty()) line.anomaly_summary = verdict.summary();
    }
}

// What only open loops and rows with readers have.
void add_load(const SystemResult& system, Line& line) {
    Histogram delay;
    Histogram read_latency;
    std::uint64_t sends = 0;
    for (const Repetition& repetition : system.repetitions) {
        if (!repetition.measured()) continue;
        line.offered_per_s = repetition.write.offered_rate_per_s;
        delay.merge(repetition.write.delay_ns);
        line.late_sends += repetition.write.late_sends;
        sends += repetition.write.delay_ns.count();
        read_latency.merge(repetition.read.latency_ns);
        if (repetition.read.caught_up) ++line.caught_up;
    }
    line.delay_p99_ns = delay.quantile(0.99);
    if (sends > 0) {
        line.late_share = static_cast<double>(line.late_sends) / static_cast<double>(sends);
    }
    line.read_p50_ns = read_latency.quantile(0.5);
    line.read_p99_ns = read_latency.quantile(0.99);
}

// Every warning once, with how many repetitions it is about.
void add_warnings(const SystemResult& system, Line& line) {
    std::map<std::string, std::uint32_t> counts;
    for (const Repetition& repetition : system.repetitions) {
        if (!repetition.measured()) continue;
        for (const std::string& warning : repetition.warnings) ++counts[warning];
    }
    for (const auto& [warning, count] : counts) {
        line.warnings.push_back(
            fmt::format("{} ({} of {} repetitions)", warning, count, line.repetitions));
    }
}

// What the line's ratio is to; null with the reason in line.no_verdict when there is nothing.
const SystemResult* baseline_of(const RunResult& result, const RowResult& row, Line& line) {
    const Row& shape = row.row;
    if (shape.baseline.empty()) {
        line.no_verdict = "the row names no baseline";
        return nullptr;
    }
    const RowResult* base_row =
        shape.baseline_row.empty() ? &row : result.find_row(shape.baseline_row);
    const SystemResult* base = base_row == nullptr ? nullptr : base_row->find(shape.baseline);
    line.baseline = shape.baseline;
    if (base_row != &row) line.baseline += " in " + shape.baseline_row;
    if (base == nullptr) {
        line.no_verdict = fmt::format("the baseline {} is not in this result", line.baseline);
    } else if (base_row->row.durability != shape.durability) {
        line.no_verdict = fmt::format("the baseline {} is of class {}, this row of class {}",
                                      line.baseline, durability_name(base_row->row.durability),
                                      durability_name(shape.durability));
        base = nullptr;
    } else if (!base->skipped.empty()) {
        line.no_verdict = fmt::format("the baseline {} was skipped", line.baseline);
        base = nullptr;
    }
    return base;
}

void add_ratio(const RunResult& result, const RowResult& row, const SystemResult& system,
               Line& line) {
    if (row.row.measure == Measure::kScan) {
        line.baseline = "plain reads";
        line.ratio = ratio_to_plain_reads(system, result.scenario.seed);
    } else {
        const SystemResult* base = baseline_of(result, row, line);
        if (base == nullptr) return;
        line.is_baseline = base == &system;
        if (line.is_baseline) return;
        line.ratio = ratio_between(row.row, system, *base, result.scenario.seed);
    }
    line.judgement = judge(line.ratio);
    line.no_verdict = why_no_judgement(line.ratio);
    if (!system.no_verdict.empty()) line.no_verdict = system.no_verdict;
    if (line.class_mismatch) line.no_verdict = "its flushes deny the declared class";
    if (!result.complete) line.no_verdict = "the run is incomplete";
    if (!line.no_verdict.empty()) line.judgement = Judgement::kNone;
}

Line summarise_system(const RunResult& result, std::size_t row_index, std::size_t system_index) {
    const RowResult& row = result.rows[row_index];
    const SystemResult& system = row.systems[system_index];
    Line line;
    line.row = row.row.name;
    line.row_index = row_index;
    line.system_index = system_index;
    line.measure = row.row.measure;
    line.durability = row.row.durability;
    line.workload = describe(row.row.workload);
    line.system = system.system;
    line.level = system.level;
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
    add_latency(result, system, line, row.row);
    add_load(system, line);
    add_warnings(system, line);
    add_ratio(result, row, system, line);
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

bool has_append_latency(Measure measure) {
    return measure != Measure::kScan && measure != Measure::kRestart && !reads_backlog(measure);
}

bool reads_backlog(Measure measure) {
    return measure == Measure::kCatchUp || measure == Measure::kDrain;
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

Histogram merged_latency(const SystemResult& system) {
    Histogram merged;
    for (const Repetition& repetition : system.repetitions) {
        if (repetition.measured()) merged.merge(repetition.write.latency_ns);
    }
    return merged;
}

std::vector<double> goodnesses(const Row& row, const SystemResult& system) {
    std::vector<double> values;
    for (const Repetition& repetition : system.repetitions) {
        if (repetition.measured()) values.push_back(goodness(row, figure_of(row, repetition)));
    }
    return values;
}

std::vector<Line> summarise(const RunResult& result) {
    std::vector<Line> lines;
    for (std::size_t row = 0; row < result.rows.size(); ++row) {
        for (std::size_t system = 0; system < result.rows[row].systems.size(); ++system) {
            lines.push_back(summarise_system(result, row, system));
        }
    }
    return lines;
}

}  // namespace walrus::harness
