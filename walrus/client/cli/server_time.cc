#include "walrus/client/cli/server_time.h"

#include <time.h>

#include <ctime>

namespace walrus::client {

std::optional<std::int64_t> parse_http_date_ms(const std::string& date) {
    std::tm parts{};
    const char* end = ::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (end == nullptr || *end != '\0') return std::nullopt;
    return std::int64_t{::timegm(&parts)} * 1000;
}

std::int64_t clock_difference_ms(std::int64_t server_ms, std::int64_t before_ms,
                                 std::int64_t after_ms) {
    const std::int64_t latest = server_ms + 999;
    if (server_ms > after_ms) return server_ms - after_ms;
    if (latest < before_ms) return latest - before_ms;
    return 0;
}

}  // namespace walrus::client
