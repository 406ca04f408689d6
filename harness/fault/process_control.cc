#include "harness/fault/process_control.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <filesystem>

#include "harness/driver/file_descriptor.h"
#include "harness/metrics/paced_clock.h"

namespace walrus::harness {
namespace {

constexpr std::uint64_t kWitnessMs = 10'000;
constexpr std::uint64_t kPollNs = 500'000;

char state_in(const std::string& stat_path) {
    const auto stat = read_whole_file(stat_path);
    if (!stat) return 0;
    // The name of the program, in parentheses, may hold anything.
    const auto end = stat->rfind(") ");
    return end == std::string::npos || end + 2 >= stat->size() ? '\0' : (*stat)[end + 2];
}

bool all_threads_stopped(pid_t pid) {
    std::error_code error;
    const std::string tasks = fmt::format("/proc/{}/task", pid);
    bool any = false;
    for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
        const char state = state_in(task.path().string() + "/stat");
        if (state != 'T' && state != 't') return false;
        any = true;
    }
    return any && !error;
}

Status send(pid_t pid, int signal) {
    if (pid <= 0) return Error{Errc::kNotFound, "there is no process"};
    if (::kill(pid, signal) == 0) return {};
    return os_error("signal", fmt::format("process {}", pid), errno);
}

// False: not within the time.
template <class Condition>
bool await(std::uint64_t timeout_ms, Condition condition) {
    PacedClock& clock = machine_clock();
    const std::uint64_t deadline_ns = clock.monotonic_ns() + timeout_ms * 1'000'000;
    while (!condition()) {
        if (clock.monotonic_ns() >= deadline_ns) return false;
        clock.wait_until(clock.monotonic_ns() + kPollNs);
    }
    return true;
}

bool has_ended(pid_t pid) {
    const char state = process_state(pid);
    return state == 0 || state == 'Z' || state == 'X';
}

// How a child of ours ended, without waiting for it in its owner's place; "is gone" for others.
std::string describe_end(pid_t pid) {
    siginfo_t info{};
    const int got = ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT);
    if (got != 0 || info.si_pid != pid) return fmt::format("pid {} is gone", pid);
    if (info.si_code == CLD_EXITED) {
        return fmt::format("pid {} ended with exit code {}", pid, info.si_status);
    }
    return fmt::format("pid {} was ended by signal {}", pid, info.si_status);
}

}  // namespace

char process_state(pid_t pid) {
    return state_in(fmt::format("/proc/{}/stat", pid));
}

Result<std::string> kill_process(pid_t pid) {
    if (has_ended(pid)) {
        return Error{Errc::kNotFound, "it had ended before: " + describe_end(pid)};
    }
    WALRUS_RETURN_IF_ERROR(send(pid, SIGKILL));
    if (await(kWitnessMs, [&] { return has_ended(pid); })) return describe_end(pid);
    return Error{Errc::kTimeout, fmt::format("pid {} survived SIGKILL for 10 s", pid)};
}

Result<std::string> terminate_process(pid_t pid, std::uint64_t timeout_ms) {
    if (has_ended(pid)) {
        return Error{Errc::kNotFound, "it had ended before: " + describe_end(pid)};
    }
    WALRUS_RETURN_IF_ERROR(send(pid, SIGTERM));
    if (await(timeout_ms, [&] { return has_ended(pid); })) return describe_end(pid);
    return Error{Errc::kTimeout,
                 fmt::format("pid {} still ran {} ms after SIGTERM", pid, timeout_ms)};
}

Result<std::string> pause_process(pid_t pid) {
    WALRUS_RETURN_IF_ERROR(send(pid, SIGSTOP));
    if (await(kWitnessMs, [&] { return all_threads_stopped(pid); })) {
        return fmt::format("every thread of pid {} is in state T", pid);
    }
    return Error{Errc::kTimeout,
                 fmt::format("pid {} is in state {} after SIGSTOP", pid, process_state(pid))};
}

Result<std::string> resume_process(pid_t pid) {
    WALRUS_RETURN_IF_ERROR(send(pid, SIGCONT));
    const auto runs = [&] { return !has_ended(pid) && process_state(pid) != 'T'; };
    if (await(kWitnessMs, runs)) {
        return fmt::format("pid {} is in state {} again", pid, process_state(pid));
    }
    return Error{Errc::kTimeout, fmt::format("pid {} does not run after SIGCONT", pid)};
}

}  // namespace walrus::harness
