#include "harness/runner/runner.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "harness/driver/settings.h"
#include "harness/metrics/block_device.h"
#include "harness/metrics/paced_clock.h"
#include "harness/metrics/quiet.h"
#include "harness/report/result_json.h"
#include "harness/report/summary.h"
#include "harness/runner/child_process.h"
#include "harness/runner/job.h"
#include "harness/scenario/scenario_json.h"
#include "walrus/base/version.h"

namespace walrus::harness {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kFloorNs = 250'000'000;
constexpr std::uint64_t kAnswerSlackMs = 120'000;
// Slower than this a system does not fill a directory in a test of ours.
constexpr std::uint64_t kSlowestBytesPerMs = 10'000;
constexpr std::uint64_t kReadBackTimeoutMs = 600'000;
constexpr std::uint64_t kStopTimeoutMs = 120'000;
constexpr std::uint64_t kSettleNs = 10'000'000'000;
constexpr std::uint64_t kSettlePollNs = 2'000'000;

std::string utc_now() {
    const auto seconds = static_cast<std::time_t>(machine_clock().wall_ms() / 1000);
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds));
}

// RFC 4122, version 4.
std::string make_uuid(Random& random) {
    const std::uint64_t high = (random.next() & ~0xf000ull) | 0x4000ull;
    const std::uint64_t low = (random.next() & ~(0xc0ull << 56)) | (0x80ull << 56);
    return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff,
                       high & 0xffff, low >> 48, low & 0xffffffffffff);
}

std::string as_file_name(std::string_view text) {
    std::string name;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (plain) {
            name += c;
        } else if (!name.empty() && name.back() != '-') {
            name += '-';
        }
    }
    return name;
}

Status make_directory(const std::string& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) return os_error("create", path, error.value());
    return {};
}

class Run {
public:
    Run(const Scenario& scenario, const Registry& registry, const RunOptions& options,
        Random& random, const ProgressSink& on_progress)
        : scenario_(scenario),
          registry_(registry),
          options_(options),
          random_(random),
          on_progress_(on_progress),
          data_(options.data_directory.empty() ? options.bundle_directory + "/data"
                                               : options.data_directory) {}

    Result<RunResult> run() {
        WALRUS_RETURN_IF_ERROR(prepare());
        Status status;
        for (std::uint32_t round = 0; status && round < scenario_.repetitions; ++round) {
            status = run_round(round);
        }
        std::error_code ignored;
        fs::remove(data_, ignored);  // Only when empty.
        result_.complete = status.has_value();
        if (!status) result_.notes.push_back(status.error().message);
        result_.finished_at = utc_now();
        WALRUS_RETURN_IF_ERROR(write_result());
        return std::move(result_);
    }

private:
    Status prepare() {
        const std::string result_path = options_.bundle_directory + "/result.json";
        if (fs::exists(result_path)) {
            return Error{Errc::kAlreadyExists,
                         fmt::format("{} holds a bundle already", options_.bundle_directory)};
        }
        WALRUS_RETURN_IF_ERROR(make_directory(options_.bundle_directory + "/logs"));
        WALRUS_RETURN_IF_ERROR(make_directory(data_));
        device_ = BlockDevice::under(data_);
        result_.uuid = make_uuid(random_);
        result_.started_at = utc_now();
        result_.revision = std::string(build_commit());
        result_.command_line = options_.command_line;
        result_.quick = options_.quick;
        result_.host = machine_facts(data_);
        result_.scenario = scenario_;
        result_.notes = scenario_.notes;
        for (const Row& row : scenario_.rows) add_row(row);
        started_ns_ = machine_clock().monotonic_ns();
        return write_whole_file(options_.bundle_directory + "/scenario.json",
                                nlohmann::json(scenario_).dump(2) + "\n");
    }

    void add_row(const Row& row) {
        RowResult& added = result_.rows.emplace_back(RowResult{.row = row, .systems = {}});
        for (const std::string& name : row.systems) {
            const auto driver = registry_.find(scenario_.find_system(name)->driver);
            added.systems.push_back({.system = name,
                                     .skipped = driver ? "" : driver.error().message,
                                     .repetitions = {}});
            if (driver) progress_.total += scenario_.repetitions;
        }
    }

