// Signals to processes that are not ours to command, and the proof that they had their effect.
//
// Each call returns what was seen, for the history: "pid 17 was ended by signal 9".  An error means
// that the effect was not seen, whatever was sent.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "walrus/base/result.h"

namespace walrus::harness {

// SIGKILL.  A child of this process stays to be waited for by whoever started it.
Result<std::string> kill_process(pid_t pid);
// SIGTERM, and waits for the end; kTimeout: it still runs.
Result<std::string> terminate_process(pid_t pid, std::uint64_t timeout_ms);
// SIGSTOP: until every thread of it is stopped.
Result<std::string> pause_process(pid_t pid);
// SIGCONT: until it is no longer stopped.
Result<std::string> resume_process(pid_t pid);

// The state in /proc: 'R', 'S', 'T', ...; 'Z' when it ended and was not waited for; 0: no process.
char process_state(pid_t pid);

}  // namespace walrus::harness
