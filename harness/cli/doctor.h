// The verb `doctor`: is this machine fit for measuring, and what should be done about it?
#pragma once

#include <string>
#include <vector>

#include "harness/cli/commands.h"
#include "harness/metrics/survey.h"

namespace walrus::harness {

enum class Health { kOk, kWarn, kFail };

struct Finding {
    std::string topic;
    Health health = Health::kOk;
    std::string what;
    std::string advice;  // What to do about it; "" when all is well.
};

// Judges what a survey found.  kFail: nothing can be measured here.
std::vector<Finding> diagnose(const MachineSurvey& survey);
// The drivers of this build; absent ones with the reason.
std::vector<Finding> diagnose_drivers(const Registry& registry);

// Surveys the machine and `data_directory`; kSetupFailed when a finding is kFail.
ExitCode doctor_command(const std::string& data_directory, const Registry& registry,
                        const Terminal& terminal);

}  // namespace walrus::harness
