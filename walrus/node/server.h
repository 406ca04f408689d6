// Server: a whole node in one process: storage, the doors of both protocols,
// admin.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "walrus/base/result.h"
#include "walrus/net/asio_loop.h"
#include "walrus/node/config.h"

namespace walrus::node {

// Host and port on which a door is open; port 0: it is shut.
struct OpenPort {
    std::string host;
    std::uint16_t port = 0;

    std::string text() const;  // "127.0.0.1:8080" or "off"
};

struct OpenPorts {
    OpenPort client;
    OpenPort kafka;
    OpenPort admin;
};

// Both on the loop.
struct ServerEvents {
    // Once, when clients may come.
    std::function<void()> ready = {};
    // It cannot go on: the process must end.
    std::function<void(const Error&)> failed = {};
};

class Server {
public:
    // Recovers what is stored and opens the doors; on the loop's thread, before
    // it runs. kBusy: the data directory or a port is in use.  kIo, kNoSpace,
    // kCorruption, kUnsupported: the data directory.  kInvalidArgument: the
    // configuration asks for what cannot be.  Of a cluster also kAlreadyExists: the node's id or
    // directory is in use; kTimeout: nobody took it in.
    static Result<std::unique_ptr<Server>> start(const ResolvedConfig& config, net::AsioLoop& loop,
                                                 ServerEvents events);
    // Stops at once: what is not acknowledged is as unknown as after a kill.
    virtual ~Server() = default;

    virtual const OpenPorts& ports() const = 0;

    // Takes nothing new, answers what is in hand, for shutdown_timeout_ms at
    // most; then syncs and closes the storage and calls `done` with what came of
    // that.
    virtual void shut_down(std::function<void(Status)> done) = 0;
};

}  // namespace walrus::node
