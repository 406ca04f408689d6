// Nodes: several SegmentNodes with one shared metadata log, for tests.
//
// Deterministic and kind: messages arrive in order, disks work, proposals are applied at once.
// Tests take nodes away, hold messages back and drop them.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "walrus/cluster/segment_node.h"

namespace walrus::cluster {

// The disk of one node, as the store would keep it.
struct TestDisk {
    struct Copy {
        Epoch promised = {};
        std::vector<Batch> batches = {};
    };
    std::map<SegmentKey, Copy> copies;
};

class TestNodes {
public:
    explicit TestNodes(NodeId count);

    // Starts or restarts a node with what its disk holds.
    void start(NodeId id);
    void stop(NodeId id) { members_.at(id).node.reset(); }
    // Ticks everybody so often and lets all of it play out.
    void run(int ticks = 1);
    void settle();

    CommandResult apply(CommandBody body);
    TopicId create_topic(NodeId leader, TopicConfig config = {});
    // Appends through the present leader; the answer is in done() once it is there.
    std::uint64_t append(TopicId topic, Batch batch);
    std::uint64_t append(TopicId topic, const std::string& data) {
        return append(topic, Batch{.records = 1, .data = Payload(data)});
    }
    std::optional<AppendDone> done(std::uint64_t request) const;
    std::optional<ReadDone> read_done(std::uint64_t request) const;

    SegmentNode& node(NodeId id) { return *members_.at(id).node; }
    bool is_up(NodeId id) const { return members_.at(id).node != nullptr; }
    TestDisk& disk(NodeId id) { return members_.at(id).disk; }
    const ClusterState& state() const { return *state_; }
    const Segment& last(TopicId topic) const { return state_->topic(topic)->last(); }
    // All records of the sealed and readable part of the topic, from any copy that has them.
    std::vector<std::string> read_all(TopicId topic);

    // True: the message is lost.
    std::function<bool(const Message&)> lose;
    std::uint64_t wall_ms = 1000;

private:
    struct Member {
        BootId boot = 0;
        TestDisk disk = {};
        std::unique_ptr<SegmentNode> node = nullptr;
    };

    bool collect(NodeId id);
    void write(NodeId id, const DiskWrite& write);
    void read(NodeId id, const DiskRead& read);

    std::unique_ptr<ClusterState> state_;
    std::map<NodeId, Member> members_;
    std::deque<Message> network_;
    std::map<std::uint64_t, AppendDone> appends_;
    std::map<std::uint64_t, ReadDone> reads_;
    std::uint64_t next_request_ = 1;
};

}  // namespace walrus::cluster
