// KeptServers: servers that run through many repetitions, each in a child process that owns it.
#pragma once

#include <map>
#include <string>

#include "harness/runner/child_jobs.h"
#include "harness/runner/workspace.h"

namespace walrus::harness {

// Used by one thread.  `jobs` and `workspace` outlive it.  The destructor ends all servers and
// removes their data.
class KeptServers {
public:
    KeptServers(const ChildJobs& jobs, const Workspace& workspace, std::uint64_t timeout_ms)
        : jobs_(jobs), workspace_(workspace), timeout_ms_(timeout_ms) {}
    ~KeptServers();
    KeptServers(const KeptServers&) = delete;
    KeptServers& operator=(const KeptServers&) = delete;

    // What opens the server of `system`, which is started when it does not run.
    Result<Settings> attach(const SystemSpec& system);
    // Kills it: after a failure the next repetition gets a new one.
    void drop(const std::string& system);

private:
    struct Server {
        ChildProcess child;
        std::string directory;
        Settings attachment;
    };

    const ChildJobs& jobs_;
    const Workspace& workspace_;
    const std::uint64_t timeout_ms_;
    std::map<std::string, Server> servers_;  // By name of the system.
};

}  // namespace walrus::harness
