#include "compare/kafka/server_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/scratch_directory.h"
#include "harness/metrics/paced_clock.h"

namespace walrus::compare {
namespace {

constexpr std::uint64_t kPatienceMs = 20'000;

// Neither there nor a zombie that nobody has collected yet.
bool is_gone(pid_t pid) {
    const auto stat = harness::read_whole_file("/proc/" + std::to_string(pid) + "/stat");
    return !stat || stat->find(") Z ") != std::string::npos;
}

template <class Condition>
bool becomes_true(Condition condition) {
    harness::PacedClock& clock = harness::machine_clock();
    const std::uint64_t deadline_ns = clock.monotonic_ns() + kPatienceMs * 1'000'000;
    while (!condition()) {
        if (clock.monotonic_ns() > deadline_ns) return false;
        clock.wait_until(clock.monotonic_ns() + 1'000'000);
    }
    return true;
}

class ServerProcessTest : public ::testing::Test {
protected:
    std::unique_ptr<ServerProcess> start(const std::string& script) {
        auto server = ServerProcess::start({.arguments = {"/bin/sh", "-c", script},
                                            .directory = directory_.path(),
                                            .log = directory_.path() + "/log"});
        EXPECT_TRUE(server) << server.error().message;
        return std::move(*server);
    }

    harness::ScratchDirectory directory_;
};

TEST_F(ServerProcessTest, RunsInItsDirectoryAndTellsWhatItSaid) {
    const auto server = start("pwd; echo complaint >&2");
    ASSERT_TRUE(server->wait(kPatienceMs));
    EXPECT_EQ(server->output(), directory_.path() + "\ncomplaint\n");
}

TEST_F(ServerProcessTest, OutputOfAnEarlierOneInTheSameLogIsNotItsOwn) {
    ASSERT_TRUE(start("echo first")->wait(kPatienceMs));
    const auto second = start("echo second");
    ASSERT_TRUE(second->wait(kPatienceMs));
    EXPECT_EQ(second->output(), "second\n");
}

TEST_F(ServerProcessTest, StopsInAnOrderlyWay) {
    const auto server =
        start("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done");
    ASSERT_TRUE(becomes_true([&] { return server->output() == "up\n"; }));
    EXPECT_TRUE(server->check_alive());
    EXPECT_TRUE(server->stop(kPatienceMs));
    EXPECT_EQ(server->output(), "up\nbye\n");
}

TEST_F(ServerProcessTest, TheDestructorKillsIt) {
    pid_t pid = 0;
    {
        const auto server = start("trap '' TERM; exec sleep 1000");
        pid = server->pid();
        ASSERT_TRUE(server->check_alive());
    }
    EXPECT_TRUE(is_gone(pid));
}

TEST_F(ServerProcessTest, DiesWithTheProcessThatStartedIt) {
    const std::string pid_file = directory_.path() + "/pid";
    const pid_t owner = ::fork();
    if (owner == 0) {
        const auto server = start("exec sleep 1000");
        const Status told = harness::write_whole_file(pid_file, std::to_string(server->pid()));
        while (told) ::pause();
        ::_exit(1);
    }
    pid_t pid = 0;
    ASSERT_TRUE(becomes_true([&] {
        pid = std::atoi(harness::read_whole_file(pid_file).value_or("").c_str());
        return pid > 0;
    }));
    ::kill(owner, SIGKILL);
    ::waitpid(owner, nullptr, 0);
    EXPECT_TRUE(becomes_true([&] { return is_gone(pid); }));
}

// --- error paths ---

TEST_F(ServerProcessTest, ADeadServerIsTellingHowItEndedAndItsLastWordsWithoutTheStackTrace) {
    const auto server = start("echo 'Exception: port in use'; printf '\\tat a.b.C\\n'; exit 7");
    ASSERT_TRUE(becomes_true([&] { return !server->check_alive(); }));
    EXPECT_EQ(server->check_alive().error().message,
              "/bin/sh ended with exit code 7; its last words: Exception: port in use");
    EXPECT_EQ(server->wait(kPatienceMs).error().code, Errc::kIo);
}

TEST_F(ServerProcessTest, OneThatDoesNotStopInTimeIsKilled) {
    const auto server = start("trap '' TERM; echo up; while :; do sleep 0.01; done");
    ASSERT_TRUE(becomes_true([&] { return server->output() == "up\n"; }));
    EXPECT_EQ(server->stop(20).error().code, Errc::kTimeout);
    EXPECT_TRUE(becomes_true([&] { return !server->check_alive(); }));
}

TEST_F(ServerProcessTest, AProgramThatIsNotThereIsAnErrorOfItsEnd) {
    auto server = ServerProcess::start({.arguments = {"/no/such/program"},
                                        .directory = directory_.path(),
                                        .log = directory_.path() + "/log"});
    ASSERT_TRUE(server);
    EXPECT_EQ((*server)->wait(kPatienceMs).error().message,
              "/no/such/program ended with exit code 127");
}

}  // namespace
}  // namespace walrus::compare
