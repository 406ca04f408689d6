#include "compare/kafka/server_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "harness/driver/file_descriptor.h"
#include "harness/metrics/paced_clock.h"

namespace walrus::compare {
namespace {

constexpr std::uint64_t kPollNs = 2'000'000;
constexpr int kEndedBySigterm = 128 + SIGTERM;

// In the new process, before exec: only async-signal-safe calls.
[[noreturn]] void become_server(char* const* arguments, const char* directory, int log,
                                pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);  // It died before the line above could see it.
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    // The harness's answer pipe above all: who reads it waits for its last owner.
    for (int fd = STDERR_FILENO + 1; fd < 64; ++fd) ::close(fd);
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGTERM, SIG_DFL);
    ::signal(SIGPIPE, SIG_DFL);
    if (::chdir(directory) == 0) ::execv(arguments[0], arguments);
    ::_exit(127);
}

// The last line that is not part of a Java stack trace.
std::string last_words(const std::string& text) {
    std::string last;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        if (end > begin && text[begin] != '\t') last = text.substr(begin, end - begin);
        begin = end + 1;
    }
    return last;
}

}  // namespace

Result<std::unique_ptr<ServerProcess>> ServerProcess::start(ServerCommand command) {
    auto log = harness::open_file(command.log, O_WRONLY | O_CREAT | O_APPEND);
    if (!log) return std::move(log).error();
    struct stat before {};
    ::fstat(log->get(), &before);
    std::vector<char*> arguments;
    for (std::string& argument : command.arguments) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) return harness::os_error("start", command.arguments.front(), errno);
    if (pid == 0) become_server(arguments.data(), command.directory.c_str(), log->get(), parent);
    std::unique_ptr<ServerProcess> server(new ServerProcess(std::move(command), pid));
    server->log_begin_ = static_cast<std::uint64_t>(before.st_size);
    return server;
}

ServerProcess::ServerProcess(ServerCommand command, pid_t pid)
    : command_(std::move(command)), pid_(pid) {}

ServerProcess::~ServerProcess() {
    kill();
}

void ServerProcess::kill() {
    if (reaped_) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, &exit_status_, 0) < 0 && errno == EINTR) continue;
    reaped_ = true;
}

Status ServerProcess::check_alive() {
    if (!ended()) return {};
    return Error{Errc::kClosed, how_it_ended()};
}

std::string ServerProcess::output() const {
    const std::string all = harness::read_whole_file(command_.log).value_or("");
    return all.size() < log_begin_ ? "" : all.substr(log_begin_);
}

Status ServerProcess::stop(std::uint64_t timeout_ms) {
    if (!ended()) ::kill(pid_, SIGTERM);
    return wait(timeout_ms);
}

Status ServerProcess::wait(std::uint64_t timeout_ms) {
    harness::PacedClock& clock = harness::machine_clock();
    const std::uint64_t deadline_ns = clock.monotonic_ns() + timeout_ms * 1'000'000;
    while (!ended()) {
        if (clock.monotonic_ns() >= deadline_ns) {
            ::kill(pid_, SIGKILL);
            return Error{Errc::kTimeout,
                         fmt::format("{} did not end within {} s", command_.arguments.front(),
                                     timeout_ms / 1000)};
        }
        clock.wait_until(clock.monotonic_ns() + kPollNs);
    }
    const int code = WIFEXITED(exit_status_) ? WEXITSTATUS(exit_status_) : -1;
    if (code == 0 || code == kEndedBySigterm) return {};
    return Error{Errc::kIo, how_it_ended()};
}

bool ServerProcess::ended() {
    if (!reaped_) reaped_ = ::waitpid(pid_, &exit_status_, WNOHANG) == pid_;
    return reaped_;
}

std::string ServerProcess::how_it_ended() const {
    const std::string how = WIFSIGNALED(exit_status_)
                                ? fmt::format("was ended by signal {} ({})", WTERMSIG(exit_status_),
                                              ::sigdescr_np(WTERMSIG(exit_status_)))
                                : fmt::format("ended with exit code {}", WEXITSTATUS(exit_status_));
    const std::string words = last_words(output());
    const std::string& program = command_.arguments.front();
    if (words.empty()) return fmt::format("{} {}", program, how);
    return fmt::format("{} {}; its last words: {}", program, how, words);
}

}  // namespace walrus::compare
