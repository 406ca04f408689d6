// SealCoordinator: ends a segment whose leader is gone, as a pure state machine.
//
// BeginSeal has given it the epoch.  It fences F replicas, takes the longest durable length among
// them, copies the missing tail until A hold it, and then has a result for the Seal command.  Any
// node may run it, any number at once, and each may crash: only one Seal passes the comparison of
// epochs, and no clock is involved.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "walrus/cluster/metadata.h"
#include "walrus/cluster/output.h"
#include "walrus/cluster/tail_copier.h"

namespace walrus::cluster {

struct CoordinatorOptions {
    std::uint32_t resend_ticks = 2;
    // So long the members are waited for; then also other nodes become holders.
    std::uint32_t patience_ticks = 10;
    std::uint64_t max_message_bytes = std::uint64_t{1} << 20;
};

class SealCoordinator {
public:
    // `segment` is sealing in the epoch of this coordinator's BeginSeal.
    SealCoordinator(const CoordinatorOptions& options, NodeId self, TopicId topic,
                    const Segment& segment);

    // Nodes without a copy that may become holders, best first, and how many holders are enough:
    // A, or fewer when fewer nodes live.
    void set_spares(std::vector<ReplicaId> spares, std::size_t enough);

    void start(Output& out);
    void tick(Output& out);
    void on(NodeId from, const FenceReply& reply, Output& out);
    void on(NodeId from, const AppendReply& reply, Output& out);
    void on(NodeId from, const ReadReply& reply, Output& out);

    struct Found {
        SealedContent content = {};
        std::vector<ReplicaId> holders = {};
    };
    // What to seal, once it is known.
    std::optional<Found> found() const;
    // A newer epoch exists: this coordinator has lost.
    bool superseded() const { return superseded_; }
    // F replicas are fenced and the length is known.
    bool fenced() const { return end_.has_value(); }
    bool heard(NodeId node) const { return replies_.contains(node); }
    // Replies that count towards F so far.
    std::uint32_t fenced_count() const;
    // Enough replicas answered, but none of them can read what may have been acknowledged.
    bool blocked_by_damage() const;
    // The longest readable prefix among all replies: what an unclean seal could keep.
    std::optional<Found> salvage() const;

    // All of the state as bytes.  For comparing.
    void append_state(std::string& out) const;

    SegmentKey key() const { return key_; }
    Epoch epoch() const { return segment_.epoch; }

private:
    void decide(Output& out);
    void add_target(const ReplicaId& target, Output& out);
    void add_spares(Output& out);
    std::uint64_t least_length() const;

    CoordinatorOptions options_;
    NodeId self_;
    SegmentKey key_;
    Segment segment_;
    std::vector<ReplicaId> spares_;
    std::size_t enough_;
    std::map<NodeId, FenceReply> replies_;  // Of registered disks only.
    std::optional<Mark> end_;
    std::optional<ReplicaId> source_;
    std::vector<TailCopier> copiers_;
    std::uint32_t ticks_ = 0;
    bool superseded_ = false;
};

}  // namespace walrus::cluster
