#include "harness/driver/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

namespace walrus::harness {
namespace {

struct Unit {
    std::string_view name;
    double factor;
};

constexpr std::array<Unit, 11> kByteUnits = {{{"", 1},
                                              {"B", 1},
                                              {"KiB", 1024.0},
                                              {"MiB", 1024.0 * 1024},
                                              {"GiB", 1024.0 * 1024 * 1024},
                                              {"TiB", 1024.0 * 1024 * 1024 * 1024},
                                              {"kB", 1e3},
                                              {"KB", 1e3},
                                              {"MB", 1e6},
                                              {"GB", 1e9},
                                              {"TB", 1e12}}};
constexpr std::array<Unit, 6> kTimeUnits = {
    {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};

// "<number><spaces><unit>" with a unit of the list, rounded; false when it is not that.
bool parse_with_unit(std::string_view text, std::span<const Unit> units, std::uint64_t& value) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || !std::isfinite(number) || number < 0) return false;
    std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    while (unit.starts_with(' ')) unit.remove_prefix(1);
    for (const Unit& candidate : units) {
        if (candidate.name != unit) continue;
        const double scaled = number * candidate.factor;
        if (scaled >= 9.2e18) return false;
        value = static_cast<std::uint64_t>(std::llround(scaled));
        return true;
    }
    return false;
}

// Levenshtein distance.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[b.size()];
}

}  // namespace

Result<std::uint64_t> parse_bytes(std::string_view text) {
    std::uint64_t value = 0;
    if (parse_with_unit(text, kByteUnits, value)) return value;
    return Error{Errc::kInvalidArgument,
                 fmt::format("\"{}\" is not a size (examples: 4096, \"64KiB\", \"1GiB\")", text)};
}

Result<std::uint64_t> parse_duration_ns(std::string_view text) {
    std::uint64_t value = 0;
    if (parse_with_unit(text, kTimeUnits, value)) return value;
    return Error{
        Errc::kInvalidArgument,
        fmt::format("\"{}\" is not a duration (examples: \"250ms\", \"1.5s\", \"2m\")", text)};
}

std::string format_bytes(std::uint64_t bytes) {
    constexpr std::array<const char*, 5> kNames = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1024 && unit + 1 < kNames.size()) {
        value /= 1024;
        ++unit;
    }
    return fmt::format("{:.4g} {}", value, kNames[unit]);
}

std::string format_duration(std::uint64_t ns) {
    const double value = static_cast<double>(ns);
    const auto digits = [](double v) { return v < 9.995 ? 2 : v < 99.95 ? 1 : 0; };
    if (ns < 1'000) return fmt::format("{} ns", ns);
    if (value < 999.5e3) return fmt::format("{:.{}f} us", value / 1e3, digits(value / 1e3));
    if (value < 999.5e6) return fmt::format("{:.{}f} ms", value / 1e6, digits(value / 1e6));
    return fmt::format("{:.{}f} s", value / 1e9, digits(value / 1e9));
}

std::string format_count(std::uint64_t count) {
    const std::string digits = fmt::format("{}", count);
    std::string grouped;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0) grouped += ',';
        grouped += digits[i];
    }
    return grouped;
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> known) {
    if (known.empty()) return "";
    const auto nearest = std::ranges::min_element(
        known, {}, [&](std::string_view candidate) { return edit_distance(name, candidate); });
    if (edit_distance(name, *nearest) <= std::max<std::size_t>(2, name.size() / 3)) {
        return fmt::format(" (did you mean \"{}\"?)", *nearest);
    }
    return fmt::format(" (known: {})", fmt::join(known, ", "));
}

const std::string* SettingsReader::take(std::string_view name) {
    known_.emplace(name);
    const auto found = settings_.find(std::string(name));
    return found == settings_.end() ? nullptr : &found->second;
}

void SettingsReader::fail(std::string_view name, const std::string& why) {
    if (!first_error_) return;
    first_error_ = Error{Errc::kInvalidArgument, fmt::format("setting {}: {}", name, why)};
}

std::string SettingsReader::text(std::string_view name, std::string fallback) {
    const std::string* value = take(name);
    return value == nullptr ? std::move(fallback) : *value;
}

std::uint64_t SettingsReader::number(std::string_view name, std::uint64_t fallback) {
    const std::string* value = take(name);
    if (value == nullptr) return fallback;
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
    if (error == std::errc{} && end == value->data() + value->size()) return number;
    fail(name, fmt::format("\"{}\" is not a whole number", *value));
    return fallback;
}

std::uint64_t SettingsReader::bytes(std::string_view name, std::uint64_t fallback) {
    const std::string* value = take(name);
    if (value == nullptr) return fallback;
    const auto parsed = parse_bytes(*value);
    if (!parsed) fail(name, parsed.error().message);
    return parsed.value_or(fallback);
}

std::uint64_t SettingsReader::duration_ns(std::string_view name, std::uint64_t fallback) {
    const std::string* value = take(name);
    if (value == nullptr) return fallback;
    const auto parsed = parse_duration_ns(*value);
    if (!parsed) fail(name, parsed.error().message);
    return parsed.value_or(fallback);
}

bool SettingsReader::flag(std::string_view name, bool fallback) {
    const std::string* value = take(name);
    if (value == nullptr) return fallback;
    if (*value == "true") return true;
    if (*value == "false") return false;
    fail(name, fmt::format("\"{}\" is neither true nor false", *value));
    return fallback;
}

Status SettingsReader::finish() const {
    WALRUS_RETURN_IF_ERROR(first_error_);
    const std::vector<std::string_view> known(known_.begin(), known_.end());
    for (const auto& [name, value] : settings_) {
        if (known_.contains(name)) continue;
        return Error{Errc::kInvalidArgument,
                     fmt::format("unknown setting \"{}\"{}", name, did_you_mean(name, known))};
    }
    return {};
}

}  // namespace walrus::harness
