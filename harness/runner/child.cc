#include "harness/runner/child.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "harness/check/checker.h"
#include "harness/driver/settings.h"
#include "harness/fault/data_fault.h"
#include "harness/metrics/device_floor.h"
#include "harness/metrics/plain_read.h"
#include "harness/resilience/prove.h"
#include "harness/runner/job.h"
#include "harness/scenario/resilience.h"
#include "harness/workload/load.h"

namespace walrus::harness {
namespace {

Settings settings_of(const Job& job) {
    const Settings own = merged_settings(job.system.settings, job.row.settings);
    return merged_settings(own, job.attachment);
}

Result<std::unique_ptr<System>> open_system(const Registry& registry, const Job& job) {
    const auto driver = registry.find(job.system.driver);
    if (!driver) return driver.error();
    return (*driver)->open({.directory = job.directory,
                            .durability = job.row.durability,
                            .settings = settings_of(job),
                            .writers = job.row.workload.writers});
}

std::string version_of(const Registry& registry, const Job& job) {
    const auto driver = registry.find(job.system.driver);
    return driver ? (*driver)->describe().version : "unknown";
}

// Fills `answer` and keeps the system open in `system`, so that the parent decides how it ends.
Status do_write(const Registry& registry, const Job& job, Answer& answer,
                std::unique_ptr<System>& system) {
    PacedClock& clock = machine_clock();
    const std::uint64_t begin_ns = clock.monotonic_ns();
    auto opened = open_system(registry, job);
    if (!opened) return std::move(opened).error();
    system = std::move(*opened);
    const std::uint64_t open_ns = clock.monotonic_ns() - begin_ns;
    auto load = run_load(*system,
                         {.row = job.row,
                          .seed = job.seed,
                          .run_id = job.run_id,
                          .device = BlockDevice::under(job.directory)},
                         clock);
    if (!load) return std::move(load).error();
    WriteFigures& figures = answer.write;
    figures = std::move(load->write);
    figures.open_ns = open_ns;
    figures.effective_config = system->effective_config();
    figures.counters = system->counters();
    figures.version = version_of(registry, job);
    answer.read = std::move(load->read);
    answer.journal = std::move(load->journal);
    if (!load->first_error.empty()) return Error{Errc::kIo, load->first_error};
    if (job.row.measure == Measure::kMaxRate && figures.sustained_rate_per_s == 0) {
        return Error{Errc::kTimeout,
                     fmt::format("no rate was sustained with p99 within {}, after "
                                 "{} steps (write.search of the result)",
                                 format_duration(job.row.p99_ns), figures.search.size())};
    }
    if (figures.records == 0) {
        return Error{Errc::kTimeout, "no append was acknowledged within the window"};
    }
    return {};
}

// Every record of every topic, in order.
Status read_everything(System& system, std::uint32_t topics, const std::function<void()>& on_topic,
                       const std::function<void(Bytes)>& on_record) {
    for (std::uint32_t topic = 0; topic < topics; ++topic) {
        auto reader = system.reader(topic);
        if (!reader) return std::move(reader).error();
        on_topic();
        for (;;) {
            const auto got = (*reader)->read(on_record);
            if (!got) return got.error();
            if (*got == 0) break;
        }
    }
    return {};
}

// The timed pass of a scan: payload bytes through the system, nothing checked by the harness.
Status scan(System& system, const Job& job, ReadBackFigures& figures) {
    PacedClock& clock = machine_clock();
    std::uint64_t bytes = 0;
    const std::uint64_t begin_ns = clock.monotonic_ns();
    WALRUS_RETURN_IF_ERROR(read_everything(
        system, job.row.workload.topics, [] {}, [&](Bytes record) { bytes += record.size(); }));
    figures.scan_ns = clock.monotonic_ns() - begin_ns;
    figures.scan_bytes = bytes;
    return {};
}

Status plain_reads(const Job& job, ReadBackFigures& figures) {
    const auto plain = read_files_plainly(job.directory, machine_clock());
    if (!plain) return plain.error();
    figures.plain_bytes = plain->bytes;
    figures.plain_ns = plain->elapsed_ns;
    return {};
}

Status do_read_back(const Registry& registry, const Job& job, Answer& answer,
                    std::unique_ptr<System>& system) {
    ReadBackFigures& figures = answer.read_back;
    const bool measures_scan = job.row.measure == Measure::kScan;
    if (measures_scan) {
        figures.memory_state = drop_cached_files(job.directory);
        if (job.plain_reads_first) WALRUS_RETURN_IF_ERROR(plain_reads(job, figures));
    }
    PacedClock& clock = machine_clock();
    const BlockDevice device = BlockDevice::under(job.directory);
    const Activity before = observe_activity(device);
    const std::uint64_t begin_ns = clock.monotonic_ns();
    auto opened = open_system(registry, job);
    if (!opened) return std::move(opened).error();
    system = std::move(*opened);
    figures.open_ns = clock.monotonic_ns() - begin_ns;
    if (measures_scan) {
        drop_cached_files(job.directory);
        WALRUS_RETURN_IF_ERROR(scan(*system, job, figures));
    }
    figures.activity = activity_between(before, observe_activity(device));
    if (measures_scan && !job.plain_reads_first) {
        WALRUS_RETURN_IF_ERROR(plain_reads(job, figures));
    }
    Checker checker(job.run_id, job.journal);
    WALRUS_RETURN_IF_ERROR(read_everything(
        *system, job.row.workload.topics, [&] { checker.begin_topic(); },
        [&](Bytes record) { checker.observe(record); }));
    figures.verdict = checker.finish();
    return {};
}

Status do_floor(const Job& job, Answer& answer) {
    auto floor = measure_device_floor(job.directory, job.duration_ns, machine_clock());
    if (!floor) return std::move(floor).error();
    answer.floor.overwrite_ns = std::move(floor->overwrite_ns);
    answer.floor.append_ns = std::move(floor->append_ns);
    return {};
}

Status do_serve(const Registry& registry, const Job& job, Answer& answer,
                std::unique_ptr<System>& system) {
    auto opened = open_system(registry, job);
    if (!opened) return std::move(opened).error();
    system = std::move(*opened);
    WALRUS_RETURN_IF_ERROR(system->create_topics(0));  // What comes before any topic: warming up.
    answer.attachment = system->attachment();
    if (!answer.attachment.empty()) return {};
    return Error{Errc::kUnsupported, "the system cannot be kept: it has no attachment"};
}

Status do_prove(const Registry& registry, Job job, std::unique_ptr<System>& system) {
    auto scenario = parse_resilience(job.proof.text, job.proof.path, job.proof.overrides);
    if (!scenario) return std::move(scenario).error();
    scenario->seed = job.proof.seed;
    if (scenario->disk_bytes > 0) {
        WALRUS_RETURN_IF_ERROR(mount_private_disk(job.directory, scenario->disk_bytes));
    }
    job.row.durability = scenario->load.durability;
    job.row.workload.writers = scenario->load.writers;
    auto opened = open_system(registry, job);
    if (!opened) return std::move(opened).error();
    system = std::move(*opened);
    return prove(*system,
                 {.scenario = *scenario,
                  .system = job.system.name,
                  .version = version_of(registry, job),
                  .run_id = job.run_id,
                  .history = job.proof.history,
                  .logs = job.proof.logs},
                 machine_clock());
}

Status do_job(const Registry& registry, const Job& job, Answer& answer,
              std::unique_ptr<System>& system) {
    switch (job.kind) {
        case JobKind::kWrite: return do_write(registry, job, answer, system);
        case JobKind::kReadBack: return do_read_back(registry, job, answer, system);
        case JobKind::kFloor: return do_floor(job, answer);
        case JobKind::kServe: return do_serve(registry, job, answer, system);
        case JobKind::kProve: return do_prove(registry, job, system);
    }
    return Error{Errc::kInvalidArgument, "unknown kind of job"};
}

bool send_answer(const Answer& answer) {
    const std::string line = nlohmann::json(answer).dump() + "\n";
    for (std::size_t sent = 0; sent < line.size();) {
        const ssize_t written = ::write(kAnswerDescriptor, line.data() + sent, line.size() - sent);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        sent += static_cast<std::size_t>(written);
    }
    return true;
}

}  // namespace

int run_child(const Registry& registry) {
    std::string line;
    if (!std::getline(std::cin, line)) return 1;
    Job job;
    try {
        job = nlohmann::json::parse(line).get<Job>();
    } catch (const nlohmann::json::exception& error) {
        fmt::print(stderr, "walrus-harness child: bad job: {}\n", error.what());
        return 1;
    }
    Answer answer;
    std::unique_ptr<System> system;
    const Status status = do_job(registry, job, answer, system);
    if (!status) answer.error = status.error().to_string();
    if (!send_answer(answer)) return 1;

    // A killed writer never comes past this line.
    if (!std::getline(std::cin, line) || line != "stop" || system == nullptr) std::_Exit(0);
    const Status stopped = system->stop();
    if (!stopped) fmt::print(stderr, "stop: {}\n", stopped.error().to_string());
    return stopped ? 0 : 1;
}

}  // namespace walrus::harness
