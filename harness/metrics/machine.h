// What machine this is, and what it was doing while we measured.
#pragma once

#include <cstdint>
#include <string>

#include "harness/driver/driver.h"
#include "harness/metrics/block_device.h"

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
    // The machine.
    std::uint64_t busy_us = 0;  // User and system time of everybody, kernel threads too.
    std::uint64_t kernel_threads_us = 0;
    std::uint64_t ours_us = 0;          // This process and its parent (the harness).
    std::uint64_t steal_us = 0;         // Taken by the host.
    std::uint64_t cpu_pressure_us = 0;  // Some task waited for a processor (PSI "some").
    std::uint64_t io_pressure_us = 0;
    std::uint64_t memory_pressure_us = 0;
};

// Looks now.  Takes a millisecond or so, most of it for the list of kernel threads: call it just
// before and just after what is measured.
Activity observe_activity(const BlockDevice& device);

// The time between two observations.
struct ActivityDelta {
    std::uint64_t elapsed_ns = 0;
    Activity total;  // Differences; peak_rss_bytes is the later one.
    // Processor time that neither we nor the kernel's own threads used, as a share of one
    // processor.  Clock ticks make it uncertain by about 10 ms per processor.
    double other_cpu_share = 0;
    double steal_share = 0;  // Of one processor.
};

ActivityDelta activity_between(const Activity& begin, const Activity& end);

// Why a measurement with this surrounding should be distrusted; empty when it was quiet.
std::string disturbance(const ActivityDelta& delta);

}  // namespace walrus::harness
