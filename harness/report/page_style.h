// The style sheet of report.html.
#pragma once

#include <string_view>

namespace walrus::harness {

std::string_view page_style();

}  // namespace walrus::harness
