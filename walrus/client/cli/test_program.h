// Runs walrus-cli the way a script would, and a Kafka of the test's own; for tests from outside.
#pragma once

#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace walrus::client {

struct Outcome {
    int exit_code = -1;  // Negative: the signal that ended it.
    std::string out;
    std::string err;
};

inline void must(bool worked, const char* what) {
    if (!worked) throw std::runtime_error(what);
}

class ScratchDirectory {
public:
    ScratchDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "walrus-cli-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~ScratchDirectory() { std::filesystem::remove_all(path_); }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;

    std::string path(const std::string& name = "") const { return path_ + "/" + name; }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path(name), std::ios::binary) << text;
        return path(name);
    }
    std::string read(const std::string& name) const {
        std::ifstream in(path(name), std::ios::binary);
        std::ostringstream text;
        text << in.rdbuf();
        return text.str();
    }

private:
    std::string path_;
};

// A walrus-cli that is running, without a terminal, and with no environment but what is given.
class RunningProgram {
public:
    RunningProgram(const ScratchDirectory& scratch, std::vector<std::string> arguments,
                   const std::string& input = "", std::vector<std::string> environment = {})
        : scratch_(scratch) {
        const std::string in = scratch.write("stdin", input);
        const std::string err = scratch.path("stderr");
        int ends[2] = {-1, -1};
        must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 0, in.c_str(), O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                         0644);
        arguments.insert(arguments.begin(), WALRUS_CLI_PATH);
        std::vector<char*> argv = pointers(arguments);
        std::vector<char*> envp = pointers(environment);
        must(
            posix_spawn(&child_, WALRUS_CLI_PATH, &actions, nullptr, argv.data(), envp.data()) == 0,
            "posix_spawn");
        posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        output_ = ends[0];
    }
    ~RunningProgram() {
        ::close(output_);
        if (child_ <= 0) return;
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
    }
    RunningProgram(const RunningProgram&) = delete;
    RunningProgram& operator=(const RunningProgram&) = delete;

    void signal(int number) const { ::kill(child_, number); }

    // Waits until standard output holds this text; false: it ended without it.
    bool wait_for_output(const std::string& text) {
        while (out_.find(text) == std::string::npos)
            if (!receive()) return false;
        return true;
    }

    Outcome wait() {
        while (receive()) {
        }
        int status = 0;
        must(::waitpid(child_, &status, 0) == child_, "waitpid");
        child_ = 0;
        return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status),
                .out = out_,
                .err = scratch_.read("stderr")};
    }

private:
    bool receive() {
        std::array<char, 4096> piece;
        const ssize_t got = ::recv(output_, piece.data(), piece.size(), 0);
        if (got > 0) out_.append(piece.data(), static_cast<std::size_t>(got));
        return got > 0;
    }

    static std::vector<char*> pointers(std::vector<std::string>& words) {
        std::vector<char*> made;
        for (std::string& word : words) made.push_back(word.data());
        made.push_back(nullptr);
        return made;
    }

    const ScratchDirectory& scratch_;
    pid_t child_ = 0;
    int output_ = -1;
    std::string out_;
};

// librdkafka's own small Kafka, in this process: it knows produce, fetch, offsets and groups.
class MockKafka {
public:
    MockKafka() {
        char message[256];
        rd_kafka_conf_t* conf = rd_kafka_conf_new();
        rd_kafka_conf_set_log_cb(conf, nullptr);
        handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, message, sizeof message);
        cluster_ = rd_kafka_mock_cluster_new(handle_, 1);
    }
    ~MockKafka() {
        rd_kafka_mock_cluster_destroy(cluster_);
        rd_kafka_destroy(handle_);
    }
    MockKafka(const MockKafka&) = delete;
    MockKafka& operator=(const MockKafka&) = delete;

    std::string address() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
    void create(const std::string& topic, int partitions) {
        rd_kafka_mock_topic_create(cluster_, topic.c_str(), partitions, 1);
    }
    // The next requests of this kind are answered with this error.
    void refuse(int16_t api, rd_kafka_resp_err_t code, std::size_t times) {
        const std::vector<rd_kafka_resp_err_t> codes(times, code);
        rd_kafka_mock_push_request_errors_array(cluster_, api, times, codes.data());
    }
    rd_kafka_mock_cluster_t* cluster() { return cluster_; }

private:
    rd_kafka_t* handle_;
    rd_kafka_mock_cluster_t* cluster_;
};

inline std::vector<nlohmann::json> json_lines(const std::string& text) {
    std::vector<nlohmann::json> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
}

}  // namespace walrus::client
