// The JSON Schema of result.json, as built into the program: results/walrus.bench.v1.schema.json.
#pragma once

#include <string_view>

namespace walrus::harness {

std::string_view result_schema();

}  // namespace walrus::harness
