// The server's admin port: HTTP with small documents.
#pragma once

#include <cstdint>
#include <string>

#include "walrus/base/result.h"
#include "walrus/client/address.h"

namespace walrus::client {

struct HttpAnswer {
    int status = 0;
    std::string body;
    std::string date;  // The header; "" when the server sends none.
};

// kClosed: nobody listens there.  kTimeout: no answer in time.  Any status is an answer.
Result<HttpAnswer> http_get(const Address& address, const std::string& path,
                            std::uint32_t timeout_ms);

}  // namespace walrus::client
