// A checker that never fails proves nothing: known bugs of Raft, compiled in (raft/mutants.h), must
// be caught by the whole simulation, with real stores on simulated disks.
#include <gtest/gtest.h>

#include <cstdio>

#include "walrus/raft/mutants.h"
#include "walrus/testing/sim_cluster.h"

namespace walrus::testing {
namespace {

using raft::Mutant;

struct Bug {
    Mutant mutant;
    const char* name;
    std::uint64_t max_seeds;
};

constexpr Bug kBugs[] = {
    {Mutant::kReplyBeforePersist, "ReplyBeforePersist", 40},
    {Mutant::kCountOwnUnpersisted, "CountOwnUnpersisted", 40},
    {Mutant::kForgetVote, "ForgetVote", 400},
    {Mutant::kVoteForStaleLog, "VoteForStaleLog", 40},
    {Mutant::kTruncateOnMatch, "TruncateOnMatch", 40},
    {Mutant::kHeartbeatCommitUnclamped, "HeartbeatCommitUnclamped", 100},
    {Mutant::kSnapshotForgetsConf, "SnapshotForgetsConf", 100},
    {Mutant::kReadWithoutQuorum, "ReadWithoutQuorum", 40},
};

class SimMutant : public ::testing::TestWithParam<Bug> {
protected:
    SimMutant() { raft::active_mutant = GetParam().mutant; }
    ~SimMutant() override { raft::active_mutant = Mutant::kNone; }
};

TEST_P(SimMutant, IsCaught) {
    for (std::uint64_t seed = 1; seed <= GetParam().max_seeds; ++seed) {
        const std::size_t voters = seed % 3 == 0 ? 5 : 3;
        const SimClusterResult result =
            SimCluster({.seed = seed, .voters = voters, .seconds = 60, .fault_every_ms = 500})
                .run();
        if (!result.violation) continue;
        std::printf("caught at seed %llu: %s\n", static_cast<unsigned long long>(seed),
                    result.violation->substr(0, result.violation->find('\n')).c_str());
        return;
    }
    ADD_FAILURE() << "not caught within " << GetParam().max_seeds << " seeds";
}

INSTANTIATE_TEST_SUITE_P(Mutants, SimMutant, ::testing::ValuesIn(kBugs),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace walrus::testing
