#include "walrus/client/cli/start_position.h"

#include <gtest/gtest.h>

#include "walrus/client/cli/context.h"
#include "walrus/client/cli/server_time.h"

namespace walrus::client {
namespace {

using Kind = StartPosition::Kind;

TEST(StartPosition, PlacesHaveNames) {
    for (const char* text : {"beginning", "start", "earliest"})
        EXPECT_EQ(*parse_start_position(text), (StartPosition{Kind::kBeginning, 0}));
    for (const char* text : {"end", "latest"})
        EXPECT_EQ(*parse_start_position(text), (StartPosition{Kind::kEnd, 0}));
    EXPECT_EQ(*parse_start_position("0"), (StartPosition{Kind::kOffset, 0}));
    EXPECT_EQ(*parse_start_position("1234"), (StartPosition{Kind::kOffset, 1234}));
    EXPECT_EQ(*parse_start_position("-10"), (StartPosition{Kind::kTail, 10}));
    EXPECT_EQ(*parse_start_position("ts:1700000000123"),
              (StartPosition{Kind::kTime, 1700000000123}));
    EXPECT_EQ(*parse_start_position("1970-01-02"), (StartPosition{Kind::kTime, 86'400'000}));
    for (const char* text : {"", "x", "12x", "--1", "ts:", "ts:x", "99999999999999999999"})
        EXPECT_EQ(parse_start_position(text).error().code, Errc::kInvalidArgument) << text;
}

TEST(ParseTime, IsoTimesAreUtcWithoutAZone) {
    constexpr std::int64_t kMoment = 1700000000000;  // 2023-11-14T22:13:20Z
    EXPECT_EQ(*parse_time_ms("2023-11-14T22:13:20"), kMoment);
    EXPECT_EQ(*parse_time_ms("2023-11-14T22:13:20Z"), kMoment);
    EXPECT_EQ(*parse_time_ms("2023-11-14 22:13:20"), kMoment);
    EXPECT_EQ(*parse_time_ms("2023-11-15T00:13:20+02:00"), kMoment);
    EXPECT_EQ(*parse_time_ms("2023-11-14T17:43:20-0430"), kMoment);
    EXPECT_EQ(*parse_time_ms("2023-11-14T22:13:20.5Z"), kMoment + 500);
    EXPECT_EQ(*parse_time_ms("2023-11-14T22:13:20.1239Z"), kMoment + 123);
    EXPECT_EQ(*parse_time_ms("2023-11-14T22:13"), kMoment - 20'000);
    EXPECT_EQ(*parse_time_ms("ts:2023-11-14T22:13:20"), kMoment);
    EXPECT_EQ(*parse_time_ms("2024-02-29"), 1709164800000);
    for (const char* text : {"2023-02-29", "2023-13-01", "2023-1-1", "2023-11-14T",
                             "2023-11-14T24:00", "2023-11-14T22:60", "2023-11-14T22:13:20X",
                             "2023-11-14T22:13:20.", "2023-11-14Z", "yesterday"})
        EXPECT_EQ(parse_time_ms(text).error().code, Errc::kInvalidArgument) << text;
}

TEST(FormatTime, GoesThereAndBack) {
    EXPECT_EQ(format_time(1700000000123), "2023-11-14T22:13:20.123Z");
    EXPECT_EQ(*parse_time_ms(format_time(1709164800001)), 1709164800001);
    EXPECT_EQ(format_time(0), "1970-01-01T00:00:00.000Z");
}

TEST(ParseTimeout, ABareNumberCountsSeconds) {
    EXPECT_EQ(*parse_timeout_ms("10"), 10'000U);
    EXPECT_EQ(*parse_timeout_ms("1.5s"), 1'500U);
    EXPECT_EQ(*parse_timeout_ms("250ms"), 250U);
    EXPECT_EQ(*parse_timeout_ms("2m"), 120'000U);
    for (const char* text : {"", "s", "0", "-1", "10 s", "10d", "1e9h", "nan"})
        EXPECT_EQ(parse_timeout_ms(text).error().code, Errc::kInvalidArgument) << text;
}

TEST(ServerTime, AnHttpDateIsAWholeSecond) {
    EXPECT_EQ(parse_http_date_ms("Tue, 14 Nov 2023 22:13:20 GMT"), 1700000000000);
    EXPECT_FALSE(parse_http_date_ms(""));
    EXPECT_FALSE(parse_http_date_ms("Tue, 14 Nov 2023 22:13:20 CET"));
    EXPECT_FALSE(parse_http_date_ms("yesterday"));
}

TEST(ServerTime, ADifferenceBelowWhatIsKnownIsNone) {
    EXPECT_EQ(clock_difference_ms(5000, 5100, 5200), 0);
    EXPECT_EQ(clock_difference_ms(5000, 5990, 6010), 0);
    EXPECT_EQ(clock_difference_ms(9000, 5100, 5200), 3800);
    EXPECT_EQ(clock_difference_ms(1000, 5100, 5200), -3101);
}

}  // namespace
}  // namespace walrus::client
