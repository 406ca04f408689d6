// Every mutant must be caught: by the exhaustive search, or by its own scenario.
#include "walrus/cluster/mutants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "walrus/cluster/producer_scenario.h"
#include "walrus/cluster/seal_search.h"

namespace walrus::cluster {
namespace {

// Switches a mutant on for one scope.
class WithMutant {
public:
    explicit WithMutant(Mutant mutant) { active_mutant = mutant; }
    ~WithMutant() { active_mutant = Mutant::kNone; }
    WithMutant(const WithMutant&) = delete;
    WithMutant& operator=(const WithMutant&) = delete;
};

struct BySearch {
    Mutant mutant;
    const char* name;
    const char* invariant;  // The one that must be seen broken.
    SearchOptions options;
};

constexpr BySearch kBySearch[] = {
    {Mutant::kFenceOneTooFew, "FenceOneTooFew", "I6", {.batches = 1, .seals = 1}},
    {Mutant::kFenceDoesNotPromise, "FenceDoesNotPromise", "I6", {.batches = 1, .seals = 1}},
    {Mutant::kPromiseNotPersisted,
     "PromiseNotPersisted",
     "I6",
     {.batches = 1, .seals = 1, .crashes = 1, .slow_disk = true}},
    {Mutant::kAckAfterPromise,
     "AckAfterPromise",
     "I4",
     {.batches = 1, .seals = 1, .slow_disk = true}},
    {Mutant::kOldEpochAccepted, "OldEpochAccepted", "I4", {.batches = 1, .seals = 1}},
    {Mutant::kLengthIsShortest, "LengthIsShortest", "I6", {.batches = 1, .seals = 1}},
    {Mutant::kWipedDiskCounts, "WipedDiskCounts", "I6", {.batches = 1, .seals = 1, .wipes = 1}},
    {Mutant::kLossyReplyCounts,
     "LossyReplyCounts",
     "I6",
     {.batches = 1, .seals = 1, .crashes = 1, .forgetful_disk = true}},
    {Mutant::kSealWithoutCas, "SealWithoutCas", "I5", {.batches = 1, .seals = 2}},
    {Mutant::kSealBeforeCopy, "SealBeforeCopy", "I7", {.batches = 1, .seals = 1}},
    {Mutant::kAckBeforeDurable,
     "AckBeforeDurable",
     "I3",
     {.batches = 1, .seals = 0, .slow_disk = true}},
    {Mutant::kAckQuorumOneTooFew, "AckQuorumOneTooFew", "I3", {.batches = 1, .seals = 0}},
    {Mutant::kLeaderResumes, "LeaderResumes", "I1", {.batches = 1, .seals = 0, .crashes = 1}},
    {Mutant::kGapAccepted, "GapAccepted", "I2", {.batches = 2, .seals = 0}},
    {Mutant::kRolloverBeforeDrain,
     "RolloverBeforeDrain",
     "I6",
     {.batches = 1, .seals = 0, .rollover = true}},
    {Mutant::kTailKeptAtSeal, "TailKeptAtSeal", "I2", {.batches = 1, .seals = 1}},
};

class ClusterMutantBySearch : public ::testing::TestWithParam<BySearch> {};

TEST_P(ClusterMutantBySearch, IsCaught) {
    const WithMutant on(GetParam().mutant);
    const SearchResult result = search_seal(GetParam().options);
    ASSERT_TRUE(result.violation) << "not caught in " << result.states << " states";
    std::printf("after %llu states: %s\n", static_cast<unsigned long long>(result.states),
                result.violation->c_str());
    const std::string broken = result.violation->substr(0, result.violation->find(':'));
    EXPECT_NE(broken.find(GetParam().invariant), std::string::npos) << broken;
    EXPECT_LT(result.states, 100'000u);
}

INSTANTIATE_TEST_SUITE_P(Mutants, ClusterMutantBySearch, ::testing::ValuesIn(kBySearch),
                         [](const auto& param) { return std::string(param.param.name); });

TEST(ClusterMutants, ANewLeaderWithoutTheProducersStateIsCaught) {
    EXPECT_EQ(retry_after_leader_change(), "");
    const WithMutant on(Mutant::kProducersForgotten);
    EXPECT_NE(retry_after_leader_change(), "");
}

TEST(ClusterMutants, EachHasAChecker) {
    for (int i = 1; i < static_cast<int>(Mutant::kCount); ++i) {
        const auto mutant = static_cast<Mutant>(i);
        // Those of whole nodes: testing/sim_segment_mutants_test.cc.
        const bool covered =
            mutant == Mutant::kProducersForgotten || mutant == Mutant::kDropByOldMetadata ||
            mutant == Mutant::kFinalByOldLeader || mutant == Mutant::kConfirmsWhileRollingOver ||
            std::ranges::any_of(kBySearch, [&](const auto& row) { return row.mutant == mutant; });
        EXPECT_TRUE(covered) << "mutant " << i;
    }
}

TEST(ClusterMutants, WithoutOneTheSameSearchesAreSilent) {
    for (const BySearch& row : kBySearch) {
        SearchOptions options = row.options;
        options.max_states = 100'000;  // Far more than it takes to catch any mutant.
        const SearchResult result = search_seal(options);
        EXPECT_FALSE(result.violation) << row.name << ": " << *result.violation;
    }
}

}  // namespace
}  // namespace walrus::cluster
