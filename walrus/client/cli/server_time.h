// What time a server says that it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace walrus::client {

// "Mon, 23 Nov 2026 18:47:29 GMT" in milliseconds since 1970; nothing when it is none.
std::optional<std::int64_t> parse_http_date_ms(const std::string& date);

// How far the server's clock is ahead of ours (behind: negative), when it said `server_ms`, cut to
// whole seconds, between `before_ms` and `after_ms` of our clock.  0: the two may well agree.
std::int64_t clock_difference_ms(std::int64_t server_ms, std::int64_t before_ms,
                                 std::int64_t after_ms);

}  // namespace walrus::client
