// Figures: what a load measured, raw.  They go into result.json as they are (results/schema.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/driver/driver.h"
#include "harness/metrics/histogram.h"
#include "harness/metrics/machine.h"

namespace walrus::harness {

// One open-loop step of the search for the highest rate that can be sustained.
struct SearchStep {
    std::uint64_t rate_per_s = 0;      // Offered; records.
    std::uint64_t achieved_per_s = 0;  // Acknowledged within the window.
    std::uint64_t p99_ns = 0;          // Of latency_ns.
    std::uint64_t lag_ns = 0;          // How late the last send was.
    std::uint64_t backlog = 0;         // Records that were due and not acknowledged at the end.
    // How much more backlog the last quarter of the window had than the quarter before, on average.
    std::int64_t backlog_growth = 0;
    bool sustained = false;
    bool confirms = false;  // Measured again at the rate that was found.
    Histogram latency_ns;   // From the intended time.
};

// What the writers saw.
struct WriteFigures {
    std::uint64_t open_ns = 0;  // Opening the empty directory.
    std::uint64_t window_ns = 0;
    std::uint64_t appends = 0;  // Acknowledged within the window.
    std::uint64_t records = 0;
    // Of these appends, to the acknowledgement.  Open loop: from the moment it should have been
    // sent; otherwise from the call.
    Histogram latency_ns;
    std::uint64_t series_interval_ns = 0;
    // By interval of the window, all of one length: records acknowledged, and their latency.
    std::vector<std::uint64_t> series;
    std::vector<std::uint64_t> series_p50_ns;
    std::vector<std::uint64_t> series_p99_ns;
    std::vector<std::uint64_t> series_max_ns;

    // Open loop only; empty or 0 otherwise.
    std::uint64_t offered_rate_per_s = 0;  // Records.
    Histogram delay_ns;                    // From the intended time to the call: publish delay.
    Histogram service_ns;                  // From the call to the acknowledgement.
    std::uint64_t late_after_ns = 0;       // A send that is later than this is late.
    std::uint64_t late_sends = 0;          // Within the window.
    std::uint64_t unsent_at_end = 0;       // Records that were due and not sent when it ended.

    // The books, in records, warm-up included: sent = acknowledged + failed + unknown.
    std::uint64_t sent = 0;
    std::uint64_t failed = 0;
    std::uint64_t unknown = 0;
    std::uint64_t in_flight_at_end = 0;  // Sent, and not acknowledged when the window ended.

    // The search for the highest rate only.  The other figures are then those of the step that
    // confirmed it (0: none was sustained; then they are those of the last step).
    std::vector<SearchStep> search;
    std::uint64_t sustained_rate_per_s = 0;

    ActivityDelta activity;  // From begin to end of the window.
    Settings effective_config;
    Settings counters;
    std::string version;
};

// What the readers beside the writers saw.  Every reader reads every topic in full.
struct ReadFigures {
    std::uint32_t readers = 0;  // 0: there were none.
    // What was there when they began, of one reader; 0 for tail readers.
    std::uint64_t backlog_records = 0;
    std::uint64_t backlog_bytes = 0;
    // Tail: the window.  Otherwise from the first read until every reader had caught up with the
    // writers, or until the window ended.
    std::uint64_t ns = 0;
    bool caught_up = false;
    std::uint64_t records = 0;  // Read within `ns`, by all readers together.
    std::uint64_t bytes = 0;    // Of payload.
    // From the send time that the record carries (open loop: the intended one) until it was read,
    // of records that were sent and read within the window.
    Histogram latency_ns;
    std::uint64_t series_interval_ns = 0;
    std::vector<std::uint64_t> series;   // Records read per interval.
    std::vector<std::uint64_t> backlog;  // Records not read yet by all readers, at each one's end.
};

}  // namespace walrus::harness
