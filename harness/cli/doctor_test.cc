#include "harness/cli/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/driver/null_driver.h"
#include "harness/driver/scratch_directory.h"

namespace walrus::harness {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kGiB = 1 << 30;

MachineSurvey fit_machine() {
    MachineSurvey survey;
    survey.host = {{"clock", "time stamp counter"},
                   {"cpu_governor", "performance"},
                   {"device_write_cache", "write back"},
                   {"file_system", "ext4"},
                   {"pressure_stall_information", "yes"}};
    survey.data_directory = "/data";
    survey.free_bytes = 50 * kGiB;
    survey.total_bytes = 100 * kGiB;
    survey.flushes_counted = true;
    survey.can_drop_caches = true;
    survey.floor.overwrite_ns.record(100'000);
    survey.floor.append_ns.record(200'000);
    return survey;
}

Finding find(const std::vector<Finding>& findings, const std::string& topic) {
    const auto found = std::ranges::find(findings, topic, &Finding::topic);
    return found == findings.end() ? Finding{} : *found;
}

void expect_warning(const MachineSurvey& survey, const std::string& topic,
                    const std::string& what) {
    const Finding found = find(diagnose(survey), topic);
    EXPECT_EQ(found.health, Health::kWarn) << topic;
    EXPECT_THAT(found.what, HasSubstr(what));
    EXPECT_FALSE(found.advice.empty()) << topic;
}

TEST(Doctor, AFitMachineHasNothingToBeTold) {
    for (const Finding& found : diagnose(fit_machine())) {
        if (found.topic == "build") continue;  // Of this test program, possibly with a sanitizer.
        EXPECT_EQ(found.health, Health::kOk) << found.topic << ": " << found.what;
        EXPECT_EQ(found.advice, "") << found.topic;
        EXPECT_NE(found.what, "") << found.topic;
    }
}

TEST(Doctor, EachWeaknessIsAWarningWithAdvice) {
    MachineSurvey survey = fit_machine();
    survey.host["clock"] = "clock_gettime(CLOCK_MONOTONIC)";
    survey.host["cpu_governor"] = "powersave";
    survey.host["device_write_cache"] = "unknown";
    survey.host["file_system"] = "tmpfs";
    survey.host["pressure_stall_information"] = "no";
    survey.neighbours = "other processes used 80 % of a processor";
    survey.io_uring_error = "Operation not permitted";
    survey.direct_error = "Invalid argument";
    survey.can_drop_caches = false;
    survey.flushes_counted = false;
    survey.free_bytes = kGiB;
    survey.floor = {};
    survey.floor.overwrite_ns.record(900);
    survey.floor.append_ns.record(1'000);
    expect_warning(survey, "clock", "clock_gettime");
    expect_warning(survey, "frequency", "powersave");
    expect_warning(survey, "write cache", "unknown");
    expect_warning(survey, "data directory", "tmpfs");
    expect_warning(survey, "pressure", "no pressure stall");
    expect_warning(survey, "neighbours", "80 %");
    expect_warning(survey, "io_uring", "not permitted");
    expect_warning(survey, "O_DIRECT", "Invalid argument");
    expect_warning(survey, "page cache", "single files");
    expect_warning(survey, "device", "not visible");
    expect_warning(survey, "space", "nearly full");
    expect_warning(survey, "floor", "nearly free");
}

TEST(Doctor, ADirectoryThatCannotBeWrittenIsFatal) {
    MachineSurvey survey = fit_machine();
    survey.directory_error = "cannot open /data/x: Permission denied";
    const auto findings = diagnose(survey);
    EXPECT_EQ(find(findings, "data directory").health, Health::kFail);
    EXPECT_EQ(find(findings, "floor").topic, "");  // Nothing more is claimed.
}

TEST(Doctor, ADiskWithoutAnyDurableWriteIsFatal) {
    MachineSurvey survey = fit_machine();
    survey.floor = {};
    survey.floor_error = "cannot sync: Input/output error";
    const Finding found = find(diagnose(survey), "floor");
    EXPECT_EQ(found.health, Health::kFail);
    EXPECT_THAT(found.what, HasSubstr("Input/output error"));
}

TEST(Doctor, AbsentDriversAreNamedWithTheReason) {
    Registry registry;
    registry.add(make_null_driver());
    registry.add_absent("ghost", "needs libghost");
    const auto findings = diagnose_drivers(registry);
    EXPECT_EQ(find(findings, "driver null").health, Health::kOk);
    EXPECT_EQ(find(findings, "driver ghost").health, Health::kWarn);
    EXPECT_EQ(find(findings, "driver ghost").what, "absent: needs libghost");
}

TEST(Doctor, TheSurveyOfThisMachineLeavesNothingBehind) {
    const ScratchDirectory directory;
    const MachineSurvey survey = survey_machine(directory.path(), machine_clock());
    EXPECT_EQ(survey.directory_error, "");
    EXPECT_GT(survey.total_bytes, 0u);
    EXPECT_GT(survey.floor.append_ns.count(), 0u);
    EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(Doctor, ASurveyOfNowhereSaysSo) {
    EXPECT_THAT(survey_machine("/nowhere/at/all", machine_clock()).directory_error,
                HasSubstr("/nowhere/at/all"));
}

}  // namespace
}  // namespace walrus::harness
