// SimSegments: a SegmentNode with its replica store, as a machine of a SimHost beside SimRaft.
//
// It is the driver of segment_node.h in virtual time: what the node writes is durable when the
// host's disk is done, its proposals go to the Raft member of the same process, and SimMetadata is
// that member's state machine.  Watchers see what happened, when it happened.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "walrus/cluster/segment_node.h"
#include "walrus/replica_store/store.h"
#include "walrus/testing/sim_host.h"
#include "walrus/testing/sim_raft.h"

namespace walrus::testing {

class SimSegments;

// The metadata of one process: ClusterState behind Raft.
class SimMetadata final : public SimStateMachine {
public:
    void apply(const raft::Entry& entry) override;
    std::string snapshot() const override { return state_.snapshot(); }
    Status restore(Bytes snapshot) override;
    void settled() override;

    const cluster::ClusterState& state() const { return state_; }
    // Null before the segments' machine has started.
    void set_segments(SimSegments* segments) { segments_ = segments; }

private:
    cluster::ClusterState state_;
    SimSegments* segments_ = nullptr;
};

// What the segments' machines of all hosts do.
class SegmentWatcher {
public:
    virtual ~SegmentWatcher() = default;
    // A process began with these copies.
    virtual void restored(
        cluster::ReplicaId self,
        const std::map<cluster::SegmentKey, cluster::RestoredReplica>& copies) = 0;
    // A write was handed to the disk; it is durable.
    virtual void submitted(cluster::ReplicaId self, const cluster::DiskWrite& write) = 0;
    virtual void durable(cluster::ReplicaId self, const replica_store::Done& done) = 0;
    virtual void sent(const SimSegments& node, const cluster::Message& message) = 0;
    // A command was applied; `id` is empty unless this process proposed it.
    virtual void applied(SimSegments& node, const cluster::CommandId& id,
                         const cluster::CommandResult& result) = 0;
    virtual void append_done(const SimSegments& node, const cluster::AppendDone& done) = 0;
    virtual void read_done(const SimSegments& node, const cluster::ReadDone& done) = 0;
};

struct SimSegmentsOptions {
    cluster::SegmentNodeOptions node;  // Ids are filled in.
    std::uint64_t cluster = 1;
    SegmentWatcher* watcher = nullptr;
};

// Batches that a node serves to a consumer.
struct SimBatch {
    Offset offset = {};
    std::uint32_t records = 0;
    cluster::Payload data = {};
};

class SimSegments final : public SimMachine {
public:
    static Result<std::unique_ptr<SimMachine>> start(SimHost& host, std::uint8_t channel,
                                                     const SimSegmentsOptions& options);
    ~SimSegments() override { metadata_.set_segments(nullptr); }

    void tick() override;
    void receive(SimAddress from, std::string_view frame) override;

    // --- for clients; all in an event of the host ---
    void append(std::uint64_t request, cluster::TopicId topic, cluster::Batch batch);
    void confirm_read(std::uint64_t request, cluster::TopicId topic);
    // The answer is SegmentWatcher::applied() with the same id, or never.
    cluster::CommandId propose(cluster::CommandBody body);
    // What this node's own copies have at `offset`, a boundary, below what consumers may read.
    // kOutOfRange: nothing here.
    Result<std::vector<SimBatch>> read(cluster::TopicId topic, Offset offset,
                                       std::uint64_t max_bytes) const;

    // --- for SimMetadata ---
    void applied(const raft::Entry& entry, const cluster::CommandResult& result);
    void replaced();
    void settled() { work(); }

    cluster::ReplicaId self() const { return self_; }
    cluster::BootId boot() const { return boot_; }
    const cluster::ClusterState& state() const { return metadata_.state(); }
    const cluster::SegmentNode& node() const { return *node_; }
    const replica_store::ReplicaStore& store() const { return *store_; }

private:
    SimSegments(SimHost& host, std::uint8_t channel, const SimSegmentsOptions& options);

    Status open();
    void work();
    void take(cluster::Output output);
    void wait_for_disk();
    void report_durable();
    void register_self();

    SimHost& host_;
    const std::uint8_t channel_;
    const SimSegmentsOptions& options_;
    SimRaft& raft_;
    SimMetadata& metadata_;
    cluster::ReplicaId self_;
    cluster::BootId boot_ = 0;
    std::unique_ptr<replica_store::ReplicaStore> store_;
    std::unique_ptr<cluster::SegmentNode> node_;
    std::uint64_t commands_ = 0;
    std::uint64_t ticks_ = 0;
    std::set<cluster::CommandId> waiting_;  // Own commands whose outcome somebody wants.
    bool controls_ = false;
    bool disk_busy_ = false;
    bool working_ = false;
};

}  // namespace walrus::testing
