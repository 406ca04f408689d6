#include "harness/scenario/scenario_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace walrus::harness {
namespace {

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

Result<toml::table> parse_toml(std::string_view text, const std::string& path,
                               const std::vector<Override>& overrides) {
    toml::table root;
    try {
        root = toml::parse(text, path);
    } catch (const toml::parse_error& error) {
        Problems problems(path);
        problems.add(error.source().begin.line, error.description());
        return problems.error();
    }
    for (const Override& change : overrides) WALRUS_RETURN_IF_ERROR(apply_override(root, change));
    return root;
}

void read_systems(TomlTable& table, std::vector<SystemSpec>& systems, Problems& problems) {
    for (const toml::table* node : table.tables("system")) {
        TomlTable inner(*node, "[[system]]", problems);
        SystemSpec system;
        system.name = inner.required_text("name");
        system.driver = inner.required_text("driver");
        system.settings = inner.settings("settings");
        system.line = inner.line();
        inner.finish();
        if (std::ranges::find(systems, system.name, &SystemSpec::name) != systems.end()) {
            inner.problem("name", fmt::format("two systems are called \"{}\"", system.name));
        }
        systems.push_back(std::move(system));
    }
}

}  // namespace walrus::harness
