// AdminServer: HTTP for operators: health, metrics, JSON and a status page.
//
//   GET /livez /readyz[?verbose] /healthz     /metrics     /
//   GET /v1/node /v1/topics /v1/topics/{t} /v1/topics/{t}/messages?partition&offset&limit
//   GET /v1/groups /v1/config /v1/version
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "walrus/base/result.h"
#include "walrus/node/admin_source.h"

namespace walrus::node {

// Has a thread of its own, which never touches the server's state: it asks the loop and waits, a
// few seconds at most (503).
class AdminServer {
public:
    // Listens; port 0 for any.  kBusy: the port is in use.
    static Result<std::unique_ptr<AdminServer>> listen(const std::string& host, std::uint16_t port);
    // Waits for the requests in hand; the loop need not run.
    virtual ~AdminServer() = default;

    virtual std::uint16_t port() const = 0;
    // From now on requests are answered, out of `source`, which is used on its loop only and
    // outlives this.  Once.
    virtual void serve(const AdminSource& source) = 0;
    // What comes from now on is answered with 503, without the loop.
    virtual void leave_loop() = 0;
};

}  // namespace walrus::node
