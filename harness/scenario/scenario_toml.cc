#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/settings.h"
#include "harness/scenario/names.h"
#include "harness/scenario/omb_yaml.h"
#include "harness/scenario/scenario.h"
#include "harness/scenario/scenario_parts.h"
#include "harness/scenario/toml_reader.h"
#include "harness/scenario/workload_toml.h"

namespace walrus::harness {
namespace {

constexpr std::uint64_t kMaxRepetitions = 1000;

void check_row(const Row& row, TomlTable& table, const Scenario& scenario) {
    check_workload(row, table);
    const bool opens_again = row.measure == Measure::kScan || row.measure == Measure::kRestart;
    if (keeps_servers(row) && opens_again) {
        table.problem("ending", fmt::format("\"keep\" does not fit measure = \"{}\", which opens "
                                            "the system again",
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
    row.settings = table.settings("settings");
    row.p99_ns = table.duration_ns("p99", 0);
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
    table.text("kind", "");  // document_kind() has looked at it.
    scenario.name = table.required_text("name");
    scenario.title = table.text("title", scenario.name);
    scenario.seed = table.count("seed", scenario.seed, 0, INT64_MAX);
    scenario.repetitions = static_cast<std::uint32_t>(
        table.count("repetitions", scenario.repetitions, 1, kMaxRepetitions));
    const WorkloadSweep defaults =
        read_workload(table.table("workload"), "[workload]", WorkloadSweep{}, problems);
    read_systems(table, scenario.systems, problems);
    for (const toml::table* row : table.tables("row")) {
        read_row(*row, defaults, scenario, problems);
    }
    table.finish();
    if (scenario.rows.empty()) table.problem("row", "a scenario needs at least one [[row]]");
    check_baseline_rows(scenario, problems);
    return scenario;
}

}  // namespace

Result<Scenario> parse_scenario(std::string_view text, const std::string& path,
                                const std::vector<Override>& overrides) {
    Problems problems(path);
    auto root = parse_toml(text, path, overrides);
    if (!root) return std::move(root).error();
    Scenario scenario = read_scenario(*root, path, problems);
    if (!problems.empty()) return problems.error();
    return scenario;
}

Result<Scenario> load_scenario(const std::string& path, const std::vector<Override>& overrides) {
    const auto text = read_whole_file(path);
    if (!text) return text.error();
    if (!path.ends_with(".yaml") && !path.ends_with(".yml")) {
        return parse_scenario(*text, path, overrides);
    }
    auto omb = read_omb_workload(*text, path);
    if (!omb) return std::move(omb).error();
    auto scenario = parse_scenario(omb->toml, path, overrides);
    if (scenario) scenario->notes = std::move(omb->notes);
    return scenario;
}

}  // namespace walrus::harness
