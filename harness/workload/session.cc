#include "harness/workload/session.h"

#include <sys/prctl.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "harness/workload/reader.h"

namespace walrus::harness {
namespace {

// Threads need a moment to start; the warm-up begins when all can have.
constexpr std::uint64_t kStartDelayNs = 2'000'000;
constexpr std::uint64_t kSecondNs = 1'000'000'000;
constexpr std::uint64_t kFineIntervalNs = kSecondNs / 10;
constexpr std::uint64_t kLeastLongWindowNs = 4 * kSecondNs;
constexpr std::uint64_t kMostIntervals = 600;
constexpr std::uint64_t kLeastLongBytes = 1 << 30;
// The deadline of a phase that is not limited by time.
constexpr std::uint64_t kNoDeadlineNs = 3'600 * kSecondNs;

std::uint64_t intervals_in(std::uint64_t length_ns, std::uint64_t interval_ns) {
    return (length_ns + interval_ns - 1) / interval_ns;
}

bool is_timed(const PhasePlan& phase) {
    return phase.write && phase.workload.max_bytes == 0;
}

// By default the kernel may wake a sleeper 50 us late, which an open loop would have to pay for.
void wake_on_time() {
    ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

void note_error(const Status& status, std::string& first_error) {
    if (!status && first_error.empty()) first_error = status.error().to_string();
}

void add(const std::vector<std::uint64_t>& from, std::vector<std::uint64_t>& to) {
    to.resize(std::max(to.size(), from.size()));
    for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
}

}  // namespace

// The readers of one phase.
struct LoadSession::Readers {
    struct One {
        std::vector<std::unique_ptr<Reader>> topics;
        ReaderReport report;
    };

    static Result<Readers> make(System& system, const PhasePlan& phase) {
        Readers readers;
        readers.all.resize(phase.read ? phase.workload.readers : 0);
        for (One& one : readers.all) {
            for (std::uint32_t topic = 0; topic < phase.workload.topics; ++topic) {
                auto reader = system.reader(topic);
                if (!reader) return std::move(reader).error();
                one.topics.push_back(std::move(*reader));
            }
        }
        return readers;
    }

    // `acked_before`: records acknowledged before the window began.
    void collect(const PhasePlan& phase, const Window& window, std::uint64_t acked_before,
                 PhaseReport& phase_report) const {
        ReadFigures& figures = phase_report.read;
        figures.readers = static_cast<std::uint32_t>(all.size());
        if (all.empty()) return;
        figures.series_interval_ns = window.interval_ns;
        figures.series.resize(phase_report.write.series.size());
        std::uint64_t last_ns = 0;
        std::uint64_t read_before = 0;
        figures.caught_up = true;
        for (const One& one : all) {
            const ReaderReport& report = one.report;
            figures.records += report.records;
            figures.bytes += report.bytes;
            figures.latency_ns.merge(report.latency_ns);
            add(report.series, figures.series);
            read_before += report.records_before;
            last_ns = std::max(last_ns, report.caught_up_ns);
            figures.caught_up = figures.caught_up && window.contains(report.caught_up_ns);
            note_error(report.status, phase_report.first_error);
        }
        const bool until_end = !phase.until_caught_up || !figures.caught_up;
        figures.ns = (until_end ? window.end_ns : last_ns) - window.begin_ns;
        if (phase.until_caught_up) {
            figures.backlog_records = acked_before;
            figures.backlog_bytes = acked_before * mean_payload_bytes(phase.workload);
        }
        auto behind = static_cast<std::int64_t>(acked_before * all.size() - read_before);
        for (std::size_t i = 0; i < figures.series.size(); ++i) {
            const std::vector<std::uint64_t>& written = phase_report.write.series;
            if (i < written.size()) behind += static_cast<std::int64_t>(written[i] * all.size());
            behind -= static_cast<std::int64_t>(figures.series[i]);
            // A record may be read before its writer has seen the acknowledgement.
            figures.backlog.push_back(
                static_cast<std::uint64_t>(std::max<std::int64_t>(0, behind)));
        }
    }

