#include "harness/runner/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "harness/metrics/paced_clock.h"
#include "harness/runner/job.h"

namespace walrus::harness {
namespace {

constexpr std::uint64_t kPollMs = 50;  // How soon a signal is noticed.

volatile sig_atomic_t g_signal = 0;
// The process group of the child that runs, for the handler of a second signal; 0: none.
std::atomic<pid_t> g_group{0};
static_assert(std::atomic<pid_t>::is_always_lock_free);

// One wish to end may arrive as several signals: a shell or `timeout` tells process and group.
constexpr std::uint64_t kSameWishNs = 300'000'000;
std::atomic<std::uint64_t> g_signal_ns{0};

// The first signal asks for an orderly end, a later one does not wait for it.
void note_signal(int number) {
    const std::uint64_t now_ns = machine_clock().monotonic_ns();
    if (g_signal != 0) {
        if (now_ns < g_signal_ns.load() + kSameWishNs) return;
        if (const pid_t group = g_group.load(); group > 0) ::kill(-group, SIGKILL);
        ::_exit(128 + number);
    }
    g_signal_ns = now_ns;
    g_signal = number;
}

struct Pipe {
    FileDescriptor read_end;
    FileDescriptor write_end;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return os_error("make", "a pipe", errno);
    return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

// What the new process is to find open.
struct ChildEnds {
    int input;
    int answer;
    int log;
};

// In the new process, before exec: only async-signal-safe calls.
[[noreturn]] void become_child(const char* executable, const ChildEnds& ends, pid_t harness) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != harness) ::_exit(127);  // It died before the line above could see it.
    // The answer descriptor may be in the way of another one that is still needed.
    const int safe_answer = ::fcntl(ends.answer, F_DUPFD, 16);
    ::dup2(ends.input, STDIN_FILENO);
    ::dup2(ends.log, STDOUT_FILENO);
    ::dup2(ends.log, STDERR_FILENO);
    ::dup2(safe_answer, kAnswerDescriptor);
    ::close(safe_answer);
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGTERM, SIG_DFL);
    ::execl(executable, "walrus-harness", "child", static_cast<char*>(nullptr));
    ::_exit(127);
}

std::uint64_t now_ms() {
    return machine_clock().monotonic_ns() / 1'000'000;
}

}  // namespace

void note_signals_instead_of_dying() {
    machine_clock();  // Made here, so that the handler only reads it.
    struct sigaction action {};
    action.sa_handler = note_signal;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
}

int noted_signal() {
    return g_signal;
}

Result<ChildProcess> ChildProcess::start(const std::string& executable,
                                         const std::string& log_path) {
    auto log = open_file(log_path, O_WRONLY | O_CREAT | O_APPEND);
    if (!log) return std::move(log).error();
    auto input = make_pipe();
    if (!input) return std::move(input).error();
    auto answer = make_pipe();
    if (!answer) return std::move(answer).error();

    ChildProcess child;
    const pid_t harness = ::getpid();
    child.pid_ = ::fork();
    if (child.pid_ < 0) return os_error("start", executable, errno);
    if (child.pid_ == 0) {
        become_child(
            executable.c_str(),
            {.input = input->read_end.get(), .answer = answer->write_end.get(), .log = log->get()},
            harness);
    }
    g_group = child.pid_;
    ::setpgid(child.pid_, child.pid_);  // Both sides do it: whoever comes first.
    child.input_ = std::move(input->write_end);
    child.answer_ = std::move(answer->read_end);
    return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      exit_status_(other.exit_status_),
      input_(std::move(other.input_)),
      answer_(std::move(other.answer_)),
      received_(std::move(other.received_)) {}

ChildProcess::~ChildProcess() {
    kill();
}

Status ChildProcess::send_line(const std::string& line) {
    Bytes rest = as_bytes(line);
    while (!rest.empty()) {
        const ssize_t written = ::write(input_.get(), rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return Error{Errc::kClosed, "the child " + how_it_ended()};
        rest = rest.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

Result<std::string> ChildProcess::read_line(std::uint64_t timeout_ms) {
    const std::uint64_t deadline = now_ms() + timeout_ms;
    for (;;) {
        if (const auto end = received_.find('\n'); end != std::string::npos) {
            std::string line = received_.substr(0, end);
            received_.erase(0, end + 1);
            return line;
        }
        if (noted_signal() != 0) return Error{Errc::kFenced, "interrupted"};
        if (now_ms() >= deadline) {
            return Error{Errc::kTimeout,
                         fmt::format("the child gave no answer within {} s", timeout_ms / 1000)};
        }
        pollfd wanted{.fd = answer_.get(), .events = POLLIN, .revents = 0};
        if (::poll(&wanted, 1, static_cast<int>(kPollMs)) <= 0) continue;
        std::array<char, 65536> piece;
        const ssize_t got = ::read(answer_.get(), piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return Error{Errc::kClosed, "the child " + how_it_ended()};
        received_.append(piece.data(), static_cast<std::size_t>(got));
    }
}

void ChildProcess::kill() {
    if (pid_ < 0) return;
    ::kill(-pid_, SIGKILL);
    reap();
}

Status ChildProcess::wait(std::uint64_t timeout_ms) {
    const std::uint64_t deadline = now_ms() + timeout_ms;
    while (pid_ >= 0) {
        if (::waitpid(pid_, &exit_status_, WNOHANG) == pid_) {
            ended();
            break;
        }
        if (noted_signal() != 0) return Error{Errc::kFenced, "interrupted"};
        if (now_ms() >= deadline) {
            kill();
            return Error{Errc::kTimeout,
                         fmt::format("the child did not stop within {} s", timeout_ms / 1000)};
        }
        ::poll(nullptr, 0, 1);
    }
    if (WIFEXITED(exit_status_) && WEXITSTATUS(exit_status_) == 0) return {};
    return Error{Errc::kIo, "the child " + how_it_ended()};
}

void ChildProcess::reap() {
    while (::waitpid(pid_, &exit_status_, 0) < 0 && errno == EINTR) continue;
    ended();
}

void ChildProcess::ended() {
    ::kill(-pid_, SIGKILL);  // Whatever it left behind in its group.
    g_group = 0;
    pid_ = -1;
}

std::string ChildProcess::how_it_ended() {
    // Its end of the pipe is closed, so it has ended or is about to.
    if (pid_ >= 0) {
        for (int tries = 0; tries < 100; ++tries) {
            if (::waitpid(pid_, &exit_status_, WNOHANG) == pid_) {
                ended();
                break;
            }
            ::poll(nullptr, 0, 10);
        }
        if (pid_ >= 0) return "closed its answer pipe and hangs";
    }
    if (WIFSIGNALED(exit_status_)) {
        return fmt::format("crashed: signal {} ({})", WTERMSIG(exit_status_),
                           ::sigdescr_np(WTERMSIG(exit_status_)));
    }
    return fmt::format("ended with exit code {}", WEXITSTATUS(exit_status_));
}

}  // namespace walrus::harness
