// Real processes: shell scripts in place of the harness's own child.
#include "harness/runner/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "harness/driver/scratch_directory.h"
#include "harness/metrics/paced_clock.h"

namespace walrus::harness {
namespace {

using ::testing::HasSubstr;

class ChildProcessTest : public ::testing::Test {
protected:
    Result<ChildProcess> start(const std::string& script) const {
        const std::string path = directory_.path() + "/child.sh";
        EXPECT_TRUE(write_whole_file(path, "#!/bin/sh\n" + script + "\n"));
        EXPECT_EQ(::chmod(path.c_str(), 0755), 0);
        return ChildProcess::start(path, directory_.path() + "/log");
    }

    ScratchDirectory directory_;
};

// Gone, or waiting to be reaped by somebody else.
bool has_ended(pid_t pid) {
    if (::kill(pid, 0) != 0) return errno == ESRCH;
    const auto stat = read_whole_file("/proc/" + std::to_string(pid) + "/stat");
    return !stat || stat->find(") Z ") != std::string::npos;
}

TEST_F(ChildProcessTest, AnswersAreLinesOnDescriptorThree) {
    auto child = start("read job; echo \"did $job\" >&3; read word; exit 0");
    ASSERT_TRUE(child);
    ASSERT_TRUE(child->send_line("work\n"));
    EXPECT_EQ(child->read_line(10'000).value_or("nothing"), "did work");
    ASSERT_TRUE(child->send_line("stop\n"));
    EXPECT_TRUE(child->wait(10'000));
}

TEST_F(ChildProcessTest, ACrashAndAnExitAreToldApart) {
    auto crashed = start("kill -SEGV $$");
    ASSERT_TRUE(crashed);
    EXPECT_THAT(crashed->read_line(10'000).error().message,
                HasSubstr("crashed: signal 11 (Segmentation fault)"));
    auto ended = start("exit 7");
    ASSERT_TRUE(ended);
    EXPECT_THAT(ended->read_line(10'000).error().message, HasSubstr("ended with exit code 7"));
}

TEST_F(ChildProcessTest, AHangIsATimeoutAndTheWholeGroupDies) {
    auto child = start("sleep 1000 & echo $! >&3; wait");
    ASSERT_TRUE(child);
    const auto grandchild = child->read_line(10'000);
    ASSERT_TRUE(grandchild);
    EXPECT_EQ(child->read_line(50).error().code, Errc::kTimeout);
    const pid_t pid = std::stoi(*grandchild);
    EXPECT_FALSE(has_ended(pid));
    child->kill();
    // SIGKILL was sent to it before kill() returned; the kernel may still be at work.
    for (int tries = 0; tries < 1'000'000 && !has_ended(pid); ++tries) continue;
    EXPECT_TRUE(has_ended(pid));
}

TEST_F(ChildProcessTest, WhatAnOrderlyChildLeavesBehindDiesToo) {
    auto child = start("sleep 1000 & echo $! >&3; read word; exit 0");
    ASSERT_TRUE(child);
    const auto grandchild = child->read_line(10'000);
    ASSERT_TRUE(grandchild);
    ASSERT_TRUE(child->send_line("stop\n"));
    EXPECT_TRUE(child->wait(10'000));
    const pid_t pid = std::stoi(*grandchild);
    for (int tries = 0; tries < 1'000'000 && !has_ended(pid); ++tries) continue;
    EXPECT_TRUE(has_ended(pid));
}

TEST_F(ChildProcessTest, OneThatDoesNotStopIsKilled) {
    auto child = start("trap '' TERM; echo ready >&3; while :; do sleep 1; done");
    ASSERT_TRUE(child);
    ASSERT_TRUE(child->read_line(10'000));
    EXPECT_EQ(child->wait(50).error().code, Errc::kTimeout);
}

TEST_F(ChildProcessTest, AProgramThatIsNotThereEndsAtOnce) {
    auto child = ChildProcess::start(directory_.path() + "/none", directory_.path() + "/log");
    ASSERT_TRUE(child);
    EXPECT_THAT(child->read_line(10'000).error().message, HasSubstr("exit code 127"));
}

// A process of its own, because signals are noted for good.
[[noreturn]] void wait_for_two_signals(int answer) {
    note_signals_instead_of_dying();
    PacedClock& clock = machine_clock();
    const auto say = [&](char word) {
        if (::write(answer, &word, 1) != 1) ::_exit(1);
    };
    say('r');
    while (noted_signal() == 0) clock.wait_until(clock.monotonic_ns() + 1'000'000);
    say('n');
    clock.wait_until(clock.monotonic_ns() + 400'000'000);
    say('l');
    for (;;) ::pause();
}

TEST(Signals, TheFirstIsNotedAndALaterOneEndsTheProgram) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const pid_t pid = ::fork();
    if (pid == 0) wait_for_two_signals(ends[1]);
    const auto next_word = [&] {
        char word = 0;
        return ::read(ends[0], &word, 1) == 1 ? word : '?';
    };
    EXPECT_EQ(next_word(), 'r');
    ::kill(pid, SIGTERM);
    ::kill(pid, SIGTERM);  // The same wish, said twice.
    EXPECT_EQ(next_word(), 'n');
    EXPECT_EQ(next_word(), 'l');
    ::kill(pid, SIGTERM);
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 143);
    ::close(ends[0]);
    ::close(ends[1]);
}

}  // namespace
}  // namespace walrus::harness
