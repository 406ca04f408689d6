#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/settings.h"
#include "harness/scenario/names.h"
#include "harness/scenario/scenario.h"
#include "harness/scenario/toml_reader.h"

namespace walrus::harness {
namespace {

constexpr std::uint64_t kMaxWriters = 4096;
constexpr std::uint64_t kMaxBatch = 100'000;
constexpr std::uint64_t kMaxOutstanding = 1'000'000;
constexpr std::uint64_t kMaxTopics = 1'000'000;
constexpr std::uint64_t kMinPayloadBytes = 32;  // workload/payload.h: the header in each record.
constexpr std::uint64_t kMaxPayloadBytes = 64 << 20;
constexpr std::uint64_t kMaxRepetitions = 1000;

// A workload whose swept values are still lists.
struct WorkloadSweep {
    Workload base;
    std::vector<std::uint64_t> writers;
    std::vector<std::uint64_t> batch;
    std::vector<std::uint64_t> outstanding;
    std::vector<std::uint64_t> topics;
    std::vector<std::uint64_t> payload_bytes;
};

template <class Enum, std::size_t n>
Enum enumerator(TomlTable& table, std::string_view key, Enum fallback,
                const std::array<Enum, n>& all, std::string_view (*name_of)(Enum)) {
    const std::string name = table.text(key, std::string(name_of(fallback)));
    if (const Enum* value = find_named(all, name_of, name)) return *value;
    table.problem(key, fmt::format("unknown value \"{}\"{}", name,
                                   did_you_mean(name, names_of(all, name_of))));
    return fallback;
}

// Reads the keys of a workload table on top of `from`.
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
    sweep.base.load = enumerator(table, "load", sweep.base.load, kLoads, load_name);
    swept("writers", sweep.writers, 1, kMaxWriters);
    swept("batch", sweep.batch, 1, kMaxBatch);
    swept("outstanding", sweep.outstanding, 1, kMaxOutstanding);
    swept("topics", sweep.topics, 1, kMaxTopics);
    swept("payload_bytes", sweep.payload_bytes, kMinPayloadBytes, kMaxPayloadBytes);
    sweep.base.warmup_ns = table.duration_ns("warmup", sweep.base.warmup_ns);
    sweep.base.duration_ns = table.duration_ns("duration", sweep.base.duration_ns);
    sweep.base.max_bytes = table.bytes("max_bytes", sweep.base.max_bytes);
    if (sweep.base.duration_ns == 0) table.problem("duration", "nothing is measured in 0 s");
    table.finish();
    return sweep;
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

// Every combination of the swept values; the first one named varies slowest.
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
    rows = multiply(rows, sweep.writers, [](Workload& workload, std::uint64_t value) {
        workload.writers = static_cast<std::uint32_t>(value);
        return fmt::format("{} writer{}", value, value == 1 ? "" : "s");
    });
    return multiply(rows, sweep.outstanding, [](Workload& workload, std::uint64_t value) {
        workload.outstanding = static_cast<std::uint32_t>(value);
        return fmt::format("{} in flight", value);
    });
}

// Their words are part of the result's format already; the loads themselves are not built yet.
bool is_built(const Row& row) {
    return row.workload.load <= Load::kWindow && row.measure <= Measure::kRestart;
}

void check_row(const Row& row, TomlTable& table, const Scenario& scenario) {
    if (!is_built(row)) table.problem("measure", "this load or measure is not built yet");
    if (row.workload.load == Load::kClosed && row.workload.outstanding > 1) {
        table.problem("workload", "outstanding > 1 needs load = \"window\"");
    }
    if (row.measure != Measure::kAppend && row.workload.max_bytes == 0) {
        table.problem("workload", fmt::format("measure = \"{}\" needs max_bytes: how much to write",
                                              measure_name(row.measure)));
    }
    std::vector<std::string_view> known;
    for (const SystemSpec& system : scenario.systems) known.push_back(system.name);
    for (const std::string& system : row.systems) {
        if (scenario.find_system(system) != nullptr) continue;
        table.problem("systems", fmt::format("no [[system]] is called \"{}\"{}", system,
                                             did_you_mean(system, known)));
    }
    if (row.systems.empty()) table.problem("systems", "is needed: which systems to measure");
    if (row.baseline.empty()) {
        if (!row.baseline_row.empty()) table.problem("baseline_row", "needs baseline as well");
        return;
    }
    if (scenario.find_system(row.baseline) == nullptr) {
        table.problem("baseline", fmt::format("no [[system]] is called \"{}\"{}", row.baseline,
                                              did_you_mean(row.baseline, known)));
    } else if (row.baseline_row.empty() &&
               std::ranges::find(row.systems, row.baseline) == row.systems.end()) {
        table.problem("baseline", "is not among the systems of this row");
    }
}

// Baselines in other rows can be checked only when all rows are known.
void check_baseline_rows(const Scenario& scenario, Problems& problems) {
    std::vector<std::string_view> known;
    for (const Row& row : scenario.rows) known.push_back(row.name);
    for (const Row& row : scenario.rows) {
        if (std::ranges::count(known, std::string_view(row.name)) > 1) {
            problems.add(row.line, fmt::format("[[row]] two rows are called \"{}\"", row.name));
        }
        if (row.baseline_row.empty()) continue;
        const Row* other = scenario.find_row(row.baseline_row);
        if (other == nullptr) {
            problems.add(row.line,
                         fmt::format("[[row]] baseline_row: no row is called \"{}\"{}",
                                     row.baseline_row, did_you_mean(row.baseline_row, known)));
        } else if (other->durability != row.durability || other->measure != row.measure) {
            problems.add(row.line,
                         fmt::format("[[row]] baseline_row: \"{}\" has another durability class "
                                     "or measure; unlike rows are not compared",
                                     row.baseline_row));
        } else if (std::ranges::find(other->systems, row.baseline) == other->systems.end()) {
            problems.add(row.line, fmt::format("[[row]] baseline_row: \"{}\" does not measure {}",
                                               row.baseline_row, row.baseline));
        }
    }
}

void read_system(const toml::table& node, Scenario& scenario, Problems& problems) {
    TomlTable table(node, "[[system]]", problems);
    SystemSpec system;
    system.name = table.required_text("name");
    system.driver = table.required_text("driver");
    system.settings = table.settings("settings");
    system.line = table.line();
    table.finish();
    if (scenario.find_system(system.name) != nullptr) {
        table.problem("name", fmt::format("two systems are called \"{}\"", system.name));
    }
    scenario.systems.push_back(std::move(system));
}

void read_row(const toml::table& node, const WorkloadSweep& defaults, Scenario& scenario,
              Problems& problems) {
    TomlTable table(node, "[[row]]", problems);
    Row row;
    row.name = table.required_text("name");
    row.line = table.line();
    row.measure = enumerator(table, "measure", row.measure, kMeasures, measure_name);
    row.ending = enumerator(table, "ending", row.ending, kEndings, ending_name);
    const std::string durability = table.required_text("durability");
    if (const auto parsed = parse_durability(durability)) {
        row.durability = *parsed;
    } else if (!durability.empty()) {
        table.problem("durability", parsed.error().message);
    }
    row.systems = table.texts("systems");
    row.baseline = table.text("baseline", "");
    row.baseline_row = table.text("baseline_row", "");
    const WorkloadSweep sweep =
        read_workload(table.table("workload"), "[[row]] workload", defaults, problems);
    table.finish();

    for (Row& expanded : expand(sweep, row)) {
        check_row(expanded, table, scenario);
        scenario.rows.push_back(std::move(expanded));
    }
}

Scenario read_scenario(const toml::table& root, const std::string& path, Problems& problems) {
    Scenario scenario;
    scenario.path = path;
    TomlTable table(root, "scenario", problems);
    scenario.name = table.required_text("name");
    scenario.title = table.text("title", scenario.name);
    scenario.seed = table.count("seed", scenario.seed, 0, INT64_MAX);
    scenario.repetitions = static_cast<std::uint32_t>(
        table.count("repetitions", scenario.repetitions, 1, kMaxRepetitions));
    const WorkloadSweep defaults = read_workload(table.table("workload"), "[workload]",
                                                 {.base = {},
                                                  .writers = {1},
                                                  .batch = {1},
                                                  .outstanding = {1},
                                                  .topics = {1},
                                                  .payload_bytes = {Workload{}.payload_bytes}},
                                                 problems);
    for (const toml::table* system : table.tables("system")) {
        read_system(*system, scenario, problems);
    }
    for (const toml::table* row : table.tables("row")) {
        read_row(*row, defaults, scenario, problems);
    }
    table.finish();
    if (scenario.rows.empty()) table.problem("row", "a scenario needs at least one [[row]]");
    check_baseline_rows(scenario, problems);
    return scenario;
}

// The nodes that a path of an override names; a last key that does not exist yet is created by
// set_value, so that the check for unknown keys can speak about it.
void set_value(toml::node& node, std::string_view path, const toml::node& value, bool& found) {
    const std::string_view segment = path.substr(0, path.find('.'));
    const bool last = segment.size() == path.size();
    const std::string_view rest = last ? "" : path.substr(segment.size() + 1);
    if (toml::table* table = node.as_table()) {
        if (last) {
            table->insert_or_assign(segment, value);
            found = true;
            return;
        }
        toml::node* inner = table->get(segment);
        if (inner == nullptr) {
            inner = &table->insert_or_assign(segment, toml::table{}).first->second;
        }
        set_value(*inner, rest, value, found);
        return;
    }
    toml::array* array = node.as_array();
    if (array == nullptr) return;
    for (std::size_t i = 0; i < array->size(); ++i) {
        if (segment != "*" && segment != std::to_string(i)) continue;
        if (!last) set_value((*array)[i], rest, value, found);
    }
}

// "key=value": the value is TOML (5, true, [1, 2], "text"); anything else is taken as text.
Status apply_override(toml::table& root, const Override& change) {
    const auto equals = change.find('=');
    if (equals == std::string::npos || equals == 0) {
        return Error{Errc::kInvalidArgument, fmt::format("--set {}: must be key=value", change)};
    }
    const std::string path = change.substr(0, equals);
    const std::string text = change.substr(equals + 1);
    toml::table parsed;
    try {
        parsed = toml::parse("v = " + text);
    } catch (const toml::parse_error&) {
        parsed = toml::table{{"v", text}};
    }
    bool found = false;
    set_value(root, path, *parsed.get("v"), found);
    if (found) return {};
    return Error{Errc::kInvalidArgument,
                 fmt::format("--set {}: no such place in the scenario", change)};
}

}  // namespace

Result<Scenario> parse_scenario(std::string_view text, const std::string& path,
                                const std::vector<Override>& overrides) {
    Problems problems(path);
    toml::table root;
    try {
        root = toml::parse(text, path);
    } catch (const toml::parse_error& error) {
        problems.add(error.source().begin.line, error.description());
        return problems.error();
    }
    for (const Override& change : overrides) WALRUS_RETURN_IF_ERROR(apply_override(root, change));
    Scenario scenario = read_scenario(root, path, problems);
    if (!problems.empty()) return problems.error();
    return scenario;
}

Result<Scenario> load_scenario(const std::string& path, const std::vector<Override>& overrides) {
    const auto text = read_whole_file(path);
    if (!text) return text.error();
    return parse_scenario(*text, path, overrides);
}

}  // namespace walrus::harness
