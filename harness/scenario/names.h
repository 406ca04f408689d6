// Enumerations and their names, both ways; shared by the TOML and the JSON reader.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/scenario/scenario.h"

namespace walrus::harness {

inline constexpr std::array kLoads = {Load::kClosed, Load::kWindow, Load::kOpen, Load::kBurst};
inline constexpr std::array kArrivals = {Arrivals::kUniform, Arrivals::kPoisson};
inline constexpr std::array kMeasures = {Measure::kAppend,  Measure::kScan, Measure::kRestart,
                                         Measure::kMaxRate, Measure::kTail, Measure::kCatchUp,
                                         Measure::kDrain};
inline constexpr std::array kEndings = {Ending::kKill, Ending::kStop, Ending::kKeep};

// The element of `all` called `name`, or null.
template <class Enum, std::size_t n>
const Enum* find_named(const std::array<Enum, n>& all, std::string_view (*name_of)(Enum),
                       std::string_view name) {
    for (const Enum& value : all) {
        if (name_of(value) == name) return &value;
    }
    return nullptr;
}

template <class Enum, std::size_t n>
std::vector<std::string_view> names_of(const std::array<Enum, n>& all,
                                       std::string_view (*name_of)(Enum)) {
    std::vector<std::string_view> names;
    for (const Enum value : all) names.push_back(name_of(value));
    return names;
}

}  // namespace walrus::harness
