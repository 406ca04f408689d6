#include "walrus/client/address.h"

#include <charconv>

namespace walrus::client {
namespace {

constexpr std::string_view kThisMachine = "127.0.0.1";

Error refuse(std::string_view text, std::string_view why) {
    return {Errc::kInvalidArgument,
            "address \"" + std::string(text) + "\": " + std::string(why) + "; write host:port"};
}

bool parse_port(std::string_view text, std::uint16_t& port) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, port);
    return error == std::errc{} && stop == end && port != 0;
}

}  // namespace

std::string Address::to_string() const {
    const bool bracketed = host.find(':') != std::string::npos;
    return (bracketed ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Address> parse_address(std::string_view text, std::uint16_t default_port) {
    std::string_view host = text;
    std::string_view port;
    bool has_port = false;
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos) return refuse(text, "a ']' is missing");
        host = text.substr(1, close - 1);
        const std::string_view rest = text.substr(close + 1);
        if (!rest.empty() && rest[0] != ':') return refuse(text, "a ':' is missing after the ']'");
        has_port = !rest.empty();
        port = has_port ? rest.substr(1) : rest;
    } else if (const std::size_t colon = text.rfind(':'); colon != std::string_view::npos) {
        if (text.find(':') != colon) return refuse(text, "an IPv6 address needs [brackets]");
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
        has_port = true;
    }
    Address address{.host = std::string(host.empty() ? kThisMachine : host), .port = default_port};
    if (text.empty()) return refuse(text, "it is empty");
    if (address.host.find_first_of(" \t\n/") != std::string::npos)
        return refuse(text, "a host has no white space and no '/'");
    if (has_port && !parse_port(port, address.port))
        return refuse(text, "the port is a number from 1 to 65535");
    return address;
}

Result<std::vector<Address>> parse_addresses(std::string_view text, std::uint16_t default_port) {
    std::vector<Address> addresses;
    while (true) {
        const std::size_t comma = text.find(',');
        auto address = parse_address(text.substr(0, comma), default_port);
        if (!address) return std::move(address).error();
        addresses.push_back(std::move(*address));
        if (comma == std::string_view::npos) return addresses;
        text.remove_prefix(comma + 1);
    }
}

}  // namespace walrus::client
