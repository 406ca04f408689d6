// Whose work a stretch of time was: ours, the kernel's own, other processes'.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace walrus::harness {

// One process at one moment.
struct ProcessTimes {
    pid_t pid = 0;
    pid_t parent = 0;
    bool kernel_thread = false;
    // User and system time, with that of children it has reaped: so the sum over all processes
    // does not fall when one of them ends.
    std::uint64_t cpu_us = 0;
    // Read and written so far, what it reaped included; 0 where it may not be looked at.
    std::uint64_t io_bytes = 0;
};

// All processes this one can see.
std::vector<ProcessTimes> list_processes();

struct WorkTotals {
    std::uint64_t ours_us = 0;
    std::uint64_t kernel_threads_us = 0;  // They work for everybody, for our writes above all.
    std::uint64_t others_us = 0;
    std::uint64_t others_io_bytes = 0;
};

// Ours are `root` and every process below it.
WorkTotals attribute_work(const std::vector<ProcessTimes>& processes, pid_t root);

}  // namespace walrus::harness
