// Runs a program the way a shell would, and looks at what it left; for tests of the command line.
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/scratch_directory.h"
#include "harness/report/result_json.h"

namespace walrus::harness {

struct ShellResult {
    int exit_code = -1;
    std::string output;  // Both streams.
};

// Runs a shell command to its end.
inline ShellResult run_shell(const std::string& command) {
    ShellResult outcome;
    FILE* pipe = ::popen(("{ " + command + "; } 2>&1").c_str(), "r");
    if (pipe == nullptr) return outcome;
    std::array<char, 4096> piece;
    for (std::size_t got; (got = std::fread(piece.data(), 1, piece.size(), pipe)) > 0;) {
        outcome.output.append(piece.data(), got);
    }
    const int status = ::pclose(pipe);
    outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return outcome;
}

// A scenario of one tiny row on one system, and the bundle it leaves.
class TinyRun {
protected:
    // Returns the scenario's path.
    std::string scenario(const std::string& driver, const std::string& settings,
                         const std::string& durability = "process",
                         const std::string& workload = "writers = 2",
                         const std::string& row = "") const {
        std::string path = directory_.path() + "/tiny.toml";
        std::ofstream(path) << "name = \"tiny\"\nrepetitions = 1\n[workload]\n"
                            << "payload_bytes = 100\nwarmup = \"20ms\"\nduration = \"60ms\"\n"
                            << "[[system]]\nname = \"sut\"\ndriver = \"" << driver << "\"\n"
                            << "settings = {" << settings << "}\n"
                            << "[[row]]\nname = \"tiny row\"\ndurability = \"" << durability
                            << "\"\nsystems = [\"sut\"]\nworkload = {" << workload << "}\n"
                            << row << "\n";
        return path;
    }

    std::string bundle() const { return directory_.path() + "/bundle"; }

    // Throws when the bundle holds none.
    RunResult result() const {
        const auto text = read_whole_file(bundle() + "/result.json");
        if (!text) throw std::runtime_error(text.error().message);
        auto parsed = parse_result(*text);
        if (!parsed) throw std::runtime_error(parsed.error().message);
        return std::move(*parsed);
    }

    // The last one of the only system.
    Repetition repetition() const {
        const RunResult whole = result();
        Repetition none;
        none.error = "the result holds no repetition";
        const auto& all = whole.rows.at(0).systems.at(0).repetitions;
        return all.empty() ? none : all.back();
    }

    // A process of this machine has a file below `path` open.
    static bool somebody_has_open(const std::string& path) {
        std::error_code error;
        for (const auto& process : std::filesystem::directory_iterator("/proc")) {
            for (const auto& fd :
                 std::filesystem::directory_iterator(process.path() / "fd", error)) {
                const std::string target = std::filesystem::read_symlink(fd, error);
                if (target.starts_with(path)) return true;
            }
        }
        return false;
    }

    ScratchDirectory directory_;
};

}  // namespace walrus::harness
