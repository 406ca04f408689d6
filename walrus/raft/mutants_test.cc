// Every mutant must be caught: by its scenario, or by chance within a stated number of seeds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "walrus/raft/chaos_cluster.h"
#include "walrus/raft/trap_scenarios.h"

namespace walrus::raft {
namespace {

// Switches a mutant on for one scope.
class WithMutant {
public:
    explicit WithMutant(Mutant mutant) { active_mutant = mutant; }
    ~WithMutant() { active_mutant = Mutant::kNone; }
    WithMutant(const WithMutant&) = delete;
    WithMutant& operator=(const WithMutant&) = delete;
};

struct ByChance {
    Mutant mutant;
    const char* name;
    std::uint64_t max_seeds;
};

constexpr ByChance kByChance[] = {
    {Mutant::kReplyBeforePersist, "ReplyBeforePersist", 20},
    {Mutant::kSelfVoteBeforePersist, "SelfVoteBeforePersist", 400},
    {Mutant::kForgetVote, "ForgetVote", 400},
    {Mutant::kCountOwnUnpersisted, "CountOwnUnpersisted", 20},
    {Mutant::kLateBatchMarksRewritten, "LateBatchMarksRewritten", 100},
    {Mutant::kVoteForStaleLog, "VoteForStaleLog", 50},
    {Mutant::kTruncateOnMatch, "TruncateOnMatch", 20},
    {Mutant::kMatchIndexRegress, "MatchIndexRegress", 20},
    {Mutant::kHeartbeatCommitUnclamped, "HeartbeatCommitUnclamped", 200},
    {Mutant::kOverlappingConfChanges, "OverlappingConfChanges", 50},
    {Mutant::kJointCountsNewOnly, "JointCountsNewOnly", 100},
    {Mutant::kLearnersVote, "LearnersVote", 50},
    {Mutant::kConfKeptAfterTruncation, "ConfKeptAfterTruncation", 200},
    {Mutant::kNonMemberRefusesVotes, "NonMemberRefusesVotes", 50},
    {Mutant::kRemovedLeaderStays, "RemovedLeaderStays", 50},
    {Mutant::kReadBeforeNoop, "ReadBeforeNoop", 50},
    {Mutant::kSnapshotForgetsConf, "SnapshotForgetsConf", 50},
};

ChaosOptions shape(std::uint64_t seed) {
    constexpr ChaosOptions kShapes[] = {
        {.voters = 3, .joiners = 2, .membership = true},
        {.voters = 3, .joiners = 0, .membership = false},
        {.voters = 1, .joiners = 3, .membership = true},
        {.voters = 5, .joiners = 0, .membership = false},
    };
    ChaosOptions options = kShapes[seed % std::size(kShapes)];
    options.seed = seed;
    return options;
}

class RaftMutantByChance : public ::testing::TestWithParam<ByChance> {};

TEST_P(RaftMutantByChance, IsCaught) {
    const WithMutant on(GetParam().mutant);
    for (std::uint64_t seed = 1; seed <= GetParam().max_seeds; ++seed) {
        const ChaosResult result = run_chaos(shape(seed));
        if (!result.violation) continue;
        std::printf("caught at seed %llu: %s\n", static_cast<unsigned long long>(seed),
                    result.violation->substr(0, result.violation->find('\n')).c_str());
        return;
    }
    ADD_FAILURE() << "not caught within " << GetParam().max_seeds << " seeds";
}

INSTANTIATE_TEST_SUITE_P(Mutants, RaftMutantByChance, ::testing::ValuesIn(kByChance),
                         [](const auto& param) { return std::string(param.param.name); });

class RaftMutantByScenario : public ::testing::TestWithParam<TrapScenario> {};

TEST_P(RaftMutantByScenario, IsCaught) {
    EXPECT_EQ(GetParam().run(), "") << "the scenario fails without the mutant";
    const WithMutant on(GetParam().mutant);
    EXPECT_NE(GetParam().run(), "");
}

INSTANTIATE_TEST_SUITE_P(Mutants, RaftMutantByScenario,
                         ::testing::ValuesIn(trap_scenarios().begin(), trap_scenarios().end()),
                         [](const auto& param) { return std::string(param.param.name); });

TEST(RaftMutants, EachHasAChecker) {
    for (int i = 1; i < static_cast<int>(Mutant::kCount); ++i) {
        const auto is_it = [&](const auto& row) { return row.mutant == static_cast<Mutant>(i); };
        const bool covered = std::any_of(std::begin(kByChance), std::end(kByChance), is_it) ||
                             std::any_of(trap_scenarios().begin(), trap_scenarios().end(), is_it);
        EXPECT_TRUE(covered) << "mutant " << i;
    }
}

TEST(RaftMutants, WithoutOneTheCheckersAreSilent) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        const ChaosResult result = run_chaos(shape(seed));
        EXPECT_FALSE(result.violation) << *result.violation << "\nWALRUS_SEED=" << seed;
    }
}

}  // namespace
}  // namespace walrus::raft
