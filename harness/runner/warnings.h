// Warnings: what a reader of a figure should know before believing it.
//
// Each predicate is pure and returns one sentence, or "" when there is nothing to say.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/report/result.h"

namespace walrus::harness {

// The harness's own threads could not have gone much faster: `ceiling_per_s` is what they reach
// with the null driver and the same workload (0: unknown).
std::string client_bound_warning(double records_per_s, double ceiling_per_s);
// The window ended before the system had to begin a new file, so it says nothing about doing so.
std::string rollover_warning(const Settings& effective_config, std::uint64_t payload_bytes);
// Nothing was acknowledged in the last part of the window.
std::string short_window_warning(const Workload& workload, const WriteFigures& write);
std::string memory_pressure_warning(const ActivityDelta& activity);
std::string governor_warning(const Settings& host);
// The processor slowed itself down between two looks at the host.
std::string throttling_warning(const Settings& before, const Settings& after);
std::string write_cache_warning(const Settings& host);
std::string disk_space_warning(std::uint64_t free_bytes, std::uint64_t total_bytes);
std::string build_warning(bool optimised, std::string_view sanitizer);

// All that concern one repetition.
std::vector<std::string> repetition_warnings(const Row& row, const Repetition& repetition,
                                             double ceiling_per_s);

// All that concern the machine and this build.  `synced`: some row waits for the disk.
std::vector<std::string> machine_warnings(const Settings& host, const std::string& data_directory,
                                          bool synced);

// Classes whose acknowledgements depend on the device.
bool is_synced(Durability durability);

}  // namespace walrus::harness
