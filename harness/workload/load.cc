#include "harness/workload/load.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "harness/workload/payload.h"
#include "harness/workload/writer.h"

namespace walrus::harness {
namespace {

// Threads need a moment to start; the warm-up begins when all can have.
constexpr std::uint64_t kStartDelayNs = 2'000'000;
constexpr std::uint64_t kFinestIntervalNs = 100'000'000;
constexpr std::uint64_t kMostIntervals = 600;
// The deadline of a workload that is limited by bytes.
constexpr std::uint64_t kNoDeadlineNs = 3'600'000'000'000;

struct Writer {
    std::unique_ptr<Producer> producer;
    std::unique_ptr<PayloadStream> payload;
    WriterPlan plan;
    WriterReport report;
    std::uint64_t finished_ns = 0;
};

WriterPlan plan_for(const Workload& workload, std::uint32_t writer, const Window& window) {
    WriterPlan plan;
    plan.load = workload.load;
    plan.batch = workload.batch;
    plan.outstanding = workload.outstanding;
    plan.topics = workload.topics;
    plan.topic_step = std::min(workload.writers, workload.topics);
    plan.first_topic = writer % workload.topics;
    plan.window = window;
    if (workload.max_bytes > 0) {
        const std::uint64_t append_bytes = workload.payload_bytes * workload.batch;
        const std::uint64_t appends = (workload.max_bytes + append_bytes - 1) / append_bytes;
        plan.max_appends = (appends + workload.writers - 1) / workload.writers;
    }
    return plan;
}

Window window_for(const Workload& workload, PacedClock& clock) {
    Window window;
    const bool by_bytes = workload.max_bytes > 0;
    const std::uint64_t length = by_bytes ? kNoDeadlineNs : workload.duration_ns;
    window.begin_ns = clock.monotonic_ns() + kStartDelayNs + (by_bytes ? 0 : workload.warmup_ns);
    window.end_ns = window.begin_ns + length;
    window.interval_ns =
        by_bytes ? kFinestIntervalNs : std::max(kFinestIntervalNs, length / kMostIntervals);
    return window;
}

void merge(const Writer& writer, LoadReport& load) {
    const WriterReport& report = writer.report;
    WriteFigures& total = load.write;
    total.appends += report.appends;
    total.records += report.records;
    total.latency_ns.merge(report.latency_ns);
    total.series.resize(std::max(total.series.size(), report.series.size()));
    for (std::size_t i = 0; i < report.series.size(); ++i) total.series[i] += report.series[i];
    total.sent += report.journal.sent;
    total.failed += report.journal.count_of(Outcome::kFailed);
    total.unknown += report.journal.count_of(Outcome::kUnknown);
    load.journal.push_back(report.journal);
    if (!report.status && load.first_error.empty()) {
        load.first_error = report.status.error().to_string();
    }
}

}  // namespace

Result<LoadReport> run_load(System& system, const LoadRequest& request, PacedClock& clock) {
    const Workload& workload = request.workload;
    WALRUS_RETURN_IF_ERROR(system.create_topics(workload.topics));
    std::vector<Writer> writers(workload.writers);
    for (std::uint32_t i = 0; i < workload.writers; ++i) {
        auto producer = system.producer(i);
        if (!producer) return std::move(producer).error();
        writers[i].producer = std::move(*producer);
        writers[i].payload = std::make_unique<PayloadStream>(
            request.seed, request.run_id, i, workload.payload_bytes, workload.batch);
    }
    const bool by_bytes = workload.max_bytes > 0;
    Activity begin = observe_activity(request.device);
    const Window window = window_for(workload, clock);
    // Without a warm-up nothing may be acknowledged before the window begins.
    const std::uint64_t start_ns = by_bytes ? window.begin_ns : 0;
    std::vector<std::thread> threads;
    for (std::uint32_t i = 0; i < workload.writers; ++i) {
        writers[i].plan = plan_for(workload, i, window);
        threads.emplace_back([&writer = writers[i], &clock, start_ns] {
            clock.wait_until(start_ns);
            writer.report = run_writer(*writer.producer, *writer.payload, clock, writer.plan);
            writer.finished_ns = clock.monotonic_ns();
        });
    }
    Activity end;
    if (!by_bytes) {
        clock.wait_until(window.begin_ns);
        begin = observe_activity(request.device);
        clock.wait_until(window.end_ns);
        end = observe_activity(request.device);
    }
    for (std::thread& thread : threads) thread.join();
    if (by_bytes) end = observe_activity(request.device);

    LoadReport total;
    total.write.activity = activity_between(begin, end);
    total.write.window_ns = workload.duration_ns;
    total.write.series_interval_ns = window.interval_ns;
    for (const Writer& writer : writers) merge(writer, total);
    if (by_bytes) {
        const auto last = std::ranges::max_element(writers, {}, &Writer::finished_ns);
        total.write.window_ns = std::max<std::uint64_t>(1, last->finished_ns - window.begin_ns);
    }
    return total;
}

}  // namespace walrus::harness
