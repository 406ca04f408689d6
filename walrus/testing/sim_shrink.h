// Shrinks the schedule of a failing simulation: which of its faults are needed?
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace walrus::testing {

// `fails` runs the simulation with these faults only (SimClusterOptions::only_faults).  Returns a
// list that still fails and from which no single one can be left out, unless `runs` ran out first.
std::vector<std::uint32_t> shrink_faults(
    std::uint32_t planned, const std::function<bool(const std::vector<std::uint32_t>&)>& fails,
    std::size_t runs = 400);

// "3,17,20"
std::string join(const std::vector<std::uint32_t>& numbers);

}  // namespace walrus::testing