    std::vector<One> all;
};

LoadSession::LoadSession(System& system, const SessionPlan& plan, PacedClock& clock)
    : system_(system), plan_(plan), clock_(clock) {}

Result<std::unique_ptr<LoadSession>> LoadSession::make(System& system, const Workload& workload,
                                                       const SessionPlan& plan, PacedClock& clock) {
    WALRUS_RETURN_IF_ERROR(system.create_topics(workload.topics));
    std::unique_ptr<LoadSession> session(new LoadSession(system, plan, clock));
    session->writers_.resize(workload.writers);
    for (std::uint32_t i = 0; i < workload.writers; ++i) {
        auto producer = system.producer(i);
        if (!producer) return std::move(producer).error();
        session->writers_[i].producer = std::move(*producer);
        session->writers_[i].payload =
            std::make_unique<PayloadStream>(PayloadShape{.seed = plan.seed,
                                                         .run_id = plan.run_id,
                                                         .writer = i,
                                                         .bytes = workload.payload_bytes,
                                                         .bytes_max = workload.payload_bytes_max,
                                                         .batch = workload.batch});
    }
    return session;
}

Window LoadSession::window_for(const PhasePlan& phase, std::uint64_t start_ns) const {
    const Workload& workload = phase.workload;
    Window window;
    window.begin_ns = start_ns;
    window.interval_ns = kFineIntervalNs;
    if (!is_timed(phase)) {
        window.end_ns = start_ns + kNoDeadlineNs;
        if (workload.max_bytes >= kLeastLongBytes) window.interval_ns = kSecondNs;
        return window;
    }
    window.begin_ns += workload.warmup_ns;
    window.end_ns = window.begin_ns + workload.duration_ns;
    if (workload.duration_ns >= kLeastLongWindowNs) {
        const std::uint64_t seconds =
            intervals_in(workload.duration_ns, kMostIntervals * kSecondNs);
        window.interval_ns = seconds * kSecondNs;
    }
    return window;
}

WriterPlan LoadSession::plan_for(const Workload& workload, std::uint32_t writer,
                                 const Window& window, std::uint64_t start_ns) const {
    WriterPlan plan;
    plan.load = workload.load;
    plan.batch = workload.batch;
    plan.outstanding = workload.outstanding;
    plan.topics = workload.topics;
    plan.topic_step = std::min(workload.writers, workload.topics);
    plan.first_topic = writer % workload.topics;
    plan.window = window;
    plan.bursts = workload.bursts;
    plan.late_after_ns = plan_.late_after_ns;
    if (workload.max_bytes > 0) {
        const std::uint64_t append_bytes = mean_payload_bytes(workload) * workload.batch;
        const std::uint64_t appends = (workload.max_bytes + append_bytes - 1) / append_bytes;
        plan.max_appends = (appends + workload.writers - 1) / workload.writers;
    }
    const auto writers = static_cast<double>(workload.writers);
    plan.schedule = {.arrivals = workload.arrivals,
                     .appends_per_s = static_cast<double>(workload.rate_per_s) /
                                      (writers * static_cast<double>(workload.batch)),
                     .begin_ns = start_ns,
                     .phase = writer / writers,
                     .seed = plan_.seed + (std::uint64_t{phases_} << 32) + writer};
    return plan;
}

Result<PhaseReport> LoadSession::run(const PhasePlan& phase) {
    auto readers = Readers::make(system_, phase);
    if (!readers) return std::move(readers).error();
    const std::uint64_t acked_before_phase = acknowledged();
    ReadTarget target = phase.write ? kTargetUnknown : acked_before_phase;
    LatencySeries latency;
    Activity begin = observe_activity(plan_.device);
    const std::uint64_t start_ns = clock_.monotonic_ns() + kStartDelayNs;
    const Window window = window_for(phase, start_ns);
    std::vector<std::thread> writer_threads;
    for (std::uint32_t i = 0; phase.write && i < writers_.size(); ++i) {
        writers_[i].plan = plan_for(phase.workload, i, window, start_ns);
        writer_threads.emplace_back([this, i, start_ns, &latency] {
            Writer& writer = writers_[i];
            wake_on_time();
            clock_.wait_until(start_ns);
            writer.report = run_writer({.producer = *writer.producer,
                                        .payload = *writer.payload,
                                        .clock = clock_,
                                        .journal = writer.journal,
                                        .latency = latency},
                                       writer.plan);
            writer.finished_ns = clock_.monotonic_ns();
        });
    }
    const ReaderPlan reader_plan{.window = window,
                                 .run_id = plan_.run_id,
                                 .writers = static_cast<std::uint32_t>(writers_.size()),
                                 .until_caught_up = phase.until_caught_up};
    const std::uint64_t read_from_ns = phase.until_caught_up ? window.begin_ns : start_ns;
    std::vector<std::thread> reader_threads;
    for (Readers::One& one : readers->all) {
        reader_threads.emplace_back([this, read_from_ns, &one, &target, &reader_plan] {
            wake_on_time();
            clock_.wait_until(read_from_ns);
            one.report =
                run_reader({.topics = one.topics, .clock = clock_, .target = target}, reader_plan);
        });
    }
    Activity end;
    if (is_timed(phase)) {
        clock_.wait_until(window.begin_ns);
        begin = observe_activity(plan_.device);
        clock_.wait_until(window.end_ns);
        end = observe_activity(plan_.device);
    }
    for (std::thread& thread : writer_threads) thread.join();
    target.store(acknowledged(), std::memory_order_release);
    for (std::thread& thread : reader_threads) thread.join();
    if (!is_timed(phase)) end = observe_activity(plan_.device);
    ++phases_;

    PhaseReport report;
    report.write.activity = activity_between(begin, end);
    std::uint64_t acked_before = acked_before_phase;
    if (phase.write) {
        collect_writes(phase, window, latency, report);
        for (const Writer& writer : writers_) acked_before += writer.report.records_before;
    }
    readers->collect(phase, window, acked_before, report);
    return report;
}

void LoadSession::collect_writes(const PhasePlan& phase, const Window& window,
                                 const LatencySeries& latency, PhaseReport& report) const {
    WriteFigures& total = report.write;
    total.window_ns = phase.workload.duration_ns;
    if (!is_timed(phase)) {
        const auto last = std::ranges::max_element(writers_, {}, &Writer::finished_ns);
        total.window_ns = std::max<std::uint64_t>(1, last->finished_ns - window.begin_ns);
    }
    total.series_interval_ns = window.interval_ns;
    const std::uint64_t intervals =
        is_timed(phase) ? intervals_in(total.window_ns, window.interval_ns) : latency.intervals();
    for (std::uint64_t i = 0; i < intervals; ++i) {
        const Histogram interval = latency.at(i);
        total.series.push_back(interval.count() * phase.workload.batch);
        total.series_p50_ns.push_back(interval.quantile(0.5));
        total.series_p99_ns.push_back(interval.quantile(0.99));
        total.series_max_ns.push_back(interval.max());
    }
    total.latency_ns = latency.total();
    for (const Writer& one : writers_) {
        const WriterReport& writer = one.report;
        total.appends += writer.appends;
        total.records += writer.records;
        total.in_flight_at_end += writer.in_flight_at_end;
        total.delay_ns.merge(writer.delay_ns);
        total.service_ns.merge(writer.service_ns);
        total.late_sends += writer.late_sends;
        total.unsent_at_end += writer.unsent_at_end;
        total.sent += one.journal.sent;
        total.failed += one.journal.count_of(Outcome::kFailed);
        total.unknown += one.journal.count_of(Outcome::kUnknown);
        report.lag_ns = std::max(report.lag_ns, writer.lag_ns);
        note_error(writer.status, report.first_error);
    }
    if (phase.workload.load != Load::kOpen) return;
    total.offered_rate_per_s = phase.workload.rate_per_s;
    total.late_after_ns = plan_.late_after_ns;
    collect_backlog(report);
}

void LoadSession::collect_backlog(PhaseReport& report) const {
    std::vector<std::uint64_t> due;
    std::int64_t backlog = 0;
    for (const Writer& writer : writers_) {
        add(writer.report.due, due);
        backlog += static_cast<std::int64_t>(writer.report.due_before) -
                   static_cast<std::int64_t>(writer.report.records_before);
    }
    for (std::size_t i = 0; i < report.write.series.size(); ++i) {
        backlog += static_cast<std::int64_t>(i < due.size() ? due[i] : 0) -
                   static_cast<std::int64_t>(report.write.series[i]);
        report.backlog.push_back(backlog);
    }
}

std::uint64_t LoadSession::acknowledged() const {
    std::uint64_t records = 0;
    for (const Writer& writer : writers_) records += writer.journal.acknowledged();
    return records;
}

Journal LoadSession::journal() const {
    Journal journal;
    for (const Writer& writer : writers_) journal.push_back(writer.journal);
    return journal;
}

}  // namespace walrus::harness
