// SegmentHost: the records of a node, SegmentNode with its store, driven on the loop.
//
// The order of effects is that of cluster/segment_node.h.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "walrus/cluster/segment_node.h"
#include "walrus/member/jobs.h"
#include "walrus/member/member.h"
#include "walrus/net/transport.h"
#include "walrus/replica_store/store.h"

namespace walrus::member {

struct SegmentHostOptions {
    replica_store::Options store;
    cluster::SegmentNodeOptions node;  // `disk` is the store's.
    std::function<void()> wake;        // A job has left something for work().
};

// What work() leaves to its caller.
struct SegmentEffects {
    std::vector<cluster::CommandBody> proposals = {};
    std::vector<std::function<void()>> answers = {};  // To this node's own callers.
    std::vector<cluster::SegmentKey> readable = {};   // Copies of which more can be read.
};

// All on the loop.  After calls that may cause effects, work() must follow.
class SegmentHost {
public:
    // All references outlive the host.
    static Result<std::unique_ptr<SegmentHost>> open(SegmentHostOptions options,
                                                     const cluster::ClusterState& state,
                                                     net::Transport& transport, Jobs& jobs);

    void tick(std::uint64_t wall_ms);
    // kCorruption: no message of `from`; it was dropped.
    Status receive(net::PeerId from, std::string_view frame);
    void metadata_changed(cluster::TopicId topic);
    void metadata_replaced();
    void set_controller(bool active) { node_->set_controller(active); }
    // Does all that can be done now.  An error: the node cannot go on.
    Status work(SegmentEffects& effects);

    void append(cluster::TopicId topic, cluster::Batch batch, AppendCallback done);
    void confirm_read(cluster::TopicId topic, ConfirmCallback done);
    Offset readable_end(cluster::TopicId topic) const;
    void read(cluster::TopicId topic, Offset from, std::uint64_t max_bytes, ReadCallback done);

    cluster::DiskId disk() const { return store_->disk(); }
    const cluster::SegmentNode& node() const { return *node_; }

    // Something waits for the disk, with Threading::kInline for flush().
    bool unsynced() const { return !written_.empty(); }
    // A full disk is no error.
    Status flush();
    Status close() { return store_->close(); }

private:
    SegmentHost(SegmentHostOptions options, const cluster::ClusterState& state,
                net::Transport& transport, Jobs& jobs);

    Status open_all();
    void take(cluster::Output output, SegmentEffects& effects);
    void send(const std::vector<cluster::Message>& messages);
    void write(cluster::DiskWrite write);
    void write_held();
    Status report_durable();
    void read_for_peer(const cluster::DiskRead& request);
    void answer(const std::vector<cluster::AppendDone>& dones, SegmentEffects& effects);
    void answer(const std::vector<cluster::ReadDone>& dones, SegmentEffects& effects);
    void note_readable(SegmentEffects& effects);
    // Of this node's copy.  A copy learns late what is committed; its leader knows at once.
    std::uint64_t readable_length(const cluster::SegmentKey& key) const;
    const cluster::Segment* segment_at(const cluster::Topic& topic, Offset offset) const;
    std::uint64_t max_batch_bytes() const { return options_.store.ring_size_bytes / 8; }
    bool fits(const cluster::Batch& batch) const;

    const SegmentHostOptions options_;
    const cluster::ClusterState& state_;
    net::Transport& transport_;
    Jobs& jobs_;
    std::unique_ptr<replica_store::ReplicaStore> store_;
    std::unique_ptr<cluster::SegmentNode> node_;
    std::uint64_t ticks_ = 0;

    // The store may wait for the disk when it gets more than its ring holds, and the loop must not:
    // beyond a part of the ring, writes wait here.
    std::deque<cluster::DiskWrite> held_;
    std::deque<std::uint64_t> written_;  // Bytes of each write in the store that is not durable.
    std::uint64_t written_bytes_ = 0;
    std::uint64_t reading_ = 0;

    std::uint64_t last_request_ = 0;
    std::unordered_map<std::uint64_t, AppendCallback> appends_;
    std::unordered_map<std::uint64_t, ConfirmCallback> confirms_;

    std::vector<cluster::SegmentKey> touched_;  // Since note_readable().
    std::map<cluster::SegmentKey, std::uint64_t> readable_;
};

}  // namespace walrus::member
