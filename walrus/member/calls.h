// Calls: questions between the nodes of a cluster, each answered at most once.
//
//   frame   kind u8 (0 question, 1 answer, 2 nobody answers here) | id u64 | bytes
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "walrus/base/result.h"
#include "walrus/member/member.h"

namespace walrus::member {

// All on the loop.
class Calls {
public:
    // Ids go on from `first_id`, which is drawn at random: a late answer to an earlier run of this
    // node then finds nobody.  `transport` outlives it.
    Calls(cluster::NodeId self, std::uint64_t first_id, net::Transport& transport)
        : self_(self), next_id_(first_id), transport_(transport) {}

    void set_handler(ClusterMember::CallHandler handler) { handler_ = std::move(handler); }
    void call(cluster::NodeId to, std::string request, std::uint64_t deadline_ms,
              CallCallback done);
    // kCorruption: no frame of this room.
    Status receive(net::PeerId from, std::string_view frame);
    // Gives up what was not answered in time.
    void tick(std::uint64_t now_ms);

private:
    struct Open {
        cluster::NodeId to;
        std::uint64_t deadline_ms;
        CallCallback done;
    };

    void handle(cluster::NodeId from, std::uint64_t id, std::string_view request);
    void finish(std::uint64_t id, cluster::NodeId from, Result<std::string> answer);

    const cluster::NodeId self_;
    std::uint64_t next_id_;
    net::Transport& transport_;
    ClusterMember::CallHandler handler_;
    std::map<std::uint64_t, Open> open_;
    std::multimap<std::uint64_t, std::uint64_t> deadlines_;  // Ids; also of answered calls.
    // Answers may come when this is gone.
    std::shared_ptr<Calls*> alive_ = std::make_shared<Calls*>(this);
};

}  // namespace walrus::member
