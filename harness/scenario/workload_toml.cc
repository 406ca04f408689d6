#include "harness/scenario/workload_toml.h"

#include <fmt/format.h>

#include <utility>

namespace walrus::harness {
namespace {

constexpr std::uint64_t kMaxWriters = 4096;
constexpr std::uint64_t kMaxReaders = 4096;
constexpr std::uint64_t kMaxBatch = 100'000;
constexpr std::uint64_t kMaxOutstanding = 1'000'000;
constexpr std::uint64_t kMaxTopics = 1'000'000;
constexpr std::uint64_t kMinPayloadBytes = 40;  // workload/payload.h: the header in each record.
constexpr std::uint64_t kMaxPayloadBytes = 64 << 20;
constexpr std::uint64_t kMaxRatePerS = 1'000'000'000;
constexpr std::uint64_t kMaxBurstRecords = 1'000'000'000;
constexpr std::uint64_t kLeastSearchStepNs = 400'000'000;  // Four intervals, to see a backlog grow.

void read_bursts(TomlTable& table, Bursts& bursts) {
    bursts.records = table.count("burst_records", bursts.records, 1, kMaxBurstRecords);
    bursts.growth_records =
        table.count("burst_growth_records", bursts.growth_records, 0, kMaxBurstRecords);
    bursts.most_records =
        table.count("burst_most_records", bursts.most_records, 0, kMaxBurstRecords);
    bursts.pause_ns = table.duration_ns("burst_pause", bursts.pause_ns);
}

// Each row once per value; `apply` sets the value and returns what to call it in the row's name.
template <class Apply>
std::vector<Row> multiply(const std::vector<Row>& rows, const std::vector<std::uint64_t>& values,
                          Apply apply) {
    std::vector<Row> product;
    for (const Row& row : rows) {
        for (const std::uint64_t value : values) {
            Row& copy = product.emplace_back(row);
            const std::string label = apply(copy.workload, value);
            if (values.size() > 1) copy.name += ", " + label;
        }
    }
    return product;
}

void check_load(const Row& row, TomlTable& table) {
    const Workload& workload = row.workload;
    const bool open = workload.load == Load::kOpen;
    const bool searches = row.measure == Measure::kMaxRate;
    const auto problem = [&](const std::string& what) { table.problem("workload", what); };
    if (workload.outstanding > 1 && !open && workload.load != Load::kWindow) {
        problem("outstanding > 1 needs load = \"window\" or \"open\"");
    }
    if (open && !searches && workload.rate_per_s == 0) {
        problem("load = \"open\" needs rate_per_s: how many records per second to send");
    }
    if (!open && workload.rate_per_s > 0) problem("rate_per_s needs load = \"open\"");
    if (!open && workload.arrivals != Arrivals::kUniform) {
        problem("arrivals needs load = \"open\"");
    }
    if (workload.load == Load::kBurst && workload.bursts.records == 0) {
        problem("load = \"burst\" needs burst_records: how many records a burst has");
    }
    if (workload.load != Load::kBurst && workload.bursts != Bursts{}) {
        problem("burst_records, burst_pause, ... need load = \"burst\"");
    }
    if (workload.payload_bytes_max != 0 && workload.payload_bytes_max < workload.payload_bytes) {
        problem(fmt::format("payload_bytes_max: {} is less than payload_bytes, {}",
                            workload.payload_bytes_max, workload.payload_bytes));
    }
    if (searches && !open) problem("measure = \"max-rate\" needs load = \"open\"");
    if (searches && workload.duration_ns < kLeastSearchStepNs) {
        problem("measure = \"max-rate\" needs a duration of 400ms at least for each step");
    }
    if (searches && row.p99_ns == 0) {
        table.problem("p99", "is needed: the bound that a sustained rate keeps, e.g. \"10ms\"");
    }
    if (!open && row.p99_ns > 0) table.problem("p99", "needs load = \"open\"");
}

void check_amounts(const Row& row, TomlTable& table) {
    const Workload& workload = row.workload;
    const auto problem = [&](const std::string& what) { table.problem("workload", what); };
    const bool by_bytes = row.measure == Measure::kScan || row.measure == Measure::kRestart ||
                          row.measure == Measure::kCatchUp || row.measure == Measure::kDrain;
    if (by_bytes && workload.max_bytes == 0) {
        problem(fmt::format("measure = \"{}\" needs max_bytes: how much to write",
                            measure_name(row.measure)));
    }
    const bool timed = row.measure == Measure::kTail || row.measure == Measure::kMaxRate;
    if (timed && workload.max_bytes > 0) {
        problem(fmt::format("measure = \"{}\" takes its duration: max_bytes does not fit",
                            measure_name(row.measure)));
    }
    const bool paced = workload.load == Load::kOpen || workload.load == Load::kBurst;
    if (paced && !timed && !reads_live(row.measure) && workload.max_bytes > 0) {
        problem(fmt::format("load = \"{}\" takes its duration: max_bytes does not fit",
                            load_name(workload.load)));
    }
    if (reads_live(row.measure) && workload.readers == 0) {
        problem(fmt::format("measure = \"{}\" needs readers: how many", measure_name(row.measure)));
    }
    if (!reads_live(row.measure) && workload.readers > 0) {
        problem("readers needs measure = \"tail\", \"catch-up\" or \"drain\"");
    }
    if (workload.under_load && row.measure != Measure::kDrain) {
        problem("under_load needs measure = \"drain\"");
    }
}

}  // namespace

WorkloadSweep read_workload(const toml::table* node, const std::string& where,
                            const WorkloadSweep& from, Problems& problems) {
    WorkloadSweep sweep = from;
    if (node == nullptr) return sweep;
    TomlTable table(*node, where, problems);
    const auto swept = [&](std::string_view key, std::vector<std::uint64_t>& values,
                           std::uint64_t least, std::uint64_t most) {
        std::vector<std::uint64_t> given = table.counts(key, values.front(), least, most);
        if (table.has(key) && !given.empty()) values = std::move(given);
    };
    Workload& base = sweep.base;
    base.load = enumerator(table, "load", base.load, kLoads, load_name);
    swept("writers", sweep.writers, 1, kMaxWriters);
    swept("batch", sweep.batch, 1, kMaxBatch);
    swept("outstanding", sweep.outstanding, 1, kMaxOutstanding);
    swept("topics", sweep.topics, 1, kMaxTopics);
    swept("payload_bytes", sweep.payload_bytes, kMinPayloadBytes, kMaxPayloadBytes);
    base.payload_bytes_max = table.count("payload_bytes_max", base.payload_bytes_max,
                                         kMinPayloadBytes, kMaxPayloadBytes);
    swept("rate_per_s", sweep.rate_per_s, 1, kMaxRatePerS);
    base.arrivals = enumerator(table, "arrivals", base.arrivals, kArrivals, arrivals_name);
    read_bursts(table, base.bursts);
    base.readers = static_cast<std::uint32_t>(table.count("readers", base.readers, 0, kMaxReaders));
    base.under_load = table.flag("under_load", base.under_load);
    base.warmup_ns = table.duration_ns("warmup", base.warmup_ns);
    base.duration_ns = table.duration_ns("duration", base.duration_ns);
    base.max_bytes = table.bytes("max_bytes", base.max_bytes);
    if (base.duration_ns == 0) table.problem("duration", "nothing is measured in 0 s");
    table.finish();
    return sweep;
}

std::vector<Row> expand(const WorkloadSweep& sweep, Row row) {
    row.workload = sweep.base;
    std::vector<Row> rows = {std::move(row)};
    rows = multiply(rows, sweep.payload_bytes, [](Workload& workload, std::uint64_t value) {
        workload.payload_bytes = value;
        return fmt::format("{} B", value);
    });
    rows = multiply(rows, sweep.topics, [](Workload& workload, std::uint64_t value) {
        workload.topics = static_cast<std::uint32_t>(value);
        return fmt::format("{} topic{}", value, value == 1 ? "" : "s");
    });
    rows = multiply(rows, sweep.batch, [](Workload& workload, std::uint64_t value) {
        workload.batch = static_cast<std::uint32_t>(value);
        return fmt::format("batch {}", value);
    });
    rows = multiply(rows, sweep.rate_per_s, [](Workload& workload, std::uint64_t value) {
        workload.rate_per_s = value;
        return fmt::format("{}/s", format_count(value));
    });
    rows = multiply(rows, sweep.writers, [](Workload& workload, std::uint64_t value) {
        workload.writers = static_cast<std::uint32_t>(value);
        return fmt::format("{} writer{}", value, value == 1 ? "" : "s");
    });
    return multiply(rows, sweep.outstanding, [](Workload& workload, std::uint64_t value) {
        workload.outstanding = static_cast<std::uint32_t>(value);
        return fmt::format("{} in flight", value);
    });
}

void check_workload(const Row& row, TomlTable& table) {
    check_load(row, table);
    check_amounts(row, table);
}

}  // namespace walrus::harness
