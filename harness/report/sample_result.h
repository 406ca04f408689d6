// Small results for tests: every figure is known, and nothing contradicts anything.
#pragma once

#include <cstdint>

#include "harness/report/result.h"

namespace walrus::harness {

// A repetition of one second with `records` appends of one record, latencies 100 us and up.
Repetition sample_repetition(std::uint32_t round, std::uint64_t records, std::uint64_t flushes);

// One row in class disk: "fast" makes twice the appends of "slow", the baseline; a flush each.
RunResult sample_result(std::uint32_t rounds = 3);

}  // namespace walrus::harness
