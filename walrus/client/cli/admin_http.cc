#include "walrus/client/cli/admin_http.h"

#include <httplib.h>

namespace walrus::client {
namespace {

Error http_error(httplib::Error code, const Address& address) {
    const std::string what = "http://" + address.to_string() + ": " + httplib::to_string(code);
    switch (code) {
        case httplib::Error::Connection:
        case httplib::Error::BindIPAddress: return {Errc::kClosed, what};
        case httplib::Error::ConnectionTimeout:
        case httplib::Error::Read: return {Errc::kTimeout, what};
        default: return {Errc::kIo, what};
    }
}

}  // namespace

Result<HttpAnswer> http_get(const Address& address, const std::string& path,
                            std::uint32_t timeout_ms) {
    httplib::Client client(address.host, address.port);
    const auto seconds = static_cast<time_t>(timeout_ms / 1000);
    const auto microseconds = static_cast<time_t>(timeout_ms % 1000 * 1000);
    client.set_connection_timeout(seconds, microseconds);
    client.set_read_timeout(seconds, microseconds);
    client.set_write_timeout(seconds, microseconds);
    const httplib::Result result = client.Get(path.c_str());
    if (!result) return http_error(result.error(), address);
    return HttpAnswer{
        .status = result->status, .body = result->body, .date = result->get_header_value("Date")};
}

}  // namespace walrus::client