    Status run_round(std::uint32_t round) {
        progress_.round = round;
        WALRUS_RETURN_IF_ERROR(measure_floor());
        for (std::size_t index = 0; index < result_.rows.size(); ++index) {
            RowResult& row = result_.rows[index];
            // Rotated by the round, so that over the rounds no system is always first.
            for (std::uint32_t i = 0; i < row.systems.size(); ++i) {
                SystemResult& system = row.systems[(i + round + index) % row.systems.size()];
                if (!system.skipped.empty()) continue;
                WALRUS_RETURN_IF_ERROR(run_repetition(row.row, system, round, i));
            }
        }
        return {};
    }

    Status measure_floor() {
        Job job;
        job.kind = JobKind::kFloor;
        job.directory = data_ + "/floor";
        job.duration_ns = kFloorNs;
        WALRUS_RETURN_IF_ERROR(make_directory(job.directory));
        auto answer = ask(job, "calibration", kAnswerSlackMs);
        remove_data(job.directory);
        if (!answer) return std::move(answer).error();
        if (!answer->error.empty()) return Error{Errc::kIo, answer->error};
        result_.floor.overwrite_ns.merge(answer->floor.overwrite_ns);
        result_.floor.append_ns.merge(answer->floor.append_ns);
        return {};
    }

    // One repetition.  An error ends the run; what goes wrong in the repetition itself is kept in
    // it.
    Status run_repetition(const Row& row, SystemResult& system, std::uint32_t round,
                          std::uint32_t position) {
        progress_.what = fmt::format("{} / {}", row.name, system.system);
        report_progress("");
        Repetition repetition;
        repetition.round = round;
        repetition.position = position;
        repetition.seed = scenario_.seed + round;
        Job job;
        job.system = *scenario_.find_system(system.system);
        job.row = row;
        job.seed = repetition.seed;
        job.run_id = random_.next();
        job.plain_reads_first = (round + position) % 2 == 0;
        job.directory =
            fmt::format("{}/r{}-{}", data_, round, as_file_name(row.name + "-" + system.system));
        WALRUS_RETURN_IF_ERROR(make_directory(job.directory));
        const Status status = write_and_read_back(job, repetition);
        if (noted_signal() != 0) {
            remove_data(job.directory);
            return Error{Errc::kFenced, "interrupted"};
        }
        if (!status) repetition.error = status.error().message;
        if (status || !options_.keep_data) remove_data(job.directory);
        repetition.disturbance = disturbance(repetition.write.activity);
        ++progress_.done;
        report_progress(repetition.measured() ? fmt::format("{:.4g}", figure_of(row, repetition))
                                              : repetition.error);
        system.repetitions.push_back(std::move(repetition));
        return {};
    }

    Status write_and_read_back(Job& job, Repetition& repetition) {
        job.kind = JobKind::kWrite;
        const std::string log = log_path(job, "write");
        auto child = start(job, log);
        if (!child) return std::move(child).error();
        auto answer = read_answer(*child, write_timeout_ms(job.row));
        if (!answer) return with_log(answer.error(), log);
        repetition.write = std::move(answer->write);
        repetition.read = std::move(answer->read);
        if (!answer->error.empty()) return with_log({Errc::kIo, answer->error}, log);
        if (job.row.ending == Ending::kStop) {
            WALRUS_RETURN_IF_ERROR(child->send_line("stop\n"));
            if (const Status stopped = child->wait(kStopTimeoutMs); !stopped) {
                return with_log(stopped.error(), log);
            }
        } else {
            child->kill();
        }
        remove_if_empty(log);

        const auto capabilities =
            (*registry_.find(job.system.driver))->capabilities(job.system.settings);
        if (!capabilities) return capabilities.error();
        if (!capabilities->read_back) return {};
        job.kind = JobKind::kReadBack;
        job.journal = std::move(answer->journal);
        auto checked = ask(job, "read-back", kReadBackTimeoutMs);
        if (!checked) return std::move(checked).error();
        if (!checked->error.empty()) {
            return Error{Errc::kIo, "reading back: " + checked->error};
        }
        repetition.read_back = std::move(checked->read_back);
        repetition.checked = true;
        return {};
    }

