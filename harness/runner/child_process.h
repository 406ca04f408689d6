// ChildProcess: this program again, in a process group of its own, doing one job.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "harness/driver/file_descriptor.h"
#include "walrus/base/result.h"

namespace walrus::harness {

// Used by one thread.  The destructor kills the whole group and reaps it: no orphan survives, and
// the kernel kills the child when the parent dies first.
class ChildProcess {
public:
    // Runs `executable child`.  Output of the child goes to `log_path`.
    static Result<ChildProcess> start(const std::string& executable, const std::string& log_path);

    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&&) = delete;
    ~ChildProcess();

    Status send_line(const std::string& line);
    // The next line of the answer pipe.  kTimeout: none within `timeout_ms`.  kClosed: the child
    // ended without one; the message says how.  kFenced: a signal asked this program to end.
    Result<std::string> read_line(std::uint64_t timeout_ms);
    // SIGKILL to the group, and waits for its end.
    void kill();
    // Waits for an orderly end; kTimeout (and the child is killed) when it does not come.
    Status wait(std::uint64_t timeout_ms);

private:
    ChildProcess() = default;
    std::string how_it_ended();
    void reap();
    void ended();

    pid_t pid_ = -1;
    int exit_status_ = 0;
    FileDescriptor input_;  // The child's standard input.
    FileDescriptor answer_;
    std::string received_;  // Bytes after the last whole line.
};

// From now on a first SIGINT or SIGTERM is only noted, and waiting calls above end early; another
// one, later, kills the running child's group and ends this program at once.
void note_signals_instead_of_dying();
// The signal noted, or 0.
int noted_signal();

}  // namespace walrus::harness
