// Was the machine quiet?  Pure judgements about what was observed.
//
// What counts as "others": processes that are neither the harness nor below it.  Kernel threads are
// not: they do our write-back, our journal commits, our io_uring work.  While we measure, pressure
// (PSI) is mostly our own, so it says nothing; while we are idle all of it is somebody else's.
#pragma once

#include <string>

#include "harness/metrics/machine.h"

namespace walrus::harness {

// Shares of one processor unless said otherwise.
struct QuietLimits {
    double other_cpu_share = 0.10;
    double steal_share = 0.05;
    double other_io_bytes_per_s = 8.0 * (1 << 20);
    double idle_pressure_share = 0.05;  // Of the time some task waited for a resource.
};

// Why a measurement with this surrounding does not count; "" when it was quiet.  Allows for the
// kernel's clock ticks: on a short window a single tick is a large share.
std::string disturbance(const ActivityDelta& delta, const QuietLimits& limits = {});

// As disturbance, for a stretch of time in which the harness did nothing.
std::string idle_disturbance(const ActivityDelta& delta, const QuietLimits& limits = {});

}  // namespace walrus::harness
