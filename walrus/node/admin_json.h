// How the admin server's answers become text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace walrus::node {

// With a line's end, for people with curl; what is no UTF-8 is replaced.
inline std::string json_document(const nlohmann::ordered_json& json) {
    constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
    return json.dump(2, ' ', false, kReplace) + "\n";
}

}  // namespace walrus::node
