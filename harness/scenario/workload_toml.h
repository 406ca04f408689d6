// Workloads of a scenario file: the keys, the lists that are swept, what does not fit together.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <string>
#include <vector>

#include "harness/driver/settings.h"
#include "harness/scenario/names.h"
#include "harness/scenario/scenario.h"
#include "harness/scenario/toml_reader.h"

namespace walrus::harness {

// A workload whose swept values are still lists.
struct WorkloadSweep {
    Workload base;
    std::vector<std::uint64_t> writers = {1};
    std::vector<std::uint64_t> batch = {1};
    std::vector<std::uint64_t> outstanding = {1};
    std::vector<std::uint64_t> topics = {1};
    std::vector<std::uint64_t> payload_bytes = {Workload{}.payload_bytes};
    std::vector<std::uint64_t> rate_per_s = {0};
};

// Reads the keys of a workload table, which may be null, on top of `from`.
WorkloadSweep read_workload(const toml::table* node, const std::string& where,
                            const WorkloadSweep& from, Problems& problems);

// `row` once for every combination of the swept values; the first one named varies slowest.
std::vector<Row> expand(const WorkloadSweep& sweep, Row row);

// Adds a problem to `table`, the row's, for everything that cannot be run.
void check_workload(const Row& row, TomlTable& table);

// The value called by a name of `all`; a problem of `table` when there is none.
template <class Enum, std::size_t n>
Enum enumerator(TomlTable& table, std::string_view key, Enum fallback,
                const std::array<Enum, n>& all, std::string_view (*name_of)(Enum)) {
    const std::string name = table.text(key, std::string(name_of(fallback)));
    if (const Enum* value = find_named(all, name_of, name)) return *value;
    const std::vector<std::string_view> names = names_of(all, name_of);
    table.problem(key, "unknown value \"" + name + "\"" + did_you_mean(name, names));
    return fallback;
}

}  // namespace walrus::harness