    static std::uint64_t write_timeout_ms(const Row& row) {
        const std::uint64_t bytes_moved = row.workload.max_bytes * (1 + row.workload.readers);
        return kAnswerSlackMs + longest_load_ns(row) / 1'000'000 + bytes_moved / kSlowestBytesPerMs;
    }

    std::string log_path(const Job& job, const std::string& part) const {
        return fmt::format("{}/logs/{}-{}.log", options_.bundle_directory,
                           fs::path(job.directory).filename().string(), part);
    }

    Result<ChildProcess> start(const Job& job, const std::string& log) {
        auto child = ChildProcess::start(options_.executable, log);
        if (!child) return child;
        WALRUS_RETURN_IF_ERROR(child->send_line(nlohmann::json(job).dump() + "\n"));
        return child;
    }

    static Result<Answer> read_answer(ChildProcess& child, std::uint64_t timeout_ms) {
        const auto line = child.read_line(timeout_ms);
        if (!line) return line.error();
        try {
            return nlohmann::json::parse(*line).get<Answer>();
        } catch (const nlohmann::json::exception& error) {
            return Error{Errc::kCorruption, fmt::format("bad answer: {}", error.what())};
        }
    }

    // A child that needs no orderly end: starts it, waits for its answer, ends it.
    Result<Answer> ask(const Job& job, const std::string& part, std::uint64_t timeout_ms) {
        const std::string log = log_path(job, part);
        auto child = start(job, log);
        if (!child) return std::move(child).error();
        auto answer = read_answer(*child, timeout_ms);
        child->kill();
        if (!answer) return with_log(answer.error(), log);
        if (answer->error.empty()) remove_if_empty(log);
        return answer;
    }

    // The last line the child said belongs to its error.
    static Error with_log(const Error& error, const std::string& log) {
        std::string text = read_whole_file(log).value_or("");
        while (text.ends_with('\n')) text.pop_back();
        if (text.empty()) return error;
        const auto newline = text.rfind('\n');
        const std::string last = newline == std::string::npos ? text : text.substr(newline + 1);
        return Error{error.code, fmt::format("{}; its last words: {}", error.message, last)};
    }

    static void remove_if_empty(const std::string& log) {
        std::error_code ignored;
        if (fs::file_size(log, ignored) == 0) fs::remove(log, ignored);
    }

    void remove_data(const std::string& directory) {
        std::error_code ignored;
        fs::remove_all(directory, ignored);
        settle();
    }

    // Lets the device finish what the last repetition left: journal, discards, write-back.
    void settle() const {
        if (const auto fd = open_file(data_, O_RDONLY | O_DIRECTORY)) ::syncfs(fd->get());
        PacedClock& clock = machine_clock();
        const std::uint64_t deadline = clock.monotonic_ns() + kSettleNs;
        while (device_.in_flight() > 0 && clock.monotonic_ns() < deadline) {
            clock.wait_until(clock.monotonic_ns() + kSettlePollNs);
        }
    }

    void report_progress(const std::string& figure) {
        if (!on_progress_) return;
        progress_.figure = figure;
        progress_.elapsed_ns = machine_clock().monotonic_ns() - started_ns_;
        on_progress_(progress_);
    }

    Status write_result() const {
        return write_whole_file(options_.bundle_directory + "/result.json",
                                nlohmann::json(result_).dump(1) + "\n");
    }

    const Scenario& scenario_;
    const Registry& registry_;
    const RunOptions& options_;
    Random& random_;
    const ProgressSink& on_progress_;
    const std::string data_;
    BlockDevice device_;
    RunResult result_;
    Progress progress_;
    std::uint64_t started_ns_ = 0;
};

}  // namespace

Result<RunResult> run_scenario(const Scenario& scenario, const Registry& registry,
                               const RunOptions& options, Random& random,
                               const ProgressSink& on_progress) {
    return Run(scenario, registry, options, random, on_progress).run();
}

}  // namespace walrus::harness
