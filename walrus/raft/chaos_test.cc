// Random clusters: Raft's five safety properties after every step, and progress after healing.
#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdio>

#include "walrus/raft/chaos_cluster.h"
#include "walrus/testing/seed.h"

namespace walrus::raft {
namespace {

// Runs seeds from WALRUS_SEED (or a fresh one) on; --gtest_repeat goes on where the last run ended.
void run(ChaosOptions options, std::uint64_t seeds, std::uint64_t& runs_before) {
    ChaosResult sum;
    const std::uint64_t first = walrus::testing::test_seed() + seeds * runs_before++;
    for (std::uint64_t i = 0; i < seeds; ++i) {
        options.seed = first + i;
        const ChaosResult result = run_chaos(options);
        ASSERT_FALSE(result.violation) << *result.violation << "\nWALRUS_SEED=" << options.seed;
        sum.committed += result.committed;
        sum.restarts += result.restarts;
        sum.reads += result.reads;
        sum.conf_changes += result.conf_changes;
        sum.snapshots += result.snapshots;
    }
    std::printf(
        "%" PRIu64 " seeds from WALRUS_SEED=%" PRIu64 ": %" PRIu64 " committed, %" PRIu64
        " restarts, %" PRIu64 " reads, %" PRIu64 " membership changes, %" PRIu64 " snapshots\n",
        seeds, first, sum.committed, sum.restarts, sum.reads, sum.conf_changes, sum.snapshots);
    // A run in which nothing happens proves nothing.
    EXPECT_GT(sum.committed, 10 * seeds);
}

TEST(RaftChaos, ThreeVotersKeepTheFiveSafetyProperties) {
    static std::uint64_t runs = 0;
    run({.voters = 3, .joiners = 0, .membership = false}, 60, runs);
}

TEST(RaftChaos, FiveVotersKeepTheFiveSafetyProperties) {
    static std::uint64_t runs = 0;
    run({.voters = 5, .joiners = 0, .membership = false}, 40, runs);
}

TEST(RaftChaos, ChangingMembershipKeepsTheFiveSafetyProperties) {
    static std::uint64_t runs = 0;
    run({.voters = 3, .joiners = 2, .membership = true}, 60, runs);
}

TEST(RaftChaos, ALoneVoterThatGrowsKeepsTheFiveSafetyProperties) {
    static std::uint64_t runs = 0;
    run({.voters = 1, .joiners = 3, .membership = true}, 40, runs);
}

}  // namespace
}  // namespace walrus::raft
