#include "walrus/base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace walrus {
namespace {

Error some_error() {
    return {Errc::kIo, "write: f at 0: Input/output error"};
}

TEST(Result, HoldsAValue) {
    Result<int> result = 7;
    ASSERT_TRUE(result);
    EXPECT_EQ(*result, 7);
    EXPECT_EQ(result.value_or(8), 7);
}

TEST(Result, HoldsAnError) {
    const Result<int> result = some_error();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::kIo);
    EXPECT_EQ(result.value_or(8), 8);
}

TEST(Result, CarriesValuesThatOnlyMove) {
    Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
    ASSERT_TRUE(result);
    const std::unique_ptr<int> moved = *std::move(result);
    EXPECT_EQ(*moved, 7);
}

TEST(Result, ReachesIntoItsValueWithAnArrow) {
    Result<std::string> result = std::string("abc");
    EXPECT_EQ(result->size(), 3u);
}

TEST(Status, IsFineByDefault) {
    EXPECT_TRUE(Status{});
}

TEST(Status, HoldsAnError) {
    const Status status = some_error();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().to_string(), "io: write: f at 0: Input/output error");
}

Status passes_on(Status inner, bool& went_on) {
    WALRUS_RETURN_IF_ERROR(std::move(inner));
    went_on = true;
    return {};
}

TEST(ReturnIfError, ReturnsTheErrorAndOnlyTheError) {
    bool went_on = false;
    EXPECT_EQ(passes_on(some_error(), went_on).error().code, Errc::kIo);
    EXPECT_FALSE(went_on);
    EXPECT_TRUE(passes_on({}, went_on));
    EXPECT_TRUE(went_on);
}

TEST(ErrcName, IsDifferentForEveryCode) {
    std::set<std::string_view> names;
    for (int code = 0; code <= static_cast<int>(Errc::kNotLeader); ++code) {
        EXPECT_TRUE(names.insert(errc_name(static_cast<Errc>(code))).second) << code;
    }
    EXPECT_FALSE(names.contains("unknown"));
}

TEST(ResultDeathTest, ReadingTheValueOfAnErrorAborts) {
    Result<int> result = some_error();
    EXPECT_DEATH(static_cast<void>(result.value()), "assertion failed");
}

TEST(ResultDeathTest, ReadingTheErrorOfAValueAborts) {
    const Result<int> result = 7;
    EXPECT_DEATH(static_cast<void>(result.error()), "assertion failed");
}

}  // namespace
}  // namespace walrus
