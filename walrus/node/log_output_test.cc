#include "walrus/node/log_output.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace walrus::node {
namespace {

constexpr std::uint64_t kWallMs = 1'700'000'000'007;

TEST(LogOutput, ALineSaysWhenHowBadWhereAndWhat) {
    EXPECT_EQ(format_log_line(LogFormat::kLogfmt, kWallMs, 3, LogLevel::kWarn, "a \"b\"\\\n\x01"),
              "ts=2023-11-14T22:13:20.007Z level=warn node=3 msg=\"a \\\"b\\\"\\\\\\n\\x01\"\n");
    EXPECT_EQ(format_log_line(LogFormat::kJson, kWallMs, 3, LogLevel::kWarn, "a \"b\"\n\xff"),
              "{\"ts\":\"2023-11-14T22:13:20.007Z\",\"level\":\"warn\",\"node\":3,"
              "\"msg\":\"a \\\"b\\\"\\n\xEF\xBF\xBD\"}\n");
}

TEST(LogOutput, AFileGetsWhatIsAtTheLevelOrAbove) {
    Config config;
    config.log_file = ::testing::TempDir() + "walrus_log_output_test.log";
    config.log_level = LogLevel::kWarn;
    std::ofstream(config.log_file).close();
    const auto sink = make_log_sink(config, system_clock());
    ASSERT_TRUE(sink);
    (*sink)(LogLevel::kInfo, "not this");
    (*sink)(LogLevel::kError, "but this");
    std::ostringstream text;
    text << std::ifstream(config.log_file).rdbuf();
    EXPECT_EQ(text.str().find("not this"), std::string::npos);
    EXPECT_NE(text.str().find("level=error node=1 msg=\"but this\""), std::string::npos);
}

TEST(LogOutput, AFileThatCannotBeOpenedIsAnError) {
    Config config;
    config.log_file = "/no/such/directory/walrus.log";
    const auto sink = make_log_sink(config, system_clock());
    ASSERT_FALSE(sink);
    EXPECT_EQ(sink.error().code, Errc::kIo);
}

}  // namespace
}  // namespace walrus::node
