// TestCluster: a few nodes whose messages, disks and clocks a test moves by hand.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "walrus/base/random.h"
#include "walrus/raft/test_node.h"

namespace walrus::raft {

class TestCluster {
public:
    // Voters 1..voters; joiners are numbered on and know no configuration.
    explicit TestCluster(std::size_t voters, std::size_t joiners = 0, Options options = {});

    TestNode& node(NodeId id) { return nodes_.at(id); }
    Raft& raft(NodeId id) { return nodes_.at(id).raft(); }
    std::map<NodeId, TestNode>& nodes() { return nodes_; }

    // Works and delivers until nothing happens any more.
    void deliver();
    // One round of it: every node works, then the messages that are under way arrive.
    bool deliver_once();
    // Lets a node work without delivering anything.
    void work(NodeId id);
    void tick(NodeId id, std::uint64_t ticks = 1);
    // Ticks all that are alive, delivering after each tick.
    void tick_all(std::uint64_t ticks);
    // Campaigns and delivers.  The others must be ready to vote for it.
    void elect(NodeId id);
    // Ticks everybody until there is a leader, whom it returns; kNobody after `ticks`.
    NodeId elect_any(std::uint64_t ticks = 100);
    void propose(NodeId id, const std::string& command);

    // Messages that left a node and have not arrived.
    std::vector<Message>& wire() { return wire_; }
    // What the filter refuses is lost; it may also change a message.
    void set_filter(std::function<bool(Message&)> passes) { passes_ = std::move(passes); }
    void cut(NodeId from, NodeId to) { cut_.insert({from, to}); }
    void isolate(NodeId id);
    void heal() { cut_.clear(); }
    // Writes of that node do not complete until released.
    void hold_disk(NodeId id) { held_disks_.insert(id); }
    void release_disk(NodeId id) { held_disks_.erase(id); }
    // Loses everything that was not persisted.
    void crash(NodeId id) { node(id).crash(nullptr); }
    void restart(NodeId id) { node(id).restart().value(); }
    // Crashes who is alive and restarts: they forget whom they follow.
    void reboot(std::initializer_list<NodeId> ids);

    NodeId leader() const;
    // What step() refused.
    std::vector<Error> take_step_errors() { return std::exchange(step_errors_, {}); }

private:
    SeededRandom random_{1};
    std::map<NodeId, TestNode> nodes_;
    std::vector<Message> wire_;
    std::set<std::pair<NodeId, NodeId>> cut_;
    std::set<NodeId> held_disks_;
    std::function<bool(Message&)> passes_;
    std::vector<Error> step_errors_;
};

// Shorthands for configurations in tests.
ConfState voters(std::vector<NodeId> ids);
ConfChange add_voter(NodeId id);
ConfChange add_learner(NodeId id);
ConfChange remove_node(NodeId id);

}  // namespace walrus::raft
