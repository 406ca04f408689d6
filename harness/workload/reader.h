// One reader beside the writers: follows every topic and records how it kept up.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "harness/driver/driver.h"
#include "harness/metrics/histogram.h"
#include "harness/metrics/paced_clock.h"
#include "harness/workload/window.h"

namespace walrus::harness {

// How many records each reader has to see; it ends when it has seen them.
using ReadTarget = std::atomic<std::uint64_t>;
inline constexpr std::uint64_t kTargetUnknown = ~std::uint64_t{0};  // Writing goes on.

struct ReaderPlan {
    Window window;
    std::uint64_t run_id = 0;
    std::uint32_t writers = 1;
    // Count until it has caught up with the writers, instead of until the window ends.
    bool until_caught_up = false;
    // Without a new record for so long it gives up, once the target is known.
    std::uint64_t patience_ns = 10'000'000'000;
};

struct ReaderTools {
    std::vector<std::unique_ptr<Reader>>& topics;  // One reader per topic.
    PacedClock& clock;
    const ReadTarget& target;
};

struct ReaderReport {
    std::uint64_t records = 0;  // Within the window, and before it had caught up if asked for.
    std::uint64_t bytes = 0;
    std::uint64_t total = 0;           // Records ever read.
    std::uint64_t records_before = 0;  // Read before the window.
    std::uint64_t caught_up_ns = 0;    // When it first found nothing more to read; 0: never.
    // Of records sent and read within the window, from the send time they carry.
    Histogram latency_ns;
    std::vector<std::uint64_t> series;  // Records read per interval of the window.
    // kCorruption: a record that no writer of this run sent, or out of its writer's order.
    // kTimeout: not all that was acknowledged came.
    Status status;
};

// Reads until the target is reached.  Blocks the thread.
ReaderReport run_reader(const ReaderTools& tools, const ReaderPlan& plan);

}  // namespace walrus::harness
