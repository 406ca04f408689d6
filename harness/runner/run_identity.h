// Names and times of a run.
#pragma once

#include <string>
#include <string_view>

#include "walrus/base/random.h"

namespace walrus::harness {

// "2026-01-31T12:00:00Z".
std::string utc_now();
// RFC 4122, version 4.
std::string make_uuid(Random& random);
// Letters, digits, dots and single dashes: "appends-10-writers".
std::string as_file_name(std::string_view text);

}  // namespace walrus::harness
