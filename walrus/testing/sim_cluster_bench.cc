// How many seconds of a whole cluster one core simulates per second, faults and checks included.
#include <benchmark/benchmark.h>

#include "walrus/testing/segment_load.h"
#include "walrus/testing/sim_cluster.h"

namespace walrus::testing {
namespace {

// One seed after the other; `whole`: with segments, clients and their checkers.
void run(benchmark::State& state, SimClusterOptions options, bool whole) {
    double seconds = 0;
    double steps = 0;
    for (auto _ : state) {
        ++options.seed;
        SegmentLoad load(options.seed);
        options.load = whole ? &load : nullptr;
        const SimClusterResult result = SimCluster(options).run();
        if (result.violation) {
            state.SkipWithError(result.violation->c_str());
            break;
        }
        seconds += static_cast<double>(result.simulated_ns) / 1e9;
        steps += static_cast<double>(result.steps);
    }
    state.counters["cluster_seconds"] = benchmark::Counter(seconds, benchmark::Counter::kIsRate);
    state.counters["steps"] = benchmark::Counter(steps, benchmark::Counter::kIsRate);
}

// Arguments: voters, requests per second, mean time between faults in ms (0: none).
void BM_ClusterSeconds(benchmark::State& state) {
    SimClusterOptions options;
    options.voters = static_cast<std::size_t>(state.range(0));
    options.requests_per_s = static_cast<std::uint64_t>(state.range(1));
    options.fault_every_ms = static_cast<std::uint64_t>(state.range(2));
    run(state, options, false);
}
BENCHMARK(BM_ClusterSeconds)
    ->ArgNames({"voters", "requests", "fault_every_ms"})
    ->Args({3, 20, 1'500})
    ->Args({3, 20, 0})
    ->Args({5, 20, 1'500})
    ->Args({3, 200, 1'500});

// The same with whole nodes.
void BM_WholeNodeSeconds(benchmark::State& state) {
    SimClusterOptions options;
    options.voters = static_cast<std::size_t>(state.range(0));
    options.fault_every_ms = static_cast<std::uint64_t>(state.range(1));
    options.recovery_s = 60;
    run(state, options, true);
}
BENCHMARK(BM_WholeNodeSeconds)
    ->ArgNames({"voters", "fault_every_ms"})
    ->Args({3, 1'500})
    ->Args({3, 0})
    ->Args({5, 1'500});

}  // namespace
}  // namespace walrus::testing
