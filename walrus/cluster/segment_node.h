// SegmentNode: everything one node does for segments, as a pure state machine.
//
// It owns the copies, the segments this incarnation leads, the copying of repairs, and the
// controller.  No clock, thread, disk or socket: inputs are calls, effects leave as Output.
//
// The driver's loop:
//
//   step(message), tick(wall_ms), append(...), persisted(key, ticket), read_done(...), ...
//   state.apply(index, entry)        the driver's ClusterState, then at once:
//   metadata_changed(result.topic)   (metadata_replaced() after a snapshot, and once at the start)
//   Output out = take_output()
//       send(out.messages)            at once; losing, delaying, repeating them is allowed
//       out.writes                    each segment's in order; a crash keeps a prefix;
//                                     then persisted(key, ticket) or write_failed(key)
//       out.reads                     then read_done()
//       out.proposals                 to the metadata log with a fresh CommandId each; may be lost
//       out.appends, out.reads_done   to who asked
//
// Promises this rests on: what persisted() reports survives as its Durability says, a segment's
// writes survive in order, and a disk id never comes back without what was persisted under it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "walrus/cluster/cluster_state.h"
#include "walrus/cluster/controller.h"
#include "walrus/cluster/output.h"
#include "walrus/cluster/replica.h"
#include "walrus/cluster/segment_leader.h"

namespace walrus::cluster {

struct SegmentNodeOptions {
    NodeId id = kNobody;
    BootId boot = 0;
    DiskId disk = 0;
    std::uint32_t heartbeat_ticks = 1;
    // Copies that are not what the metadata says are looked for, and open segments with fewer live
    // copies than there could be are rolled over.
    std::uint32_t heal_ticks = 50;
    std::uint32_t propose_ticks = 5;  // An unanswered proposal is made again after so many.
    // A rollover that does not drain in this time gives the segment up to the controller.
    std::uint32_t drain_ticks = 50;
    LeaderOptions leader = {};
    ControllerOptions controller = {};
};

// One thread at a time.  `state` must outlive it.
class SegmentNode {
public:
    // `restored`: every copy that the store found.
    SegmentNode(const SegmentNodeOptions& options, const ClusterState& state,
                std::map<SegmentKey, RestoredReplica> restored);

    void metadata_changed(TopicId topic);
    void metadata_replaced();
    // This node leads the metadata log, or no longer.
    void set_controller(bool active) { controller_.set_active(active); }

    void step(const Message& message);
    // One unit of time passed.
    void tick(std::uint64_t wall_ms);
    void persisted(const SegmentKey& key, std::uint64_t ticket);
    void write_failed(const SegmentKey& key);
    void read_done(DiskReadDone done);

    // Answered by an AppendDone with `request`.
    void append(std::uint64_t request, TopicId topic, Batch batch);
    // Is there anything beyond the high watermark?  Answered by a ReadDone with `request`.
    void confirm_read(std::uint64_t request, TopicId topic);

    bool has_output() const { return !out_.empty(); }
    Output take_output();

    // One past the last record of this copy that consumers may read; 0 without a copy.
    std::uint64_t readable_length(const SegmentKey& key) const;
    const Replica* replica(const SegmentKey& key) const;
    const SegmentLeader* leader(TopicId topic) const;
    const Controller& controller() const { return controller_; }

private:
    // A segment that this incarnation leads.
    struct Reign {
        SegmentKey key;
        std::optional<SegmentLeader> leader;  // Nothing until the producers' state is known.
        std::size_t asked = 0;                // Holders of the predecessor that were asked.
        std::uint64_t stopped_at = 0;         // Tick; 0: it admits.
        std::uint32_t thin_ticks = 0;         // So long the next segment would have more copies.
    };

    // What a message does, by its type.
    void handle(NodeId from, const AppendRequest& body);
    void handle(NodeId from, const AppendReply& body);
    void handle(NodeId from, const FenceRequest& body);
    void handle(NodeId from, const FenceReply& body);
    void handle(NodeId from, const ReadRequest& body);
    void handle(NodeId from, const ReadReply& body);
    void handle(NodeId from, const ConfirmRequest& body);
    void handle(NodeId from, const ConfirmReply& body);
    void handle(NodeId from, const ProducersRequest& body);
    void handle(NodeId from, const ProducersReply& body);
    void handle(NodeId from, const NodeHeartbeat& body);
    void handle(NodeId from, const CopyRequest& body);

    // Steps what this node says to itself until it has nothing more to say.
    void settle();
    void send(NodeId to, MessageBody body);
    Replica* find_replica(const SegmentKey& key);
    SegmentLeader* find_leader(const SegmentKey& key);
    bool is_member(const Segment& segment) const;

    // node_metadata.cc
    void update_topic(TopicId id);
    void update_copy(TopicId topic, const Segment& segment);
    void create_copy(TopicId topic, const Segment& segment);
    void remove_copy(const SegmentKey& key);
    bool is_up_to_date() const;
    bool is_unwanted(const SegmentKey& key) const;
    void drop_copies(TopicId topic);
    void update_reign(const Topic& topic);
    void load_producers(Reign& reign, const Topic& topic);
    void begin_reign(Reign& reign, ProducerTable producers);
    void finish_copies(TopicId topic);

    // node_tick.cc
    void tick_reign(Reign& reign, std::uint64_t wall_ms);
    void propose_rollover(const Reign& reign, const Topic& topic, std::uint64_t wall_ms);
    bool is_hopeless(const TailCopier& copier, const Segment& segment) const;
    void tick_copies();
    void heal_copies();

    SegmentNodeOptions options_;
    ReplicaId self_;
    const ClusterState& state_;
    std::map<SegmentKey, RestoredReplica> restored_;  // Not yet explained by the metadata.
    std::map<SegmentKey, Replica> replicas_;
    std::map<SegmentKey, std::uint64_t> removing_;  // Last tickets of copies that are going.
    std::map<TopicId, Reign> reigns_;
    std::map<SegmentKey, TailCopier> copies_;  // Repairs of this node's own copies.
    Controller controller_;
    Output out_;
    std::uint64_t ticks_ = 0;
    bool swept_ = false;  // Since this run is registered.
};

}  // namespace walrus::cluster
