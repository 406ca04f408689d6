#include "walrus/client/cli/start_position.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

namespace walrus::client {
namespace {

Error refuse(std::string_view text, std::string_view why) {
    return {Errc::kInvalidArgument, fmt::format("\"{}\": {}", text, why)};
}

template <class Integer>
bool parse_all(std::string_view text, Integer& value) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    return error == std::errc{} && stop == end;
}

// Takes exactly `digits` digits.
bool take_number(std::string_view& text, std::size_t digits, int& value) {
    const std::string_view part = text.substr(0, digits);
    if (part.size() != digits || part.find_first_not_of("0123456789") != std::string_view::npos)
        return false;
    text.remove_prefix(digits);
    return parse_all(part, value);
}

bool take(std::string_view& text, char c) {
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
}

bool take_date(std::string_view& text, std::int64_t& ms) {
    int year = 0;
    int month = 0;
    int day = 0;
    if (!take_number(text, 4, year) || !take(text, '-') || !take_number(text, 2, month) ||
        !take(text, '-') || !take_number(text, 2, day))
        return false;
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok()) return false;
    ms = std::int64_t{std::chrono::sys_days(date).time_since_epoch().count()} * 86'400'000;
    return true;
}

// "HH:MM[:SS[.fraction]]"
bool take_clock(std::string_view& text, std::int64_t& ms) {
    int hours = 0;
    int minutes = 0;
    int seconds = 0;
    if (!take_number(text, 2, hours) || !take(text, ':') || !take_number(text, 2, minutes))
        return false;
    if (take(text, ':') && !take_number(text, 2, seconds)) return false;
    if (hours > 23 || minutes > 59 || seconds > 60) return false;
    ms += (hours * 60 + minutes) * std::int64_t{60'000} + seconds * std::int64_t{1000};
    if (!take(text, '.')) return true;
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0) return false;
    int scale = 100;
    for (std::size_t i = 0; i < digits; ++i, scale /= 10) ms += (text[i] - '0') * scale;
    text.remove_prefix(digits);
    return true;
}

// "", "Z", "+02:00", "-0530".
bool take_zone(std::string_view& text, std::int64_t& ms) {
    if (text.empty() || take(text, 'Z')) return true;
    const bool ahead = text.starts_with('+');
    if (!take(text, '+') && !take(text, '-')) return false;
    int hours = 0;
    int minutes = 0;
    if (!take_number(text, 2, hours)) return false;
    take(text, ':');
    if (!text.empty() && !take_number(text, 2, minutes)) return false;
    const std::int64_t offset = (hours * 60 + minutes) * std::int64_t{60'000};
    ms += ahead ? -offset : offset;
    return true;
}

}  // namespace

Result<std::int64_t> parse_time_ms(std::string_view text) {
    std::int64_t ms = 0;
    std::string_view rest = text;
    if (rest.starts_with("ts:")) {
        rest.remove_prefix(3);
        if (parse_all(rest, ms) && ms >= 0) return ms;
    }
    const bool dated = take_date(rest, ms);
    const bool timed = dated && (take(rest, 'T') || take(rest, ' '));
    if (!dated || (timed && (!take_clock(rest, ms) || !take_zone(rest, ms))) || !rest.empty())
        return refuse(text, "a time is ts:MILLISECONDS or like 2026-11-23T18:30:15Z");
    return ms;
}

Result<StartPosition> parse_start_position(std::string_view text) {
    using Kind = StartPosition::Kind;
    if (text == "beginning" || text == "start" || text == "earliest")
        return StartPosition{Kind::kBeginning, 0};
    if (text == "end" || text == "latest") return StartPosition{Kind::kEnd, 0};
    std::int64_t number = 0;
    if (parse_all(text, number))
        return number < 0 || text.starts_with('-') ? StartPosition{Kind::kTail, -number}
                                                   : StartPosition{Kind::kOffset, number};
    const auto time = parse_time_ms(text);
    if (time) return StartPosition{Kind::kTime, *time};
    return refuse(text,
                  "write beginning, end, an offset, -N for the last N, ts:MILLISECONDS or a time "
                  "like 2026-11-23T18:30:15Z");
}

std::string format_time(std::int64_t timestamp_ms) {
    using namespace std::chrono;
    const sys_time<milliseconds> time{milliseconds(timestamp_ms)};
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(time - day);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                       clock.subseconds().count());
}

Result<std::vector<std::pair<std::int32_t, std::int64_t>>> resolve_start(
    const StartPosition& position, KafkaAdmin& admin, const TopicInfo& topic) {
    using Kind = StartPosition::Kind;
    if (position.kind == Kind::kTime) return admin.offsets_at(topic, position.value);
    const auto offsets = admin.offsets(topic);
    if (!offsets) return offsets.error();
    std::vector<std::pair<std::int32_t, std::int64_t>> starts;
    for (const PartitionOffsets& of : *offsets) {
        std::int64_t start = of.start;
        if (position.kind == Kind::kEnd) start = of.end;
        if (position.kind == Kind::kTail) start = std::max(of.start, of.end - position.value);
        if (position.kind == Kind::kOffset) start = position.value;
        if (start < of.start || start > of.end)
            return Error{Errc::kOutOfRange,
                         fmt::format("topic {} partition {}: offset {} is not in [{}, {}]",
                                     topic.name, of.partition, start, of.start, of.end)};
        starts.emplace_back(of.partition, start);
    }
    return starts;
}

}  // namespace walrus::client
