#include <fmt/format.h>
#include <toml++/toml.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "walrus/node/config.h"

namespace walrus::node {
namespace {

std::optional<std::string> scalar_text(const toml::node& node) {
    if (const auto text = node.value_exact<std::string>()) return *text;
    if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
    if (const auto number = node.value_exact<std::int64_t>()) return fmt::format("{}", *number);
    return std::nullopt;
}

// The values of a setting: one scalar, an array of them, or a table as NAME=VALUE.
std::optional<std::vector<std::string>> values_of(const toml::node& node, bool is_list) {
    std::vector<std::string> values;
    if (const toml::table* table = node.as_table(); table != nullptr && is_list) {
        for (const auto& [key, value] : *table) {
            const auto text = scalar_text(value);
            if (!text) return std::nullopt;
            values.push_back(fmt::format("{}={}", key.str(), *text));
        }
        return values;
    }
    if (const toml::array* array = node.as_array(); array != nullptr && is_list) {
        for (const toml::node& value : *array) {
            const auto text = scalar_text(value);
            if (!text) return std::nullopt;
            values.push_back(*text);
        }
        return values;
    }
    const auto text = scalar_text(node);
    if (!text) return std::nullopt;
    values.push_back(*text);
    return values;
}

Result<std::string> read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        const Errc code = errno == ENOENT ? Errc::kNotFound : Errc::kIo;
        return Error{code, "config: " + path + ": " + std::strerror(errno)};
    }
    std::ostringstream text;
    text << file.rdbuf();
    if (file.bad() || text.bad()) return Error{Errc::kIo, "config: " + path + ": cannot be read"};
    return text.str();
}

}  // namespace

Result<std::vector<Given>> read_config_file(const std::string& path) {
    const auto text = read_text(path);
    if (!text) return text.error();
    toml::table table;
    try {
        table = toml::parse(*text, path);
    } catch (const toml::parse_error& error) {
        return Error{
            Errc::kInvalidArgument,
            fmt::format("{}:{}: {}", path, error.source().begin.line, error.description())};
    }

    std::vector<std::string> known;
    for (const Setting& setting : settings()) known.emplace_back(setting.name);
    std::vector<Given> given;
    std::vector<std::string> problems;
    for (const auto& [key, node] : table) {
        const std::string name(key.str());
        const std::string origin = fmt::format("{}:{}", path, key.source().begin.line);
        const Setting* setting = find_setting(name);
        if (setting == nullptr) {
            problems.push_back(
                fmt::format("{}: {} is not known{}", origin, name, suggestion(name, known)));
            continue;
        }
        auto values = values_of(node, setting->is_list);
        if (!values) {
            problems.push_back(fmt::format("{}: {}: must be a text, a number, true or false{}",
                                           origin, name,
                                           setting->is_list ? ", or several of them" : ""));
            continue;
        }
        if (values->empty()) continue;  // A list without elements changes nothing.
        given.push_back({name, *std::move(values), origin});
    }
    if (!problems.empty())
        return Error{Errc::kInvalidArgument, fmt::format("{}", fmt::join(problems, "\n"))};
    return given;
}

}  // namespace walrus::node
