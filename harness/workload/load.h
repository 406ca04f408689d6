// A whole load: everything a row asks for, against one open system.
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
    Row row;
    std::uint64_t seed = 0;
    std::uint64_t run_id = 0;
    BlockDevice device;  // Whose counters are read at both ends of the window.
};

struct LoadReport {
    WriteFigures write;  // Without what only the caller knows: open_ns, configuration, counters.
    ReadFigures read;    // Empty when the row has no readers.
    Journal journal;
    std::string first_error;  // Of any writer or reader; "" when all went well.
};

// Makes the topics, runs writers and readers as the row's measure asks, merges what they saw.  An
// error means that the load could not begin; a failed append is first_error of the report.
//
//   append, scan, restart, tail   one window; with workload.max_bytes it ends when that much
//                                 payload is acknowledged
//   max-rate                      one window per step of the search
//   catch-up, drain               workload.max_bytes are written, then the readers begin
Result<LoadReport> run_load(System& system, const LoadRequest& request, PacedClock& clock);

}  // namespace walrus::harness
