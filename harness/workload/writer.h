// One writer: offers work to a Producer and records what happened to it.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/driver/driver.h"
#include "harness/metrics/histogram.h"
#include "harness/metrics/paced_clock.h"
#include "harness/scenario/scenario.h"
#include "harness/workload/journal.h"
#include "harness/workload/payload.h"

namespace walrus::harness {

// The moments of a run on the monotonic clock.  Only what is acknowledged within
// [begin_ns, end_ns) is measured; sending stops at end_ns and in-flight appends are waited for.
struct Window {
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;
    std::uint64_t interval_ns = 100'000'000;  // Of the series.

    bool contains(std::uint64_t now_ns) const { return now_ns >= begin_ns && now_ns < end_ns; }
};

// What one writer saw.
struct WriterReport {
    Histogram latency_ns;       // Of appends acknowledged within the window; from call to ack.
    std::uint64_t appends = 0;  // Acknowledged within the window.
    std::uint64_t records = 0;
    std::vector<std::uint64_t> series;  // Records acknowledged per interval of the window.
    WriterJournal journal;              // Everything ever sent, warm-up included.
    Status status;                      // The first failed append; the writer stops there.
};

// How a writer works and for how long.
struct WriterPlan {
    Load load = Load::kClosed;
    std::uint32_t batch = 1;
    std::uint32_t outstanding = 1;
    std::uint32_t first_topic = 0;  // Topics first_topic, + topic_step, ... below topics, in turn.
    std::uint32_t topic_step = 1;
    std::uint32_t topics = 1;
    std::uint64_t max_appends = 0;  // 0: no limit but the window.
    Window window;
};

// Runs until the window ends, the limit is reached or an append fails.  Blocks the thread.
WriterReport run_writer(Producer& producer, PayloadStream& payload, PacedClock& clock,
                        const WriterPlan& plan);

}  // namespace walrus::harness
