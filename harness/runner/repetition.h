// Takes repetitions: one system, one workload, fresh processes and a fresh directory each time.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "harness/driver/driver.h"
#include "harness/runner/child_jobs.h"
#include "harness/runner/kept_servers.h"
#include "harness/runner/workspace.h"

namespace walrus::harness {

struct TakerOptions {
    std::uint64_t child_slack_ms = 120'000;  // What a child may take beyond its planned time.
    bool keep_data = false;                  // Of repetitions that failed.
};

// Used by one thread.  `registry` and `workspace` outlive it.
class RepetitionTaker {
public:
    RepetitionTaker(const Registry& registry, const Workspace& workspace, ChildJobs jobs,
                    const TakerOptions& options)
        : registry_(registry),
          workspace_(workspace),
          jobs_(std::move(jobs)),
          options_(options),
          servers_(jobs_, workspace, 2 * options.child_slack_ms) {}

    // The device's floor, about `duration_ns` for each of its two halves.
    Result<FloorResult> measure_floor(std::uint64_t duration_ns) const;
    // Writes, ends the writer, reads back and checks, and fills `repetition`; what goes wrong is
    // its error.  `label` names its directory and logs.  A failed append does not hide a lost
    // record: what was acknowledged before is read back all the same.
    void take(Job job, const std::string& label, Repetition& repetition);
    // Records per second that the harness reaches with `workload` when the system costs nothing; 0
    // when that cannot be measured.  Measured once per workload.
    double ceiling_per_s(const Workload& workload);

private:
    Status write_and_read_back(Job& job, const std::string& label, Repetition& repetition) const;
    Status end_writer(const Job& job, ChildProcess& child) const;
    Status read_back(Job& job, const std::string& label, Repetition& repetition) const;
    double measure_ceiling(const Workload& workload) const;

    const Registry& registry_;
    const Workspace& workspace_;
    const ChildJobs jobs_;
    const TakerOptions options_;
    KeptServers servers_;
    std::map<std::string, double> ceilings_;
};

}  // namespace walrus::harness
