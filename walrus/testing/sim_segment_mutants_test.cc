// A checker that never fails proves nothing: known bugs of the segment protocol, compiled in
// (cluster/mutants.h), must be caught by the simulation of whole nodes.
#include <gtest/gtest.h>

#include <cstdio>

#include "walrus/cluster/mutants.h"
#include "walrus/testing/segment_load.h"
#include "walrus/testing/sim_cluster.h"

namespace walrus::testing {
namespace {

using cluster::Mutant;

struct Bug {
    Mutant mutant;
    const char* name;
    std::uint64_t max_seeds;
};

constexpr Bug kBugs[] = {
    {Mutant::kFenceOneTooFew, "FenceOneTooFew", 500},
    {Mutant::kFenceDoesNotPromise, "FenceDoesNotPromise", 100},
    {Mutant::kPromiseNotPersisted, "PromiseNotPersisted", 100},
    {Mutant::kAckAfterPromise, "AckAfterPromise", 300},
    {Mutant::kOldEpochAccepted, "OldEpochAccepted", 300},
    {Mutant::kSealWithoutCas, "SealWithoutCas", 500},
    {Mutant::kSealBeforeCopy, "SealBeforeCopy", 100},
    {Mutant::kAckBeforeDurable, "AckBeforeDurable", 100},
    {Mutant::kAckQuorumOneTooFew, "AckQuorumOneTooFew", 100},
    {Mutant::kGapAccepted, "GapAccepted", 100},
    {Mutant::kLeaderResumes, "LeaderResumes", 500},
    {Mutant::kRolloverBeforeDrain, "RolloverBeforeDrain", 100},
    {Mutant::kProducersForgotten, "ProducersForgotten", 100},
    {Mutant::kDropByOldMetadata, "DropByOldMetadata", 100},
    {Mutant::kFinalByOldLeader, "FinalByOldLeader", 100},
    {Mutant::kConfirmsWhileRollingOver, "ConfirmsWhileRollingOver", 500},
    {Mutant::kTailKeptAtSeal, "TailKeptAtSeal", 500},
};

SimClusterResult run(std::uint64_t seed) {
    SegmentLoad load(seed);
    SimClusterResult result = SimCluster({.seed = seed,
                                          .voters = seed % 4 == 0 ? std::size_t{5} : std::size_t{3},
                                          .seconds = 20,
                                          .fault_every_ms = 400,
                                          .recovery_s = 60,
                                          .load = &load})
                                  .run();
    if (result.violation) *result.violation += "\nlast looked at: " + load.missing();
    return result;
}

class SimSegmentMutant : public ::testing::TestWithParam<Bug> {
protected:
    SimSegmentMutant() { cluster::active_mutant = GetParam().mutant; }
    ~SimSegmentMutant() override { cluster::active_mutant = Mutant::kNone; }
};

TEST_P(SimSegmentMutant, IsCaught) {
    for (std::uint64_t seed = 1; seed <= GetParam().max_seeds; ++seed) {
        const SimClusterResult result = run(seed);
        if (!result.violation) continue;
        std::printf("caught at seed %llu: %s\n", static_cast<unsigned long long>(seed),
                    result.violation->substr(0, result.violation->find('\n')).c_str());
        return;
    }
    ADD_FAILURE() << "not caught within " << GetParam().max_seeds << " seeds";
}

INSTANTIATE_TEST_SUITE_P(Mutants, SimSegmentMutant, ::testing::ValuesIn(kBugs),
                         [](const auto& param) { return std::string(param.param.name); });

// Without a bug the same seeds are silent.
TEST(SimSegmentMutants, NoneIsSilent) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const SimClusterResult result = run(seed);
        EXPECT_FALSE(result.violation) << "seed " << seed << ": " << *result.violation;
    }
}

}  // namespace
}  // namespace walrus::testing
