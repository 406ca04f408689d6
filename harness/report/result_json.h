// RunResult and its parts as JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "harness/report/result.h"

namespace walrus::harness {

// Keys that a newer version added may be absent: their fields keep their defaults, so that older
// bundles stay readable.  from_json throws nlohmann::json::exception on a document of another
// shape; parse_result does not.
void to_json(nlohmann::json& json, const Histogram& histogram);
void from_json(const nlohmann::json& json, Histogram& histogram);
void to_json(nlohmann::json& json, const ActivityDelta& activity);
void from_json(const nlohmann::json& json, ActivityDelta& activity);
void to_json(nlohmann::json& json, const Verdict& verdict);
void from_json(const nlohmann::json& json, Verdict& verdict);
void to_json(nlohmann::json& json, const WriteFigures& figures);
void from_json(const nlohmann::json& json, WriteFigures& figures);
void to_json(nlohmann::json& json, const ReadFigures& figures);
void from_json(const nlohmann::json& json, ReadFigures& figures);
void to_json(nlohmann::json& json, const FloorResult& floor);
void from_json(const nlohmann::json& json, FloorResult& floor);
void to_json(nlohmann::json& json, const ReadBackFigures& figures);
void from_json(const nlohmann::json& json, ReadBackFigures& figures);
void to_json(nlohmann::json& json, const RunResult& result);
void from_json(const nlohmann::json& json, RunResult& result);

// kCorruption: not a document of this schema; the message says where.
Result<RunResult> parse_result(const std::string& text);

}  // namespace walrus::harness
