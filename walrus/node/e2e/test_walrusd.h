// A walrusd of a test: a child process on ports of its own, ended for certain.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "walrus/base/assert.h"

extern char** environ;

namespace walrus::node {

// Makes its data directory anew, and removes it at the end.
class TestWalrusd {
public:
    explicit TestWalrusd(std::string name) : directory_("walrusd_test_data/" + std::move(name)) {
        std::filesystem::remove_all(directory_);
        std::filesystem::create_directories(directory_);
        start();
    }
    ~TestWalrusd() {
        end(SIGKILL);
        std::filesystem::remove_all(directory_);
    }
    TestWalrusd(const TestWalrusd&) = delete;
    TestWalrusd& operator=(const TestWalrusd&) = delete;

    // Returns when it is ready; the port of an earlier start is used again.
    void start() {
        int ends[2];
        WALRUS_ASSERT(::pipe2(ends, O_CLOEXEC) == 0);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        const std::string log = directory_ + "/log";
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(),
                                         O_WRONLY | O_CREAT | O_APPEND, 0644);
        std::vector<std::string> words = {WALRUSD_PROGRAM,
                                          "--data-dir",
                                          directory_ + "/data",
                                          "--client-port",
                                          "0",
                                          "--kafka-port",
                                          port_of(kafka_, "0"),
                                          "--admin-port",
                                          "0"};
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        const int error =
            ::posix_spawn(&pid_, WALRUSD_PROGRAM, &actions, nullptr, arguments.data(), environ);
        posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        WALRUS_ASSERT(error == 0);
        read_ready_line(ends[0]);
    }

    // Kills it, or asks it to stop; returns the status of waitpid.
    int end(int signal) {
        if (pid_ == 0) return 0;
        ::kill(pid_, signal);
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = 0;
        return status;
    }

    const std::string& kafka() const { return kafka_; }  // "127.0.0.1:port"

private:
    static std::string port_of(const std::string& address, const std::string& otherwise) {
        const std::size_t colon = address.rfind(':');
        return colon == std::string::npos ? otherwise : address.substr(colon + 1);
    }
    void read_ready_line(int out) {
        std::FILE* lines = ::fdopen(out, "r");
        char line[512];
        std::string ready;
        while (ready.find(" ready ") == std::string::npos &&
               std::fgets(line, sizeof line, lines) != nullptr)
            ready = line;
        std::fclose(lines);
        const std::size_t begin = ready.find("kafka=");
        WALRUS_ASSERT(begin != std::string::npos);  // It ended; its log says why.
        kafka_ = ready.substr(begin + 6, ready.find(' ', begin) - begin - 6);
    }

    const std::string directory_;
    std::string kafka_;
    pid_t pid_ = 0;
};

}  // namespace walrus::node
