#include "harness/scenario/scenario_json.h"

#include <fmt/format.h>

#include <stdexcept>

#include "harness/scenario/names.h"

namespace walrus::harness {
namespace {

// An enumerator from its name; throws what the header says.
template <class Enum, std::size_t n>
Enum named(const nlohmann::json& json, const std::array<Enum, n>& all,
           std::string_view (*name_of)(Enum)) {
    const auto name = json.get<std::string>();
    if (const Enum* value = find_named(all, name_of, name)) return *value;
    throw nlohmann::json::other_error::create(599, fmt::format("unknown value \"{}\"", name),
                                              &json);
}

Durability durability_named(const nlohmann::json& json) {
    const auto parsed = parse_durability(json.get<std::string>());
    if (parsed) return *parsed;
    throw nlohmann::json::other_error::create(599, parsed.error().message, &json);
}

// A key that bundles of older versions do not have.
template <class Value>
void get_optional(const nlohmann::json& json, const char* key, Value& value) {
    if (const auto found = json.find(key); found != json.end()) found->get_to(value);
}

nlohmann::json bursts_json(const Bursts& bursts) {
    return {{"records", bursts.records},
            {"growth_records", bursts.growth_records},
            {"most_records", bursts.most_records},
            {"pause_ns", bursts.pause_ns}};
}

Bursts bursts_from(const nlohmann::json& json) {
    return {.records = json.at("records"),
            .growth_records = json.at("growth_records"),
            .most_records = json.at("most_records"),
            .pause_ns = json.at("pause_ns")};
}

}  // namespace

void to_json(nlohmann::json& json, const Workload& workload) {
    json = {{"load", load_name(workload.load)},
            {"writers", workload.writers},
            {"batch", workload.batch},
            {"outstanding", workload.outstanding},
            {"topics", workload.topics},
            {"payload_bytes", workload.payload_bytes},
            {"payload_bytes_max", workload.payload_bytes_max},
            {"rate_per_s", workload.rate_per_s},
            {"arrivals", arrivals_name(workload.arrivals)},
            {"bursts", bursts_json(workload.bursts)},
            {"readers", workload.readers},
            {"under_load", workload.under_load},
            {"warmup_ns", workload.warmup_ns},
            {"duration_ns", workload.duration_ns},
            {"max_bytes", workload.max_bytes}};
}

void from_json(const nlohmann::json& json, Workload& workload) {
    workload.load = named(json.at("load"), kLoads, load_name);
    json.at("writers").get_to(workload.writers);
    json.at("batch").get_to(workload.batch);
    json.at("outstanding").get_to(workload.outstanding);
    json.at("topics").get_to(workload.topics);
    json.at("payload_bytes").get_to(workload.payload_bytes);
    get_optional(json, "payload_bytes_max", workload.payload_bytes_max);
    get_optional(json, "rate_per_s", workload.rate_per_s);
    if (json.contains("arrivals")) {
        workload.arrivals = named(json.at("arrivals"), kArrivals, arrivals_name);
    }
    if (json.contains("bursts")) workload.bursts = bursts_from(json.at("bursts"));
    get_optional(json, "readers", workload.readers);
    get_optional(json, "under_load", workload.under_load);
    json.at("warmup_ns").get_to(workload.warmup_ns);
    json.at("duration_ns").get_to(workload.duration_ns);
    json.at("max_bytes").get_to(workload.max_bytes);
}

void to_json(nlohmann::json& json, const SystemSpec& system) {
    json = {{"name", system.name},
            {"driver", system.driver},
            {"settings", system.settings},
            {"line", system.line}};
}

void from_json(const nlohmann::json& json, SystemSpec& system) {
    json.at("name").get_to(system.name);
    json.at("driver").get_to(system.driver);
    json.at("settings").get_to(system.settings);
    json.at("line").get_to(system.line);
}

void to_json(nlohmann::json& json, const Row& row) {
    json = {{"name", row.name},
            {"measure", measure_name(row.measure)},
            {"durability", durability_name(row.durability)},
            {"ending", ending_name(row.ending)},
            {"workload", row.workload},
            {"systems", row.systems},
            {"settings", row.settings},
            {"p99_ns", row.p99_ns},
            {"baseline", row.baseline},
            {"baseline_row", row.baseline_row},
            {"line", row.line}};
}

void from_json(const nlohmann::json& json, Row& row) {
    json.at("name").get_to(row.name);
    row.measure = named(json.at("measure"), kMeasures, measure_name);
    row.durability = durability_named(json.at("durability"));
    row.ending = named(json.at("ending"), kEndings, ending_name);
    json.at("workload").get_to(row.workload);
    json.at("systems").get_to(row.systems);
    get_optional(json, "settings", row.settings);
    get_optional(json, "p99_ns", row.p99_ns);
    json.at("baseline").get_to(row.baseline);
    json.at("baseline_row").get_to(row.baseline_row);
    json.at("line").get_to(row.line);
}

void to_json(nlohmann::json& json, const Scenario& scenario) {
    json = {{"name", scenario.name},       {"title", scenario.title},
            {"seed", scenario.seed},       {"repetitions", scenario.repetitions},
            {"systems", scenario.systems}, {"rows", scenario.rows},
            {"notes", scenario.notes},     {"path", scenario.path}};
}

void from_json(const nlohmann::json& json, Scenario& scenario) {
    json.at("name").get_to(scenario.name);
    json.at("title").get_to(scenario.title);
    json.at("seed").get_to(scenario.seed);
    json.at("repetitions").get_to(scenario.repetitions);
    json.at("systems").get_to(scenario.systems);
    json.at("rows").get_to(scenario.rows);
    get_optional(json, "notes", scenario.notes);
    json.at("path").get_to(scenario.path);
}

}  // namespace walrus::harness
