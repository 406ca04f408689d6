// A whole load: all writers of a workload against one system, with the surrounding observed.
#pragma once

#include <cstdint>
#include <string>

#include "harness/driver/driver.h"
#include "harness/metrics/machine.h"
#include "harness/metrics/paced_clock.h"
#include "harness/scenario/scenario.h"
#include "harness/workload/figures.h"
#include "harness/workload/journal.h"

namespace walrus::harness {

struct LoadRequest {
    Workload workload;
    std::uint64_t seed = 0;
    std::uint64_t run_id = 0;
    BlockDevice device;  // Whose counters are read at both ends of the window.
};

struct LoadReport {
    WriteFigures write;  // Without what only the caller knows: open_ns, configuration, counters.
    ReadFigures read;    // Empty when the workload has no readers.
    Journal journal;
    std::string first_error;  // Of any writer or reader; "" when all went well.
};

// Makes the topics, runs the writers, merges what they saw.  An error means that the load could
// not begin; a failed append is first_error of the report.
//
// With workload.max_bytes the window ends when that much payload is acknowledged, and window_ns is
// the time it took; otherwise after workload.duration_ns.
Result<LoadReport> run_load(System& system, const LoadRequest& request, PacedClock& clock);

}  // namespace walrus::harness
