// Reading TOML tables with nothing overlooked: every key must be asked for, every problem is kept
// with its line.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/driver/driver.h"

namespace walrus::harness {

// What is wrong with one file, in line order of discovery.
class Problems {
public:
    explicit Problems(std::string path) : path_(std::move(path)) {}

    void add(std::uint64_t line, std::string_view what);
    bool empty() const { return lines_.empty(); }
    Error error() const;

private:
    const std::string path_;
    std::vector<std::string> lines_;
};

// Takes values out of one table; finish() adds a problem for each key nobody asked for.
class TomlTable {
public:
    // `where` names the table in messages, e.g. "[[row]]".
    TomlTable(const toml::table& table, std::string where, Problems& problems);

    bool has(std::string_view key) const { return table_.contains(key); }
    std::uint64_t line() const { return line_; }
    // The line of `key`, or of the table when it is absent.
    std::uint64_t line_of(std::string_view key) const;

    std::string text(std::string_view key, std::string fallback);
    std::string required_text(std::string_view key);
    std::uint64_t count(std::string_view key, std::uint64_t fallback, std::uint64_t least,
                        std::uint64_t most);
    bool flag(std::string_view key, bool fallback);
    std::uint64_t bytes(std::string_view key, std::uint64_t fallback);
    std::uint64_t duration_ns(std::string_view key, std::uint64_t fallback);
    // One number or an array of them.
    std::vector<std::uint64_t> counts(std::string_view key, std::uint64_t fallback,
                                      std::uint64_t least, std::uint64_t most);
    std::vector<std::string> texts(std::string_view key);
    // Scalars of an inline table, as text.
    Settings settings(std::string_view key);
    // Null when absent.
    const toml::table* table(std::string_view key);
    std::vector<const toml::table*> tables(std::string_view key);

    void problem(std::string_view key, std::string_view what);
    void finish();

private:
    const toml::node* take(std::string_view key);
    std::uint64_t checked_count(const toml::node& node, std::string_view key,
                                std::uint64_t fallback, std::uint64_t least, std::uint64_t most);

    const toml::table& table_;
    const std::string where_;
    Problems& problems_;
    const std::uint64_t line_;
    std::set<std::string, std::less<>> known_;
};

}  // namespace walrus::harness
