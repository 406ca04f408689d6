// The traps as scenarios, against the real code.
#include <gtest/gtest.h>

#include "walrus/raft/trap_scenarios.h"

namespace walrus::raft {
namespace {

class RaftTrap : public ::testing::TestWithParam<TrapScenario> {};

TEST_P(RaftTrap, IsAvoided) {
    EXPECT_EQ(GetParam().run(), "");
}

INSTANTIATE_TEST_SUITE_P(Traps, RaftTrap,
                         ::testing::ValuesIn(trap_scenarios().begin(), trap_scenarios().end()),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace walrus::raft
