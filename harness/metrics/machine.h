// What machine this is, and what it was doing while we measured.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "harness/driver/driver.h"
#include "harness/metrics/block_device.h"
#include "harness/metrics/sync_calls.h"

namespace walrus::harness {

// Facts that a reader of a result needs: processor, kernel, memory, file system, mount options,
// device write cache and scheduler, governor, clock.  What cannot be found is "unknown".
Settings machine_facts(const std::string& data_directory);

// Totals at one moment.  Differences of two moments describe the time between them.
struct Activity {
    std::uint64_t monotonic_ns = 0;
    DeviceCounters device;
    // This process.
    std::uint64_t user_us = 0;
    std::uint64_t system_us = 0;
    std::uint64_t voluntary_switches = 0;
    std::uint64_t involuntary_switches = 0;
    std::uint64_t peak_rss_bytes = 0;  // Not a total: the highest so far.
    std::uint64_t read_bytes = 0;      // From devices, for this process.
    std::uint64_t written_bytes = 0;   // Made dirty by it, or written past the page cache.
    SyncCalls sync_calls;
    // The machine.
    std::uint64_t busy_us = 0;  // User and system time of everybody, kernel threads too.
    std::uint64_t kernel_threads_us = 0;
    std::uint64_t ours_us = 0;          // The harness and every process below it.
    std::uint64_t others_us = 0;        // All other processes.
    std::uint64_t others_io_bytes = 0;  // What they read and wrote.
    std::uint64_t steal_us = 0;         // Taken by the host.
    std::uint64_t cpu_pressure_us = 0;  // Some task waited for a processor (PSI "some").
    std::uint64_t io_pressure_us = 0;
    std::uint64_t memory_pressure_us = 0;
};

// The harness as a child sees it: its parent; this process where there is none.
pid_t harness_root();

// Looks now; `root` and what is below it are ours.  Takes a few milliseconds, most of it for the
// list of processes: call it just before and just after what is measured.
Activity observe_activity(const BlockDevice& device, pid_t root = harness_root());

// The time between two observations.
struct ActivityDelta {
    std::uint64_t elapsed_ns = 0;
    Activity total;  // Differences; peak_rss_bytes is the later one.
    // Shares of one processor.
    double other_cpu_share = 0;  // Of processes that are neither ours nor the kernel's own threads.
    // Busy time that no visible process accounts for: neighbours in another container, or the
    // sampling error of the kernel's clock ticks.
    double unexplained_cpu_share = 0;
    double steal_share = 0;
};

ActivityDelta activity_between(const Activity& begin, const Activity& end);

}  // namespace walrus::harness
