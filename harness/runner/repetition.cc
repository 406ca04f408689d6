#include "harness/runner/repetition.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/scenario/scenario_json.h"

namespace walrus::harness {
namespace {

// Slower than this a system does not fill a directory in a test of ours.
constexpr std::uint64_t kSlowestBytesPerMs = 10'000;
constexpr std::uint64_t kReadBackTimes = 5;  // Of the slack.
constexpr std::uint64_t kCeilingWarmupNs = 50'000'000;
constexpr std::uint64_t kCeilingNs = 200'000'000;

std::uint64_t planned_ms(const Row& row) {
    const std::uint64_t bytes_moved = row.workload.max_bytes * (1 + row.workload.readers);
    return longest_load_ns(row) / 1'000'000 + bytes_moved / kSlowestBytesPerMs;
}

bool has_acknowledged(const Journal& journal) {
    return std::ranges::any_of(journal,
                               [](const WriterJournal& w) { return w.acknowledged() > 0; });
}

// What to do about an error that people can do something about.
std::string advice_for(const std::string& error, const std::string& data) {
    const bool full = error.find("No space left") != std::string::npos ||
                      error.find(errc_name(Errc::kNoSpace)) != std::string::npos;
    if (!full) return "";
    return fmt::format("; the disk under {} is full: free space or choose another --data", data);
}

}  // namespace

Result<FloorResult> RepetitionTaker::measure_floor(std::uint64_t duration_ns) const {
    auto directory = workspace_.make_directory("floor");
    if (!directory) return std::move(directory).error();
    Job job;
    job.kind = JobKind::kFloor;
    job.directory = *directory;
    job.duration_ns = duration_ns;
    const std::uint64_t timeout_ms = 2 * duration_ns / 1'000'000 + options_.child_slack_ms;
    auto answer = jobs_.ask(job, workspace_.log_path("floor.log"), timeout_ms);
    workspace_.remove_directory(*directory);
    if (!answer) {
        const Error& error = answer.error();
        return Error{error.code, fmt::format("measuring the device's floor: {}{}", error.message,
                                             advice_for(error.message, workspace_.data()))};
    }
    return std::move(answer->floor);
}

void RepetitionTaker::take(Job job, const std::string& label, Repetition& repetition) {
    if (keeps_servers(job.row)) {
        auto attachment = servers_.attach(job.system);
        if (!attachment) {
            repetition.error = "starting the server: " + attachment.error().message;
            return;
        }
        job.attachment = std::move(*attachment);
    }
    auto directory = workspace_.make_directory(label);
    if (!directory) {
        repetition.error = directory.error().message;
        return;
    }
    job.directory = *directory;
    const Status status = write_and_read_back(job, label, repetition);
    if (!status) {
        const std::string& message = status.error().message;
        repetition.error = message + advice_for(message, workspace_.data());
    }
    if (!status && keeps_servers(job.row)) servers_.drop(job.system.name);
    const bool keep = !status && options_.keep_data && noted_signal() == 0;
    if (!keep) workspace_.remove_directory(*directory);
}

Status RepetitionTaker::write_and_read_back(Job& job, const std::string& label,
                                            Repetition& repetition) const {
    job.kind = JobKind::kWrite;
    const std::string log = workspace_.log_path(label + "-write.log");
    auto child = jobs_.start(job, log);
    if (!child) return std::move(child).error();
    auto answer =
        ChildJobs::read_answer(*child, log, planned_ms(job.row) + options_.child_slack_ms);
    if (!answer) return std::move(answer).error();
    repetition.write = std::move(answer->write);
    repetition.read = std::move(answer->read);
    Status written;
    if (!answer->error.empty()) {
        child->kill();
        written = ChildJobs::with_last_words({Errc::kIo, answer->error}, log);
        if (!has_acknowledged(answer->journal)) return written;
    } else if (const Status ended = end_writer(job, *child); !ended) {
        return ChildJobs::with_last_words(ended.error(), log);
    }
    ChildJobs::remove_if_empty(log);
    job.journal = std::move(answer->journal);
    const Status checked = read_back(job, label, repetition);
    if (written) return checked;
    if (checked) return written;
    return Error{written.error().code,
                 written.error().message + "; and " + checked.error().message};
}

Status RepetitionTaker::end_writer(const Job& job, ChildProcess& child) const {
    if (job.row.ending == Ending::kKill) {
        child.kill();
        return {};
    }
    WALRUS_RETURN_IF_ERROR(child.send_line("stop\n"));
    return child.wait(options_.child_slack_ms);
}

Status RepetitionTaker::read_back(Job& job, const std::string& label,
                                  Repetition& repetition) const {
    const auto driver = registry_.find(job.system.driver);
    if (!driver) return driver.error();
    const auto capabilities = (*driver)->capabilities(job.system.settings);
    if (!capabilities) return capabilities.error();
    if (!capabilities->read_back) return {};
    job.kind = JobKind::kReadBack;
    auto checked = jobs_.ask(job, workspace_.log_path(label + "-read-back.log"),
                             kReadBackTimes * options_.child_slack_ms);
    if (!checked) {
        return Error{checked.error().code, "reading back: " + checked.error().message};
    }
    repetition.read_back = std::move(checked->read_back);
    repetition.checked = true;
    return {};
}

double RepetitionTaker::ceiling_per_s(const Workload& workload) {
    Workload unbound = workload;
    unbound.warmup_ns = kCeilingWarmupNs;
    unbound.duration_ns = kCeilingNs;
    unbound.max_bytes = 0;
    unbound.readers = 0;
    // As fast as the threads can, not as fast as they should.
    if (unbound.load == Load::kOpen) unbound.load = Load::kWindow;
    if (unbound.load == Load::kBurst) unbound.load = Load::kClosed;
    unbound.rate_per_s = 0;
    unbound.bursts = {};
    const std::string key = nlohmann::json(unbound).dump();
    if (const auto known = ceilings_.find(key); known != ceilings_.end()) return known->second;
    return ceilings_.emplace(key, measure_ceiling(unbound)).first->second;
}

double RepetitionTaker::measure_ceiling(const Workload& workload) const {
    if (!registry_.find("null")) return 0;
    const auto directory = workspace_.make_directory("ceiling");
    if (!directory) return 0;
    Job job;
    job.directory = *directory;
    job.system = {.name = "null", .driver = "null", .settings = {}};
    job.row.durability = Durability::kNone;
    job.row.workload = workload;
    const auto answer = jobs_.ask(job, workspace_.log_path("ceiling.log"),
                                  planned_ms(job.row) + options_.child_slack_ms);
    workspace_.remove_directory(*directory);
    if (!answer || answer->write.window_ns == 0) return 0;
    return static_cast<double>(answer->write.records) * 1e9 /
           static_cast<double>(answer->write.window_ns);
}

}  // namespace walrus::harness
