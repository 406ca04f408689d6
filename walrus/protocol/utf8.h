// Whether bytes are UTF-8 (RFC 3629).
#pragma once

#include <string_view>

namespace walrus::protocol {

// True when every sequence is complete, the shortest for its character, no surrogate and at most
// U+10FFFF.  The empty text is UTF-8.
bool is_utf8(std::string_view text);

}  // namespace walrus::protocol
