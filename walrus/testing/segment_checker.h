// SegmentChecker: watches the segments of all simulated nodes and says when a promise is broken.
//
// It has its own view of every disk: a write counts when the disk has reported it, whatever the
// machines believe.  From that it checks invariants I1 to I12 (spec/invariants.md) at every step
// that touches them: at each answer between nodes, each acknowledgement, each applied command and
// each restart.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "walrus/testing/sim_segments.h"

namespace walrus::testing {

class SegmentChecker {
public:
    void restored(cluster::ReplicaId self,
                  const std::map<cluster::SegmentKey, cluster::RestoredReplica>& copies);
    void submitted(cluster::ReplicaId self, const cluster::DiskWrite& write);
    void durable(cluster::ReplicaId self, const replica_store::Done& done);
    void sent(const SimSegments& node, const cluster::Message& message);
    // The node applied a command that meant `topic`; 0: several, or a snapshot.
    void applied(const SimSegments& node, cluster::TopicId topic);
    void acknowledged(const SimSegments& node, const cluster::AppendDone& done);
    // A consumer was given [.., end) of the topic.
    void read(const SimSegments& node, cluster::TopicId topic, Offset end);
    // A disk is gone for ever; what it had answered for before was true then.
    void lost_disk(cluster::NodeId node);

    cluster::Index newest_index() const { return newest_index_; }
    bool is_lost(cluster::NodeId node) const { return lost_.contains(node); }
    const std::optional<std::string>& violation() const { return violation_; }
    std::uint64_t acknowledgements() const { return acknowledgements_; }
    std::uint64_t sealed() const { return sealed_.size(); }
    void fail(const std::string& what);

private:
    // What a disk is known to hold of one copy.
    struct State {
        std::uint64_t length = 0;
        std::uint64_t promised = 0;
        bool exists = false;
    };
    struct Pending {
        std::uint64_t ticket;
        State after;
    };
    struct Disk {
        State durable;
        State written;  // With everything submitted.
        std::deque<Pending> pending;
    };
    struct Sealed {
        cluster::Mark content;
        cluster::Index version = 0;
    };
    using Copies = std::map<cluster::SegmentKey, Disk>;

    const State& state_of(const cluster::ReplicaId& copy, const cluster::SegmentKey& key) const;
    std::size_t holders(const cluster::SegmentKey& key, const std::vector<cluster::ReplicaId>& of,
                        std::uint64_t length, std::optional<std::uint64_t> epoch) const;
    void extend(const cluster::SegmentKey& key, const cluster::StoreBatches& store);
    void check_reply(const SimSegments& node, const cluster::AppendReply& reply);
    void check_reply(const SimSegments& node, const cluster::FenceReply& reply);
    void check_topic(const cluster::Topic& topic);
    void check_sealed(const cluster::SegmentKey& key, const cluster::Segment& segment);
    void check_cursors(const cluster::Topic& topic);
    void check_whole(const SimSegments& node);

    std::map<cluster::ReplicaId, Copies> disks_;
    std::set<cluster::NodeId> lost_;
    // I2: the one sequence of each segment, as boundaries.
    std::map<cluster::SegmentKey, std::vector<cluster::Mark>> sequences_;
    std::map<cluster::SegmentKey, cluster::LeaderId> proposers_;
    std::map<cluster::SegmentKey, Sealed> sealed_;
    std::map<cluster::SegmentKey, std::uint64_t> acked_;  // Highest acknowledged or read length.
    std::map<std::pair<cluster::TopicId, std::string>, cluster::Cursor> cursors_;
    std::map<cluster::Index, std::uint64_t> history_;
    std::map<cluster::Index, std::uint64_t> states_;
    std::map<cluster::NodeId, std::pair<cluster::BootId, cluster::Index>> applied_;
    cluster::Index newest_index_ = 0;
    std::uint64_t acknowledgements_ = 0;
    std::optional<std::string> violation_;
};

}  // namespace walrus::testing
