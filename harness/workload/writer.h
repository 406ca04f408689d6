// One writer: offers work to a Producer and records what happened to it.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/driver/driver.h"
#include "harness/metrics/histogram.h"
#include "harness/metrics/paced_clock.h"
#include "harness/scenario/scenario.h"
#include "harness/workload/journal.h"
#include "harness/workload/latency_series.h"
#include "harness/workload/payload.h"
#include "harness/workload/schedule.h"
#include "harness/workload/window.h"

namespace walrus::harness {

// How a writer works and for how long.
struct WriterPlan {
    Load load = Load::kClosed;
    std::uint32_t batch = 1;
    std::uint32_t outstanding = 1;
    std::uint32_t first_topic = 0;  // Topics first_topic, + topic_step, ... below topics, in turn.
    std::uint32_t topic_step = 1;
    std::uint32_t topics = 1;
    std::uint64_t max_appends = 0;    // 0: no limit but the window.
    std::uint64_t late_after_ns = 0;  // kOpen: a send that is later than this is late.
    SchedulePlan schedule;            // kOpen.
    Bursts bursts;                    // kBurst.
    Window window;
};

// What a writer works with; all of it outlives the call.  Only `latency` may be shared by writers.
struct WriterTools {
    Producer& producer;
    PayloadStream& payload;
    PacedClock& clock;
    WriterJournal& journal;  // Everything ever sent, warm-up included, is added to it.
    LatencySeries& latency;  // Of appends acknowledged within the window.
};

// What one writer saw.  Latency is from the call to the acknowledgement; in an open loop from the
// moment the append was due.
struct WriterReport {
    std::uint64_t appends = 0;  // Acknowledged within the window.
    std::uint64_t records = 0;
    std::uint64_t records_before = 0;    // Acknowledged before it.
    std::uint64_t in_flight_at_end = 0;  // Records sent and not acknowledged when it ended.
    Status status;                       // The first failed append; the writer stops there.

    // Open loop only; `due` counts records whose moment lies in an interval of the window.
    Histogram delay_ns;    // From the due moment to the call, of sends within the window.
    Histogram service_ns;  // From the call to the acknowledgement.
    std::uint64_t late_sends = 0;
    std::uint64_t lag_ns = 0;  // How late the last send was, or the first one that never came.
    std::uint64_t unsent_at_end = 0;
    std::uint64_t due_before = 0;
    std::vector<std::uint64_t> due;
};

// Runs until the window ends, the limit is reached or an append fails.  Blocks the thread.
WriterReport run_writer(const WriterTools& tools, const WriterPlan& plan);

}  // namespace walrus::harness
