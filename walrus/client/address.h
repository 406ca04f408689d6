// Where a server listens, as people write it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/base/result.h"

namespace walrus::client {

// Of walrusd.
inline constexpr std::uint16_t kDefaultTextPort = 8080;
inline constexpr std::uint16_t kDefaultKafkaPort = 9092;
inline constexpr std::uint16_t kDefaultAdminPort = 9090;

struct Address {
    std::string host;
    std::uint16_t port = 0;

    // "127.0.0.1:8080", "[::1]:8080".
    std::string to_string() const;
    friend bool operator==(const Address&, const Address&) = default;
};

// "host:port", "host", ":port" (this machine), "[::1]:port"; a port that is not written is
// `default_port`.  kInvalidArgument says what is wrong with the text.
Result<Address> parse_address(std::string_view text, std::uint16_t default_port);

// Addresses with commas between them, at least one.
Result<std::vector<Address>> parse_addresses(std::string_view text, std::uint16_t default_port);

}  // namespace walrus::client
