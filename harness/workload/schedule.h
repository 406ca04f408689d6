// Schedule: when the appends of an open loop are due, fixed before the run.
//
// Nothing that happens during the run moves it: what is late stays late, and its lateness is part
// of its latency.  Leaving it out (coordinated omission) is how closed loops hide stalls.
#pragma once

#include <cstdint>

#include "harness/scenario/scenario.h"
#include "walrus/base/random.h"

namespace walrus::harness {

// One writer's share of an open loop.
struct SchedulePlan {
    Arrivals arrivals = Arrivals::kUniform;
    double appends_per_s = 0;    // Of this writer; more than 0.
    std::uint64_t begin_ns = 0;  // The first append is due here or later.
    double phase = 0;            // kUniform: which part of an interval after begin_ns, in [0, 1).
    std::uint64_t seed = 0;      // kPoisson.
};

// The moments at which one writer's appends are due, in ascending order.  Used by one thread at a
// time; the same plan gives the same moments.
class Schedule {
public:
    explicit Schedule(const SchedulePlan& plan);

    // When the next append is due, and on to the one after it.
    std::uint64_t next();

private:
    double gap_ns();

    const SchedulePlan plan_;
    const double interval_ns_;
    SeededRandom random_;
    std::uint64_t count_ = 0;
    double elapsed_ns_ = 0;  // kPoisson: from begin_ns to the next append.
};

}  // namespace walrus::harness
