// Base64 (RFC 4648) for bytes that are no UTF-8, in JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace walrus::client {

std::string base64_encode(std::string_view bytes);
// Nothing when it is none, padding included.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace walrus::client
