// What the harness itself costs: one writer's loop against a producer that does nothing.
//
//   writer_bench --benchmark_repetitions=5
//
// items_per_second is appends per second; a system under test cannot be measured beyond it.
#include <benchmark/benchmark.h>

#include <memory>

#include "harness/driver/null_driver.h"
#include "harness/workload/writer.h"

namespace walrus::harness {
namespace {

constexpr std::uint64_t kAppends = 200'000;
constexpr std::uint64_t kForeverNs = 3'600'000'000'000;

WriterPlan plan_of(Load load) {
    WriterPlan plan;
    plan.load = load;
    plan.max_appends = kAppends;
    return plan;
}

// Each iteration is kAppends appends of one writer.
void run_loop(benchmark::State& state, WriterPlan plan, std::uint64_t payload_bytes) {
    const auto system = std::move(*make_null_driver()->open(OpenRequest{}));
    const auto producer = std::move(*system->producer(0));
    PayloadStream payload({.seed = 1, .bytes = payload_bytes});
    PacedClock& clock = machine_clock();
    for (auto _ : state) {
        WriterJournal journal;
        LatencySeries latency;
        plan.window.begin_ns = clock.monotonic_ns();
        plan.window.end_ns = plan.window.begin_ns + kForeverNs;
        plan.schedule.begin_ns = plan.window.begin_ns;
        const WriterReport report = run_writer({.producer = *producer,
                                                .payload = payload,
                                                .clock = clock,
                                                .journal = journal,
                                                .latency = latency},
                                               plan);
        if (report.appends != kAppends) state.SkipWithError("appends are missing");
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kAppends));
}

void closed_loop(benchmark::State& state) {
    run_loop(state, plan_of(Load::kClosed), static_cast<std::uint64_t>(state.range(0)));
}

void window_of_64(benchmark::State& state) {
    WriterPlan plan = plan_of(Load::kWindow);
    plan.outstanding = 64;
    run_loop(state, plan, 800);
}

// Always behind its schedule, so it never waits.
void open_loop(benchmark::State& state) {
    WriterPlan plan = plan_of(Load::kOpen);
    plan.schedule.appends_per_s = 1e9;
    run_loop(state, plan, 800);
}

// What each append needs whatever the load: the record, and the time twice.
void make_record(benchmark::State& state) {
    PayloadStream payload({.seed = 1, .bytes = 800});
    for (auto _ : state) benchmark::DoNotOptimize(payload.next(1, 0));
    state.SetItemsProcessed(state.iterations());
}

void read_clock(benchmark::State& state) {
    PacedClock& clock = machine_clock();
    for (auto _ : state) benchmark::DoNotOptimize(clock.monotonic_ns());
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK(closed_loop)->Arg(100)->Arg(800)->UseRealTime();
BENCHMARK(closed_loop)->Arg(800)->Threads(2)->UseRealTime();
BENCHMARK(window_of_64)->UseRealTime();
BENCHMARK(open_loop)->UseRealTime();
BENCHMARK(make_record);
BENCHMARK(read_clock);

}  // namespace
}  // namespace walrus::harness
