// The page at / of the admin server: one file without anything from elsewhere.
#pragma once

#include <string_view>

namespace walrus::node {

std::string_view status_page();

}  // namespace walrus::node
