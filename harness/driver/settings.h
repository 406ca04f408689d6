// Text to values: sizes, durations, settings, and what to say about a misspelt name.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "harness/driver/driver.h"

namespace walrus::harness {

// "4096", "64KiB", "1.5 GiB", "10MB".  kInvalidArgument names the text.
Result<std::uint64_t> parse_bytes(std::string_view text);
// "250us", "1.5s", "2m", "1h"; a bare number has no unit and is refused.  In nanoseconds.
Result<std::uint64_t> parse_duration_ns(std::string_view text);

// "64 MiB", "1.5 KiB".
std::string format_bytes(std::uint64_t bytes);
// "131 us", "2.5 ms", "8.00 s": three significant digits.
std::string format_duration(std::uint64_t ns);
// "7,512", "1,234,567".
std::string format_count(std::uint64_t count);

// " (did you mean \"x\"?)" for the nearest of `known`, or " (known: a, b, c)" when none is near.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> known);

// Takes settings out of a map one by one; finish() then complains about what nobody took.
// The first bad value is kept and returned by finish() as well.
class SettingsReader {
public:
    explicit SettingsReader(const Settings& settings) : settings_(settings) {}

    std::string text(std::string_view name, std::string fallback);
    std::uint64_t number(std::string_view name, std::uint64_t fallback);
    std::uint64_t bytes(std::string_view name, std::uint64_t fallback);
    std::uint64_t duration_ns(std::string_view name, std::uint64_t fallback);
    bool flag(std::string_view name, bool fallback);

    Status finish() const;

private:
    // Null when the setting is not given.
    const std::string* take(std::string_view name);
    void fail(std::string_view name, const std::string& why);

    const Settings& settings_;
    std::set<std::string, std::less<>> known_;
    Status first_error_;
};

}  // namespace walrus::harness
