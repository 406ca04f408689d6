// Scenarios and their parts as JSON, for bundles and for jobs given to child processes.
#pragma once

#include <nlohmann/json.hpp>

#include "harness/scenario/scenario.h"

namespace walrus::harness {

// from_json throws nlohmann::json::exception on a document of another shape; callers that read
// documents of others catch it at their edge.
void to_json(nlohmann::json& json, const Workload& workload);
void from_json(const nlohmann::json& json, Workload& workload);
void to_json(nlohmann::json& json, const SystemSpec& system);
void from_json(const nlohmann::json& json, SystemSpec& system);
void to_json(nlohmann::json& json, const Row& row);
void from_json(const nlohmann::json& json, Row& row);
void to_json(nlohmann::json& json, const Scenario& scenario);
void from_json(const nlohmann::json& json, Scenario& scenario);

}  // namespace walrus::harness
