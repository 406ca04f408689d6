// ServerProcess: a program that this process started and owns.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "walrus/base/result.h"

namespace walrus::compare {

struct ServerCommand {
    std::vector<std::string> arguments;  // The program's path first.
    std::string directory;               // Where it runs.
    std::string log;                     // Its standard output and error are appended to this.
};

// Used by one thread, whose end the server does not survive: the kernel kills it with the thread
// that started it.  The server stays in this process's group, so that who kills the group kills
// both.  The destructor kills it, which is what a crash looks like.
class ServerProcess {
public:
    static Result<std::unique_ptr<ServerProcess>> start(ServerCommand command);
    ~ServerProcess();
    ServerProcess(const ServerProcess&) = delete;
    ServerProcess& operator=(const ServerProcess&) = delete;

    pid_t pid() const { return pid_; }
    // kClosed, with how it ended and its last words, when it has.
    Status check_alive();
    // SIGKILL, and waits for its end.
    void kill();
    // What it has said so far.
    std::string output() const;
    // Asks for an orderly end (SIGTERM) and waits; kTimeout (and it is killed) when it does not
    // come, kIo when it ended with another exit code than 0 or 143, Java's for SIGTERM.
    Status stop(std::uint64_t timeout_ms);
    // Waits for a program that ends by itself; otherwise as stop().
    Status wait(std::uint64_t timeout_ms);

private:
    ServerProcess(ServerCommand command, pid_t pid);
    bool ended();
    std::string how_it_ended() const;

    const ServerCommand command_;
    const pid_t pid_;
    bool reaped_ = false;
    int exit_status_ = 0;
    std::uint64_t log_begin_ = 0;  // Where its own output begins.
};

}  // namespace walrus::compare
