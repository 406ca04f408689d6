#include "harness/scenario/toml_reader.h"

#include <fmt/format.h>

#include "harness/driver/settings.h"

namespace walrus::harness {
namespace {

std::string scalar_text(const toml::node& node) {
    if (const auto text = node.value_exact<std::string>()) return *text;
    if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
    if (const auto number = node.value_exact<std::int64_t>()) return fmt::format("{}", *number);
    if (const auto number = node.value_exact<double>()) return fmt::format("{}", *number);
    return "";
}

}  // namespace

void Problems::add(std::uint64_t line, std::string_view what) {
    lines_.push_back(fmt::format("{}:{}: {}", path_, line, what));
}

Error Problems::error() const {
    return Error{Errc::kInvalidArgument, fmt::format("{}", fmt::join(lines_, "\n"))};
}

TomlTable::TomlTable(const toml::table& table, std::string where, Problems& problems)
    : table_(table),
      where_(std::move(where)),
      problems_(problems),
      line_(table.source().begin.line) {}

std::uint64_t TomlTable::line_of(std::string_view key) const {
    const auto found = table_.find(key);
    return found == table_.end() ? line_ : found->first.source().begin.line;
}

void TomlTable::problem(std::string_view key, std::string_view what) {
    problems_.add(line_of(key), fmt::format("{} {}: {}", where_, key, what));
}

const toml::node* TomlTable::take(std::string_view key) {
    known_.emplace(key);
    return table_.get(key);
}

std::string TomlTable::text(std::string_view key, std::string fallback) {
    const toml::node* node = take(key);
    if (node == nullptr) return fallback;
    if (const auto value = node->value_exact<std::string>()) return *value;
    problem(key, "must be a text in quotes");
    return fallback;
}

std::string TomlTable::required_text(std::string_view key) {
    std::string value = text(key, "");
    if (value.empty()) problem(key, "is needed");
    return value;
}

std::uint64_t TomlTable::checked_count(const toml::node& node, std::string_view key,
                                       std::uint64_t fallback, std::uint64_t least,
                                       std::uint64_t most) {
    const auto value = node.value_exact<std::int64_t>();
    if (!value) {
        problem(key, "must be a whole number");
        return fallback;
    }
    if (*value < 0 || static_cast<std::uint64_t>(*value) < least ||
        static_cast<std::uint64_t>(*value) > most) {
        problem(key, fmt::format("{} is not between {} and {}", *value, least, most));
        return fallback;
    }
    return static_cast<std::uint64_t>(*value);
}

std::uint64_t TomlTable::count(std::string_view key, std::uint64_t fallback, std::uint64_t least,
                               std::uint64_t most) {
    const toml::node* node = take(key);
    return node == nullptr ? fallback : checked_count(*node, key, fallback, least, most);
}

std::vector<std::uint64_t> TomlTable::counts(std::string_view key, std::uint64_t fallback,
                                             std::uint64_t least, std::uint64_t most) {
    const toml::node* node = take(key);
    if (node == nullptr) return {fallback};
    const toml::array* array = node->as_array();
    if (array == nullptr) return {checked_count(*node, key, fallback, least, most)};
    std::vector<std::uint64_t> values;
    for (const toml::node& element : *array) {
        values.push_back(checked_count(element, key, fallback, least, most));
    }
    if (values.empty()) problem(key, "an empty list measures nothing");
    return values;
}

bool TomlTable::flag(std::string_view key, bool fallback) {
    const toml::node* node = take(key);
    if (node == nullptr) return fallback;
    if (const auto value = node->value_exact<bool>()) return *value;
    problem(key, "must be true or false");
    return fallback;
}

std::uint64_t TomlTable::bytes(std::string_view key, std::uint64_t fallback) {
    const toml::node* node = take(key);
    if (node == nullptr) return fallback;
    const auto parsed = parse_bytes(scalar_text(*node));
    if (!parsed) problem(key, parsed.error().message);
    return parsed.value_or(fallback);
}

std::uint64_t TomlTable::duration_ns(std::string_view key, std::uint64_t fallback) {
    const toml::node* node = take(key);
    if (node == nullptr) return fallback;
    const auto parsed = parse_duration_ns(scalar_text(*node));
    if (!parsed) problem(key, parsed.error().message);
    return parsed.value_or(fallback);
}

std::vector<std::string> TomlTable::texts(std::string_view key) {
    std::vector<std::string> values;
    const toml::node* node = take(key);
    if (node == nullptr) return values;
    const toml::array* array = node->as_array();
    if (array == nullptr) {
        problem(key, "must be a list of texts");
        return values;
    }
    for (const toml::node& element : *array) {
        if (const auto value = element.value_exact<std::string>()) {
            values.push_back(*value);
        } else {
            problem(key, "must be a list of texts");
        }
    }
    return values;
}

Settings TomlTable::settings(std::string_view key) {
    Settings settings;
    const toml::table* inner = table(key);
    if (inner == nullptr) return settings;
    for (const auto& [name, node] : *inner) {
        if (node.is_table() || node.is_array() || node.is_date() || node.is_time() ||
            node.is_date_time()) {
            problem(key, fmt::format("{} must be a text, a number, true or false", name.str()));
            continue;
        }
        settings[std::string(name.str())] = scalar_text(node);
    }
    return settings;
}

const toml::table* TomlTable::table(std::string_view key) {
    const toml::node* node = take(key);
    if (node == nullptr) return nullptr;
    if (!node->is_table()) problem(key, "must be a table: { key = value, ... }");
    return node->as_table();
}

std::vector<const toml::table*> TomlTable::tables(std::string_view key) {
    std::vector<const toml::table*> found;
    const toml::node* node = take(key);
    if (node == nullptr) return found;
    const toml::array* array = node->as_array();
    if (array == nullptr || !array->is_homogeneous(toml::node_type::table)) {
        problem(key, fmt::format("must be written as [[{}]]", key));
        return found;
    }
    for (const toml::node& element : *array) found.push_back(element.as_table());
    return found;
}

void TomlTable::finish() {
    const std::vector<std::string_view> known(known_.begin(), known_.end());
    for (const auto& [key, node] : table_) {
        if (known_.contains(key.str())) continue;
        problems_.add(key.source().begin.line,
                      fmt::format("{}: unknown key \"{}\"{}", where_, key.str(),
                                  did_you_mean(key.str(), known)));
    }
}

}  // namespace walrus::harness
