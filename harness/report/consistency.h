// What must hold between the raw figures of a result, whoever wrote them.
#pragma once

#include <string>
#include <vector>

#include "harness/report/result.h"

namespace walrus::harness {

// Contradictions within the raw figures, each with its JSON pointer into result.json: a histogram
// that counts other appends than were made, a series that does not add up to the records, a
// minimum outside its bucket.  Empty when there are none.
std::vector<std::string> contradictions(const RunResult& result);

}  // namespace walrus::harness
