// How this program was built; what was not built for speed must not be quoted.
#pragma once

#include <string_view>

namespace walrus::harness {

// "" in a build without; otherwise "AddressSanitizer" or "ThreadSanitizer".
std::string_view build_sanitizer();
// The compiler was asked to optimise.
bool build_is_optimised();

}  // namespace walrus::harness
