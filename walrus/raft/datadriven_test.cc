// The scripts in testdata/; WALRUS_REWRITE=1 writes what was seen as what is expected.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "walrus/raft/raft_script.h"
#include "walrus/testing/seed.h"

namespace walrus::raft {
namespace {

std::vector<std::string> scripts() {
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(WALRUS_RAFT_TESTDATA)) {
        if (file.path().extension() == ".txt") names.push_back(file.path().stem());
    }
    std::sort(names.begin(), names.end());
    return names;
}

class RaftDataDriven : public ::testing::TestWithParam<std::string> {};

TEST_P(RaftDataDriven, ScriptGivesTheExpectedOutput) {
    const std::filesystem::path path =
        std::filesystem::path(WALRUS_RAFT_TESTDATA) / (GetParam() + ".txt");
    std::ostringstream expected;
    expected << std::ifstream(path).rdbuf();
    const std::string seen = RaftScript().run(expected.str());
    if (testing::test_switch("WALRUS_REWRITE")) {
        std::ofstream(path) << seen;
        return;
    }
    EXPECT_EQ(seen, expected.str()) << "run with WALRUS_REWRITE=1 and review the difference";
}

INSTANTIATE_TEST_SUITE_P(Scripts, RaftDataDriven, ::testing::ValuesIn(scripts()),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace walrus::raft
