// Random faults against whole Raft nodes; seeds replay.
#include "walrus/testing/sim_cluster.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>

#include "walrus/testing/seed.h"

namespace walrus::testing {
namespace {

std::string replay_command(std::uint64_t seed) {
    const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
    return "WALRUS_SEED=" + std::to_string(seed) +
           " walrus_sim_cluster_test --gtest_filter=" + test->test_suite_name() + "." +
           test->name();
}

struct Totals {
    SimClusterResult sum;
    std::uint64_t slowest_recovery_ns = 0;
};

// Runs `seeds` seeds from WALRUS_SEED (or a fresh one) on.
Totals run_seeds(SimClusterOptions options, std::uint64_t seeds) {
    Totals totals;
    const std::uint64_t first = test_seed();
    for (std::uint64_t i = 0; i < seeds; ++i) {
        options.seed = first + i;
        const SimClusterResult result = SimCluster(options).run();
        EXPECT_FALSE(result.violation)
            << *result.violation << "\nreplay: " << replay_command(options.seed);
        if (result.violation) return totals;
        SimClusterResult& sum = totals.sum;
        for (std::size_t f = 0; f < kSimFaults; ++f) sum.faults[f] += result.faults[f];
        sum.committed += result.committed;
        sum.elections += result.elections;
        sum.reads += result.reads;
        sum.restarts += result.restarts;
        sum.replaced += result.replaced;
        sum.steps += result.steps;
        sum.simulated_ns += result.simulated_ns;
        totals.slowest_recovery_ns = std::max(totals.slowest_recovery_ns, result.recovery_ns);
    }
    const SimClusterResult& sum = totals.sum;
    std::printf("%" PRIu64 " seeds from %" PRIu64 ": %" PRIu64 " s, %" PRIu64 " steps, %" PRIu64
                " committed, %" PRIu64 " reads, %" PRIu64 " elections, %" PRIu64 " starts, %" PRIu64
                " replaced, slowest recovery %" PRIu64 " ms\n",
                seeds, first, sum.simulated_ns / 1'000'000'000, sum.steps, sum.committed, sum.reads,
                sum.elections, sum.restarts, sum.replaced, totals.slowest_recovery_ns / 1'000'000);
    return totals;
}

TEST(SimCluster, ThreeVotersKeepTheirPromisesUnderEveryFault) {
    const Totals totals = run_seeds({.voters = 3, .seconds = 60}, 16);
    // A run in which nothing happens proves nothing.
    EXPECT_GT(totals.sum.committed, 16U * 200);
    for (std::size_t f = 0; f < kSimFaults; ++f) {
        EXPECT_GT(totals.sum.faults[f], 0U) << sim_fault_name(static_cast<SimFault>(f));
    }
    EXPECT_GT(totals.sum.replaced, 0U);
    EXPECT_GT(totals.sum.reads, 0U);
}

TEST(SimCluster, FiveVotersKeepTheirPromisesUnderEveryFault) {
    const Totals totals = run_seeds({.voters = 5, .seconds = 60}, 8);
    EXPECT_GT(totals.sum.committed, 8U * 200);
}

TEST(SimCluster, ALoneVoterKeepsItsPromisesUnderEveryFault) {
    const Totals totals = run_seeds({.voters = 1, .seconds = 60}, 8);
    EXPECT_GT(totals.sum.committed, 8U * 200);
}

TEST(SimCluster, FaultsWithoutPauseAreSurvived) {
    run_seeds({.voters = 3, .seconds = 30, .fault_every_ms = 150}, 8);
}

TEST(SimCluster, WithoutFaultsOneElectionIsEnoughAndNothingIsLost) {
    const SimClusterResult result =
        SimCluster({.seed = test_seed(), .seconds = 60, .fault_every_ms = 0}).run();
    EXPECT_FALSE(result.violation) << *result.violation;
    EXPECT_EQ(result.elections, 1U);
    EXPECT_EQ(result.restarts, 3U);
    EXPECT_EQ(result.network.lost, 0U);
    EXPECT_GT(result.committed, 60U * 20 * 6 / 10);
}

TEST(SimCluster, TheSameSeedIsTheSameRun) {
    const SimClusterOptions options{.seed = test_seed(), .seconds = 20};
    const SimClusterResult a = SimCluster(options).run();
    const SimClusterResult b = SimCluster(options).run();
    EXPECT_EQ(a.fingerprint, b.fingerprint);
    EXPECT_EQ(a.steps, b.steps);
    SimClusterOptions other = options;
    ++other.seed;
    EXPECT_NE(SimCluster(other).run().fingerprint, a.fingerprint);
}

}  // namespace
}  // namespace walrus::testing
