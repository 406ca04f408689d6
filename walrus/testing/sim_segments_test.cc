// Random faults against whole nodes: Raft, segments and their disks, with clients; seeds replay.
//
//   WALRUS_SEED=n            the first seed; otherwise 1, and a fresh one in Soak
//   WALRUS_SIM_SEEDS=n       so many seeds at most; WALRUS_SIM_SECONDS=n: no new one after that
//   WALRUS_SIM_FAULTS=a,b    only these faults of the schedule
//   WALRUS_SIM_SOAK          the test Soak runs without end (scripts/soak.sh)
#include <gtest/gtest.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "walrus/base/clock.h"
#include "walrus/testing/seed.h"
#include "walrus/testing/segment_load.h"
#include "walrus/testing/sim_cluster.h"
#include "walrus/testing/sim_shrink.h"

namespace walrus::testing {
namespace {

struct Totals {
    SimClusterResult sum;
    SegmentLoadResult did;
    std::uint64_t seeds = 0;
    std::uint64_t slowest_recovery_ns = 0;
};

// Group size, limits and the rate of faults follow from the seed.
SimClusterOptions options_of(std::uint64_t seed) {
    SimClusterOptions options{.seed = seed, .seconds = 20, .fault_every_ms = 700};
    options.voters = seed % 4 == 0 ? 5 : 3;
    if (seed % 7 == 0) options.fault_every_ms = 250;
    options.recovery_s = 60;
    options.only_faults = test_numbers("WALRUS_SIM_FAULTS");
    return options;
}

SimClusterResult run_once(SimClusterOptions options, Totals* totals = nullptr) {
    SegmentLoad load(options.seed);
    options.load = &load;
    SimClusterResult result = SimCluster(options).run();
    if (result.violation && !load.missing().empty()) {
        *result.violation += "\nlast looked at: " + load.missing();
    }
    if (totals == nullptr) return result;
    const SegmentLoadResult did = load.result();
    ++totals->seeds;
    SimClusterResult& sum = totals->sum;
    for (std::size_t f = 0; f < kSimFaults; ++f) sum.faults[f] += result.faults[f];
    sum.committed += result.committed;
    sum.restarts += result.restarts;
    sum.replaced += result.replaced;
    sum.simulated_ns += result.simulated_ns;
    totals->did.acknowledged += did.acknowledged;
    totals->did.appends += did.appends;
    totals->did.sealed += did.sealed;
    totals->did.polled += did.polled;
    totals->did.ends += did.ends;
    totals->did.gets += did.gets;
    totals->did.topic_operations += did.topic_operations;
    totals->slowest_recovery_ns = std::max(totals->slowest_recovery_ns, result.recovery_ns);
    return result;
}

// Which promise it was.
std::string first_word(const std::string& violation) {
    return violation.substr(0, violation.find_first_of(": "));
}

// True when nothing was violated; else it says how to see it again.
bool run_seed(std::uint64_t seed, Totals& totals) {
    SimClusterOptions options = options_of(seed);
    const SimClusterResult result = run_once(options, &totals);
    if (!result.violation) return true;
    std::string faults;
    if (!options.only_faults) {
        const auto needed = shrink_faults(result.planned_faults, [&](const auto& only) {
            options.only_faults = only;
            const auto other = run_once(options).violation;
            return other && first_word(*other) == first_word(*result.violation);
        });
        faults = "\n  with " + std::to_string(needed.size()) + " of its " +
                 std::to_string(result.planned_faults) +
                 " faults: WALRUS_SIM_FAULTS=" + join(needed);
    }
    ADD_FAILURE() << "seed " << seed << ": " << *result.violation
                  << "\nreplay: WALRUS_SIM_SEEDS=1 WALRUS_SEED=" << seed
                  << " walrus_sim_segments_test --gtest_filter=*UnderEveryFault" << faults;
    return false;
}

void print(const Totals& totals, std::uint64_t first, std::uint64_t spent_ns) {
    const SegmentLoadResult& did = totals.did;
    const double seconds = static_cast<double>(spent_ns) / 1e9;
    const double simulated = static_cast<double>(totals.sum.simulated_ns) / 1e9;
    std::printf("%" PRIu64 " seeds from %" PRIu64 " in %.1f s (%.0f simulated s/s): %" PRIu64
                " of %" PRIu64 " appends acknowledged, %" PRIu64 " segments sealed, %" PRIu64
                " batches polled, %" PRIu64 " ends, %" PRIu64 " gets, %" PRIu64
                " topic operations, %" PRIu64 " starts, %" PRIu64
                " disks lost, slowest recovery %" PRIu64 " ms\n",
                totals.seeds, first, seconds, simulated / seconds, did.acknowledged, did.appends,
                did.sealed, did.polled, did.ends, did.gets, did.topic_operations,
                totals.sum.restarts, totals.sum.replaced, totals.slowest_recovery_ns / 1'000'000);
    std::fflush(stdout);
}

TEST(SimSegments, WholeNodesKeepTheirPromisesUnderEveryFault) {
    // A gate says the same of the same commit; fresh seeds are soak.sh's.
    const std::uint64_t first = test_number("WALRUS_SEED", 1);
    const std::uint64_t most = test_number("WALRUS_SIM_SEEDS", 2'000);
    const std::uint64_t limit_ns = test_number("WALRUS_SIM_SECONDS", 60) * 1'000'000'000;
    Clock& clock = system_clock();
    const std::uint64_t began_ns = clock.monotonic_ns();
    Totals totals;
    for (std::uint64_t i = 0; i < most; ++i) {
        if (!run_seed(first + i, totals)) break;
        if (clock.monotonic_ns() - began_ns > limit_ns) break;
    }
    print(totals, first, clock.monotonic_ns() - began_ns);
    if (HasFailure() || totals.seeds < 30) return;
    // A run in which nothing happens proves nothing.
    for (std::size_t f = 0; f < kSimFaults; ++f) {
        EXPECT_GT(totals.sum.faults[f], 0U) << sim_fault_name(static_cast<SimFault>(f));
    }
    EXPECT_GT(totals.did.acknowledged, totals.seeds * 20);
    EXPECT_GT(totals.did.sealed, totals.seeds);
    EXPECT_GT(totals.did.polled, totals.seeds * 20);
    EXPECT_GT(totals.did.ends, totals.seeds);
    EXPECT_GT(totals.did.gets, totals.seeds);
    EXPECT_GT(totals.did.topic_operations, totals.seeds);
    EXPECT_GT(totals.sum.replaced, 0U);
}

// Each showed a bug of the protocol once; what a seed means changes with the simulator.
TEST(SimSegments, SeedsThatFoundBugsAreSilent) {
    Totals totals;
    constexpr std::uint64_t kSeeds[] = {1, 3, 22, 142, 147, 530, 944, 10'212'486'884'491'231'125U};
    for (const std::uint64_t seed : kSeeds) run_seed(seed, totals);
}

// Until the first failure.
TEST(SimSegments, Soak) {
    if (!test_switch("WALRUS_SIM_SOAK")) GTEST_SKIP() << "for scripts/soak.sh";
    const std::uint64_t first = test_seed();
    Clock& clock = system_clock();
    const std::uint64_t began_ns = clock.monotonic_ns();
    Totals totals;
    while (run_seed(first + totals.seeds, totals)) {
        if (totals.seeds % 500 == 0) print(totals, first, clock.monotonic_ns() - began_ns);
    }
    print(totals, first, clock.monotonic_ns() - began_ns);
}

TEST(SimSegments, WithoutFaultsEveryAppendIsAcknowledged) {
    SegmentLoad load(7);
    const SimClusterResult result =
        SimCluster({.seed = 7, .seconds = 30, .fault_every_ms = 0, .recovery_s = 20, .load = &load})
            .run();
    EXPECT_FALSE(result.violation) << *result.violation << load.missing();
    EXPECT_EQ(result.restarts, 3U);
    EXPECT_GT(load.result().acknowledged, 200U);
    EXPECT_GT(load.result().sealed, 3U);
}

TEST(SimSegments, RestartingEveryNodeThreeTimesChangesNoMetadata) {
    std::uint64_t acknowledged = 0;
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        SegmentLoad load(seed);
        SimClusterOptions options = options_of(seed);
        options.load = &load;
        options.full_restarts = 3;
        const SimClusterResult result = SimCluster(options).run();
        EXPECT_FALSE(result.violation) << *result.violation << load.missing();
        EXPECT_GE(result.restarts, 4 * options.voters);
        acknowledged += load.result().acknowledged;
    }
    EXPECT_GT(acknowledged, 100U);
}

TEST(SimSegments, TheSameSeedIsTheSameRun) {
    const auto fingerprint = [](std::uint64_t seed) {
        return run_once(options_of(seed)).fingerprint;
    };
    const std::uint64_t seed = test_seed();
    EXPECT_EQ(fingerprint(seed), fingerprint(seed));
    EXPECT_NE(fingerprint(seed), fingerprint(seed + 1));
}

TEST(SimShrink, KeepsWhatIsNeededAndNothingElse) {
    const auto fails = [](const std::vector<std::uint32_t>& only) {
        const auto has = [&](std::uint32_t n) { return std::ranges::count(only, n) == 1; };
        return has(3) && has(17) && has(40);
    };
    EXPECT_EQ(shrink_faults(50, fails), (std::vector<std::uint32_t>{3, 17, 40}));
    EXPECT_EQ(join({3, 17, 40}), "3,17,40");
    EXPECT_TRUE(shrink_faults(5, [](const auto&) { return true; }).empty());
}

}  // namespace
}  // namespace walrus::testing
