#include "walrus/cluster/seal_search.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace walrus::cluster {
namespace {

struct Named {
    const char* name;
    SearchOptions options;
};

class SealSearch : public ::testing::TestWithParam<Named> {};

TEST_P(SealSearch, FindsNoViolationInAnyReachableState) {
    const SearchResult result = search_seal(GetParam().options);
    std::printf("%s: %llu states, %llu transitions, %llu seals\n", GetParam().name,
                static_cast<unsigned long long>(result.states),
                static_cast<unsigned long long>(result.transitions),
                static_cast<unsigned long long>(result.seals));
    EXPECT_FALSE(result.violation) << *result.violation;
    EXPECT_TRUE(result.exhausted) << "states were left unexplored";
    EXPECT_GT(result.seals, 0u) << "nothing was ever sealed: the search proves nothing";
}

constexpr Named kConfigurations[] = {
    {"TwoBatchesTwoCoordinators", {.batches = 2, .seals = 2}},
    {"AllMustAckTwoCoordinators", {.ack_quorum = 3, .batches = 2, .seals = 2}},
    {"SlowDisks", {.batches = 2, .seals = 1, .slow_disk = true}},
    {"SlowDisksAndACrash", {.batches = 1, .seals = 1, .crashes = 1, .slow_disk = true}},
    {"ACrashAndTwoCoordinators", {.batches = 1, .seals = 2, .crashes = 1}},
    {"ABlankDisk", {.batches = 2, .seals = 1, .wipes = 1}},
    {"AForgetfulDisk", {.batches = 2, .seals = 1, .crashes = 1, .forgetful_disk = true}},
    {"RolloverAgainstBeginSeal", {.batches = 2, .seals = 1, .rollover = true}},
};

INSTANTIATE_TEST_SUITE_P(Search, SealSearch, ::testing::ValuesIn(kConfigurations),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace walrus::cluster
