// Controller: keeps the cluster as it should be, on the node that leads the metadata log.
//
// It finds nodes that are silent or came back as another incarnation, takes segments from dead
// leaders and seals them, has missing copies made, and applies retention.  It only proposes
// comparing commands, so a controller that does not know of its successor yet can do no harm.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "walrus/cluster/cluster_state.h"
#include "walrus/cluster/output.h"
#include "walrus/cluster/seal_coordinator.h"

namespace walrus::cluster {

struct ControllerOptions {
    std::uint32_t suspect_ticks = 10;   // A node that is silent for so long is taken for dead.
    std::uint32_t propose_ticks = 5;    // An unanswered proposal is made again after so many.
    std::uint32_t monitor_ticks = 100;  // Repair and retention.
    std::uint32_t restart_ticks = 200;  // A seal that makes no end begins anew.
    CoordinatorOptions coordinator = {};
};

// One thread at a time.  `state` must outlive it; the driver applies commands to it between calls.
class Controller {
public:
    Controller(const ControllerOptions& options, NodeId self, const ClusterState& state);

    // This node leads the metadata log, or no longer.  A new controller gives every node the time
    // to be heard, and takes over unfinished seals with an epoch of its own.
    void set_active(bool active);
    bool active() const { return active_; }

    void heard(NodeId node, const NodeHeartbeat& heartbeat);
    // The topic changed.
    void update(TopicId topic, Output& out);
    void tick(std::uint64_t wall_ms, Output& out);
    void on(NodeId from, const FenceReply& reply, Output& out);
    void on(NodeId from, const AppendReply& reply, Output& out);
    void on(NodeId from, const ReadReply& reply, Output& out);

    // Segments that cannot be sealed without an operator, for the alarm; and what could be kept.
    std::map<SegmentKey, SealCoordinator::Found> stuck() const;

private:
    struct Running {
        SealCoordinator coordinator;
        std::uint64_t since;  // Tick.
    };

    bool due(std::uint64_t every) const { return ticks_ % every == 0; }
    bool silent(NodeId node) const;
    void watch_nodes(Output& out);
    void watch_segments(std::uint64_t wall_ms, Output& out);
    void watch_open(const Topic& topic, Output& out) const;
    void run_seal(const Topic& topic, std::uint64_t wall_ms, Output& out);
    void start_seal(const Topic& topic, Output& out);
    void propose_seal(const Topic& topic, const SealCoordinator::Found& found,
                      std::uint64_t wall_ms, Output& out) const;
    void repair(const Topic& topic, const Segment& segment, Output& out) const;
    template <class Reply>
    void pass_on(NodeId from, const Reply& reply, Output& out);

    ControllerOptions options_;
    NodeId self_;
    const ClusterState& state_;
    bool active_ = false;
    Index active_since_ = 0;  // Seals that began later are this controller's (or as good as).
    std::uint64_t ticks_ = 0;
    struct Heard {
        BootId boot = 0;
        std::uint64_t tick = 0;
    };
    std::map<NodeId, Heard> heard_;
    std::map<SegmentKey, Running> seals_;
};

}  // namespace walrus::cluster
