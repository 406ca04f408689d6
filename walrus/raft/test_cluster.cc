#include "walrus/raft/test_cluster.h"

#include <algorithm>

namespace walrus::raft {
TestCluster::TestCluster(std::size_t voter_count, std::size_t joiners, Options options) {
    ConfState conf;
    for (NodeId id = 1; id <= voter_count; ++id) conf.voters.push_back(id);
    for (NodeId id = 1; id <= voter_count + joiners; ++id) {
        options.id = id;
        nodes_.try_emplace(id, options, id <= voter_count ? conf : ConfState{}, random_);
    }
}

void TestCluster::work(NodeId id) {
    TestNode& node = nodes_.at(id);
    if (!node.alive()) return;
    while (node.pump() || (!held_disks_.contains(id) && node.persist_one())) {
    }
    for (Message& message : node.outbox()) {
        if (passes_ && !passes_(message)) continue;
        if (!cut_.contains({message.from, message.to})) wire_.push_back(std::move(message));
    }
    node.outbox().clear();
}

bool TestCluster::deliver_once() {
    for (auto& [id, node] : nodes_) work(id);
    std::vector<Message> arriving = std::exchange(wire_, {});
    for (Message& message : arriving) {
        if (cut_.contains({message.from, message.to})) continue;
        const auto to = nodes_.find(message.to);
        if (to == nodes_.end() || !to->second.alive()) continue;
        const Status status = to->second.raft().step(std::move(message));
        if (!status) step_errors_.push_back(status.error());
    }
    return !arriving.empty();
}

void TestCluster::deliver() {
    while (deliver_once()) {
    }
}

void TestCluster::tick(NodeId id, std::uint64_t ticks) {
    for (std::uint64_t i = 0; i < ticks; ++i) raft(id).tick();
    work(id);
}

void TestCluster::tick_all(std::uint64_t ticks) {
    for (std::uint64_t i = 0; i < ticks; ++i) {
        for (auto& [id, node] : nodes_) {
            if (node.alive()) node.raft().tick();
        }
        deliver();
    }
}

void TestCluster::elect(NodeId id) {
    // The first attempts may only teach it the term of the others.
    for (int i = 0; i < 4 && raft(id).role() != Role::kLeader; ++i) {
        raft(id).campaign();
        deliver();
    }
    WALRUS_ASSERT(raft(id).role() == Role::kLeader);
}

NodeId TestCluster::elect_any(std::uint64_t ticks) {
    for (std::uint64_t i = 0; i < ticks && leader() == kNobody; ++i) tick_all(1);
    return leader();
}

void TestCluster::propose(NodeId id, const std::string& command) {
    raft(id).propose(Payload(command)).value();
    deliver();
}

void TestCluster::isolate(NodeId id) {
    for (const auto& [other, node] : nodes_) {
        cut_.insert({id, other});
        cut_.insert({other, id});
    }
}

void TestCluster::reboot(std::initializer_list<NodeId> ids) {
    for (const NodeId id : ids) {
        if (node(id).alive()) crash(id);
        restart(id);
    }
}

NodeId TestCluster::leader() const {
    NodeId found = kNobody;
    Term term = 0;
    for (const auto& [id, node] : nodes_) {
        if (!node.alive() || node.raft().role() != Role::kLeader) continue;
        if (node.raft().term() >= term) found = id;
        term = std::max(term, node.raft().term());
    }
    return found;
}

ConfState voters(std::vector<NodeId> ids) {
    ConfState conf;
    conf.voters = std::move(ids);
    return conf;
}

ConfChange add_voter(NodeId id) {
    return {{{ConfChangeKind::kAddVoter, id}}, Transition::kAuto};
}

ConfChange add_learner(NodeId id) {
    return {{{ConfChangeKind::kAddLearner, id}}, Transition::kAuto};
}

ConfChange remove_node(NodeId id) {
    return {{{ConfChangeKind::kRemove, id}}, Transition::kAuto};
}

}  // namespace walrus::raft
