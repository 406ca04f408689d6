#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "harness/report/charts.h"
#include "harness/report/figures.h"
#include "harness/report/html.h"
#include "harness/report/result_json.h"
#include "harness/report/sample_result.h"
#include "harness/report/svg.h"

namespace walrus::harness {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

std::string page_of(const RunResult& result) {
    return render_html(result, summarise(result));
}

std::vector<std::string> all_matches(const std::string& text, const std::string& pattern) {
    const std::regex regex(pattern);
    std::vector<std::string> found;
    for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) {
        found.push_back((*it)[1]);
    }
    return found;
}

TEST(Page, IsSelfContained) {
    const std::string page = page_of(sample_result());
    EXPECT_THAT(page, Not(HasSubstr("<script")));
    EXPECT_THAT(page, Not(HasSubstr("http:")));
    EXPECT_THAT(page, Not(HasSubstr("https:")));
    EXPECT_THAT(page, Not(HasSubstr("@import")));
    EXPECT_THAT(page, HasSubstr("prefers-color-scheme: dark"));
}

TEST(Page, TheSameResultGivesTheSameBytes) {
    EXPECT_EQ(page_of(sample_result()), page_of(sample_result()));
}

TEST(Page, TextIsEscaped) {
    const std::string page = page_of(sample_result());
    EXPECT_THAT(page, HasSubstr("Small &lt;sample&gt; &amp; more"));
    EXPECT_THAT(page, Not(HasSubstr("<sample>")));
}

TEST(Page, EveryChartNamesItsDurabilityClass) {
    const auto titles = all_matches(page_of(sample_result()), "<figcaption><b>([^<]*)</b>");
    ASSERT_EQ(titles.size(), 4u);
    for (const std::string& title : titles) EXPECT_THAT(title, HasSubstr("class disk"));
}

TEST(Page, EveryMarkedNumberLeadsToItsFigureAndItsRawPlace) {
    const RunResult result = sample_result(5);
    const json raw = result;
    const json figures = figures_json(result, summarise(result));
    const std::string page = page_of(result);
    const auto pointers = all_matches(page, "data-figure=\"([^\"]*)\"");
    EXPECT_GT(pointers.size(), 25u);
    for (const std::string& pointer : pointers) {
        EXPECT_TRUE(figures.contains(json::json_pointer(pointer))) << pointer;
    }
    for (std::string source : all_matches(page, "data-source=\"([^\"]*)\"")) {
        source = std::regex_replace(source, std::regex("\\*"), "0");
        EXPECT_TRUE(raw.contains(json::json_pointer(source))) << source;
    }
}

TEST(Page, MarkedValuesAreThoseOfTheFigures) {
    const RunResult result = sample_result(5);
    const json figures = figures_json(result, summarise(result));
    const std::string page = page_of(result);
    const std::regex cell("data-figure=\"([^\"]*)\"[^>]* data-value=\"([^\"]*)\"");
    int compared = 0;
    for (std::sregex_iterator it(page.begin(), page.end(), cell), end; it != end; ++it) {
        const json& figure = figures.at(json::json_pointer((*it)[1]));
        EXPECT_DOUBLE_EQ(figure.at("value").get<double>(), std::stod((*it)[2])) << (*it)[1];
        ++compared;
    }
    EXPECT_GT(compared, 10);
}

TEST(Page, RowsWithoutFiguresDrawNothing) {
    RunResult result = sample_result();
    result.rows[0].systems[0].skipped = "not in this build";
    result.rows[0].systems[0].repetitions.clear();
    for (Repetition& r : result.rows[0].systems[1].repetitions) r.error = "crashed";
    const std::string page = page_of(result);
    EXPECT_THAT(page, Not(HasSubstr("<figure")));
    EXPECT_THAT(page, HasSubstr("not in this build"));
    EXPECT_THAT(page, HasSubstr("repetitions failed: crashed"));
}

TEST(Page, ViolationsAndInterruptionsAreAtTheTop) {
    RunResult result = sample_result();
    result.complete = false;
    result.rows[0].systems[0].repetitions[0].read_back.verdict.anomalies[0] = {
        .count = 1, .examples = {"writer 0 record 5"}};
    const std::string page = page_of(result);
    EXPECT_THAT(page, HasSubstr("<p class=\"notice alarm\">SAFETY VIOLATION"));
    EXPECT_THAT(page, HasSubstr("<p class=\"notice alarm\">INCOMPLETE"));
}

// --- drawing ---

TEST(Scale, MapsBothKindsAndClamps) {
    const Scale linear = {.low = 0, .high = 10, .from = 100, .to = 0};
    EXPECT_DOUBLE_EQ(linear.at(5), 50);
    EXPECT_DOUBLE_EQ(linear.at(20), 0);
    const Scale decades = {.low = 1, .high = 100, .from = 0, .to = 10, .logarithmic = true};
    EXPECT_DOUBLE_EQ(decades.at(10), 5);
    EXPECT_DOUBLE_EQ(decades.at(0), 0);
    EXPECT_DOUBLE_EQ((Scale{.low = 3, .high = 3, .from = 7, .to = 9}.at(3)), 7);
}

TEST(Ticks, AreRoundNumbers) {
    EXPECT_EQ(linear_ticks(0, 100, 5), (std::vector<double>{0, 20, 40, 60, 80, 100}));
    EXPECT_EQ(linear_ticks(5, 5, 5), std::vector<double>{5});
    EXPECT_EQ(logarithmic_ticks(1, 1000), (std::vector<double>{1, 10, 100, 1000}));
    EXPECT_EQ(logarithmic_ticks(1, 10), (std::vector<double>{1, 2, 5, 10}));
}

TEST(WithSigns, PutsSignsWherePlainTextHasLetters) {
    EXPECT_EQ(with_signs("131 us"), "131 \u00b5s");
    EXPECT_EQ(with_signs("1.64x [1.39-3.03]"), "1.64\u00d7 [1.39\u20133.03]");
    EXPECT_EQ(with_signs("4.0x"), "4.0\u00d7");
    EXPECT_EQ(with_signs("-61/+26 %"), "-61/+26 %");
    EXPECT_EQ(with_signs("box"), "box");
}

}  // namespace
}  // namespace walrus::harness
