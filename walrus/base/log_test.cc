#include "walrus/base/log.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace walrus {
namespace {

class LogTest : public testing::Test {
protected:
    ~LogTest() override { set_log_sink({}); }
};

TEST_F(LogTest, IsSilentWithoutASink) {
    testing::internal::CaptureStderr();
    log(LogLevel::kError, "nobody listens");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(LogTest, HandsEveryEventToTheSink) {
    std::vector<std::string> seen;
    set_log_sink([&](LogLevel level, std::string_view message) {
        seen.push_back(std::string(log_level_name(level)).append(":").append(message));
    });
    log(LogLevel::kInfo, "one");
    log(LogLevel::kError, "two");
    EXPECT_EQ(seen, (std::vector<std::string>{"info:one", "error:two"}));
}

TEST_F(LogTest, CallsTheSinkOfManyThreadsOneAfterAnother) {
    int count = 0;  // Not atomic: the sanitizers see a call that is not serialised.
    set_log_sink([&](LogLevel, std::string_view) { ++count; });
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([] {
            for (int n = 0; n < 100; ++n) log(LogLevel::kDebug, "event");
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(count, 400);
}

TEST_F(LogTest, WritesOneEscapedLinePerEventToStderr) {
    set_log_sink(stderr_log_sink(LogLevel::kInfo));
    testing::internal::CaptureStderr();
    log(LogLevel::kDebug, "too quiet");
    log(LogLevel::kWarn, "a \"b\"\nc\\\x01");
    EXPECT_EQ(testing::internal::GetCapturedStderr(),
              "level=warn msg=\"a \\\"b\\\"\\nc\\\\\\x01\"\n");
}

}  // namespace
}  // namespace walrus
