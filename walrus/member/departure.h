// Departure: a member gives away what it leads before it stops, and is a full member again when it
// starts.
//
// It drains itself, so that its segments roll over to other leaders, waits for that, and hands the
// metadata over.  The member file remembers that the draining was for a stop and not an operator's.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "walrus/cluster/cluster_state.h"
#include "walrus/member/member.h"
#include "walrus/member/raft_host.h"

namespace walrus::member {

// All on the loop.
class Departure {
public:
    // What it needs of the member; all outlive it.
    struct Parts {
        const cluster::ClusterState& state;
        RaftHost& raft;
        cluster::LeaderId self;
        std::function<void(cluster::CommandBody, ProposeCallback)> propose;
        // Remembers, durably and soon, whether this node is drained for a stop.
        std::function<void(bool)> note_drained;
    };
    // `drained`: an earlier run was, for its stop.
    Departure(Parts parts, bool drained) : parts_(std::move(parts)), was_drained_(drained) {}

    // `done` is told when nothing is led here any more, or it will not come to that.
    void begin(std::uint64_t deadline_ms, std::function<void(Status)> done);
    // Goes on with it; undoes an earlier run's draining once this run is registered.
    void tick(std::uint64_t now_ms, bool registered);

private:
    bool leads_segments() const;
    bool others_live() const;
    void set_state(cluster::NodeState state);
    void finish(const Status& status);

    const Parts parts_;
    bool was_drained_;
    bool proposed_ = false;
    std::uint64_t deadline_ms_ = 0;
    std::vector<std::function<void(Status)>> done_;  // Empty: it has not begun.
};

}  // namespace walrus::member
