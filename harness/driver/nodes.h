// Nodes: the processes of a system under test, as something that can be broken and brought back.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/base/result.h"

namespace walrus::harness {

// Which nodes are meant; on one node all of them mean that node, but for kFollower, which is none.
enum class Role {
    kLeader,      // Of the first topic.
    kFollower,    // Every other one that holds the first topic.
    kController,  // Who decides on metadata.
    kAll,
};
// "leader", "follower", "controller", "all".
std::string_view role_name(Role role);
inline constexpr Role kRoles[] = {Role::kLeader, Role::kFollower, Role::kController, Role::kAll};

struct NodeFacts {
    std::string name;     // "n1".
    pid_t pid = 0;        // 0: it was never started.
    std::string data;     // Directory of everything it keeps; nothing else is in there.
    std::string log;      // What it says, of all its lives.
    std::string address;  // Where clients find it; the same in all its lives.
};

// Used by one thread, the one that opened the system: its processes end with that thread.  Faults
// act on the processes and files from outside; here is only what the system's own way is.
class Nodes {
public:
    virtual ~Nodes() = default;

    virtual std::uint32_t count() const = 0;
    virtual NodeFacts facts(std::uint32_t node) const = 0;
    // Starts it on what is in its data directory, at its old address; returns at once.  A process
    // of it that still runs is killed.
    virtual Status start(std::uint32_t node) = 0;
    // Returns when it answers clients.  kTimeout: not in time; kClosed: it ended, with its last
    // words.
    virtual Status wait_ready(std::uint32_t node, std::uint64_t timeout_ms) = 0;
    // Who has the role now; may be nobody.
    virtual Result<std::vector<std::uint32_t>> find(Role role) = 0;
};

}  // namespace walrus::harness
