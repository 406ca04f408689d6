#include "walrus/node/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

namespace walrus::node {
namespace {

using ::testing::HasSubstr;

class ConfigTest : public ::testing::Test {
protected:
    // The path of a file with this text.
    std::string file(const std::string& text) {
        const std::string path = ::testing::TempDir() + "walrus_config_test.toml";
        std::ofstream(path) << text;
        return path;
    }
    std::string file_error(const std::string& text) {
        const auto given = read_config_file(file(text));
        return given ? "no error" : given.error().message;
    }
    static Given flag(std::string name, std::vector<std::string> values) {
        return {name, std::move(values), flag_of(name)};
    }
    static std::string error_of(const Given& given) {
        const auto resolved = resolve_config(std::vector{given});
        return resolved ? "no error" : resolved.error().message;
    }
    static std::string line_of(const std::string& text, const std::string& name) {
        const std::size_t at = ("\n" + text).find("\n" + name + " = ");
        return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
    }
};

TEST_F(ConfigTest, WithoutWordsHasUpstreamsDefaults) {
    const auto resolved = resolve_config({});
    ASSERT_TRUE(resolved);
    EXPECT_EQ(resolved->config.client_port, 8080);
    EXPECT_EQ(resolved->config.raft_port, 6000);
    EXPECT_EQ(resolved->config.node_dir(), "./data/node_1");
    EXPECT_EQ(resolved->config.durability, wal::DurabilityClass::kDisk);
}

TEST_F(ConfigTest, FlagsWinOverTheEnvironmentAndThatOverTheFile) {
    auto given = *read_config_file(
        file("node_id = 2\nclient_port = 1001\nkafka_port = 1002\nadmin_port = \"off\"\n"));
    std::vector<std::string> warnings;
    const std::vector<std::string> variables = {"WALRUS_CLIENT_PORT=2001", "WALRUS_KAFKA_PORT=2002",
                                                "HOME=/root", "WALRUS_SEED=7"};
    for (const Given& one : read_environment(variables, warnings)) given.push_back(one);
    given.push_back(flag("kafka_port", {"3002"}));
    const auto resolved = resolve_config(given);
    ASSERT_TRUE(resolved) << resolved.error().message;
    EXPECT_EQ(resolved->config.node_id, 2U);
    EXPECT_EQ(resolved->config.client_port, 2001);
    EXPECT_EQ(resolved->config.kafka_port, 3002);
    EXPECT_EQ(resolved->config.admin_port, std::nullopt);
    EXPECT_TRUE(warnings.empty());

    const std::string text = print_config(*resolved);
    EXPECT_THAT(line_of(text, "node_id"), HasSubstr("config_test.toml:1"));
    EXPECT_THAT(line_of(text, "client_port"), HasSubstr("2001 "));
    EXPECT_THAT(line_of(text, "client_port"), HasSubstr("# WALRUS_CLIENT_PORT"));
    EXPECT_THAT(line_of(text, "kafka_port"), HasSubstr("# --kafka-port"));
    EXPECT_THAT(line_of(text, "raft_port"), HasSubstr("# default"));
}

TEST_F(ConfigTest, WhatIsPrintedIsAFileThatSaysTheSame) {
    const std::vector<Given> given = {
        flag("data_dir", {"/tmp/a \"quoted\" \\ dir\n"}),
        flag("topic_defaults", {"retention.ms=1000", "segment.bytes=4096", "retention.ms=2000"}),
        flag("disable_io_uring", {""}),
        flag("durability", {"process"}),
        flag("kafka_port", {"off"}),
    };
    const auto first = resolve_config(given);
    ASSERT_TRUE(first) << first.error().message;
    ASSERT_EQ(first->config.topic_defaults.size(), 2U);
    EXPECT_EQ(first->config.topic_defaults[0].value, "2000");
    const auto again = read_config_file(file(print_config(*first)));
    ASSERT_TRUE(again) << again.error().message;
    const auto second = resolve_config(*again);
    ASSERT_TRUE(second) << second.error().message;
    for (const Setting& setting : settings())
        EXPECT_EQ(setting.show(first->config), setting.show(second->config)) << setting.name;
}

TEST_F(ConfigTest, EverySettingHasOneNameAndSomeHelp) {
    std::set<std::string_view> names;
    for (const Setting& setting : settings()) {
        EXPECT_TRUE(names.insert(setting.name).second) << setting.name;
        EXPECT_FALSE(setting.help.empty()) << setting.name;
    }
    EXPECT_EQ(flag_of("node_id"), "--node-id");
    EXPECT_EQ(variable_of("node_id"), "WALRUS_NODE_ID");
}

// --- error paths ---

TEST_F(ConfigTest, AnUnknownKeyIsAnErrorWithASuggestion) {
    EXPECT_THAT(file_error("node_id = 1\nkafak_port = 1\n"),
                HasSubstr(":2: kafak_port is not known, did you mean 'kafka_port'?"));
    EXPECT_THAT(file_error("zzzzzzzzzzzzz = 1\n"), HasSubstr("zzzzzzzzzzzzz is not known"));
    EXPECT_EQ(file_error("zzzzzzzzzzzzz = 1\n").find("did you mean"), std::string::npos);
}

TEST_F(ConfigTest, AFileThatIsNoTomlIsToldWithItsLine) {
    EXPECT_THAT(file_error("node_id = 1\nclient_port = = 2\n"), HasSubstr(".toml:2: "));
    EXPECT_THAT(file_error("node_id = [1]\n"), HasSubstr("node_id: must be a text"));
    EXPECT_THAT(file_error("node_id = 1.5\n"), HasSubstr("node_id: must be a text"));
    const auto absent = read_config_file("/no/such/walrus.toml");
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().code, Errc::kNotFound);
}

TEST_F(ConfigTest, AValueThatCannotBeIsToldWithWhatCouldBe) {
    EXPECT_EQ(error_of(flag("node_id", {"x"})),
              "--node-id: node_id: 'x': must be a number from 1 to 2147483647");
    EXPECT_EQ(error_of(flag("client_port", {"70000"})),
              "--client-port: client_port: '70000': must be a port from 0 (any) to 65535, or off");
    EXPECT_THAT(error_of(flag("durability", {"maybe"})), HasSubstr("one of none, process"));
    EXPECT_THAT(error_of(flag("log_level", {"loud"})), HasSubstr("debug, info, warn or error"));
    EXPECT_THAT(error_of(flag("topic_defaults", {"retention.ms"})), HasSubstr("NAME=VALUE"));
    EXPECT_THAT(error_of(flag("disable_io_uring", {"maybe"})), HasSubstr("true or false"));
    EXPECT_THAT(error_of(flag("data_dir", {""})), HasSubstr("data_dir: must not be empty"));
    EXPECT_THAT(error_of(flag("ring_size_bytes", {"1048577"})), HasSubstr("multiples of 4096"));
}

TEST_F(ConfigTest, AClusterIsRefusedRatherThanPretended) {
    EXPECT_EQ(error_of(flag("join", {"10.0.0.1:6001"})), "no error");
    EXPECT_EQ(error_of(flag("initial_peer", {"a:1", "b:2"})), "no error");
    EXPECT_THAT(error_of(flag("join", {"10.0.0.1"})), HasSubstr("must be HOST:PORT"));
    EXPECT_THAT(error_of(flag("join", {"10.0.0.1:"})), HasSubstr("must be HOST:PORT"));
    const auto both =
        resolve_config(std::vector{flag("bootstrap", {""}), flag("join", {"10.0.0.1:6001"})});
    EXPECT_THAT(both.error().message, HasSubstr("leave one of them out"));
    const auto nowhere =
        resolve_config(std::vector{flag("bootstrap", {""}), flag("raft_host", {"0.0.0.0"})});
    EXPECT_THAT(nowhere.error().message, HasSubstr("raft_advertise_host: is needed"));
    EXPECT_EQ(error_of(flag("raft_port", {"6001"})), "no error");
}

TEST_F(ConfigTest, AnAddressThatNobodyCanReachMustBeAdvertisedByAnother) {
    EXPECT_THAT(error_of(flag("kafka_host", {"0.0.0.0"})), HasSubstr("kafka_advertise_host"));
    const std::vector<Given> both = {flag("kafka_host", {"0.0.0.0"}),
                                     flag("kafka_advertise_host", {"broker1"})};
    EXPECT_TRUE(resolve_config(both));
}

TEST_F(ConfigTest, ASlipOfThePenInTheEnvironmentIsAWarning) {
    std::vector<std::string> warnings;
    const std::vector<std::string> variables = {"WALRUS_NODE_IDD=1"};
    EXPECT_TRUE(read_environment(variables, warnings).empty());
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_THAT(warnings[0], HasSubstr("did you mean 'WALRUS_NODE_ID'?"));
}

}  // namespace
}  // namespace walrus::node
