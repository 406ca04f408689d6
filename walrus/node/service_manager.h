// Tells a service manager (systemd, Type=notify) how the program is.
#pragma once

#include <string>
#include <string_view>

namespace walrus::node {

// Sends `state` ("READY=1") to the datagram socket at `path`, the value of NOTIFY_SOCKET; an '@'
// first stands for the abstract namespace.  An empty path is nobody.  False: it was not sent.
bool notify_service_manager(const std::string& path, std::string_view state);

}  // namespace walrus::node
