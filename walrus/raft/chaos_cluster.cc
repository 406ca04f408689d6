#include "walrus/raft/chaos_cluster.h"

#include <algorithm>

namespace walrus::raft {
namespace {

// Limits vary with the seed, so that both one entry per message and many are seen.
Options node_options(NodeId id, std::uint64_t seed) {
    Options options;
    options.id = id;
    options.election_ticks = 8;
    options.heartbeat_ticks = 2;
    options.max_message_bytes = seed % 2 == 0 ? 1 : 300;
    options.max_inflight_messages = 4;
    options.snapshot_chunk_bytes = seed % 3 == 0 ? 64 : 16;
    options.trailing_entries = 4;
    return options;
}

ConfState first_members(std::size_t voters) {
    ConfState conf;
    for (NodeId id = 1; id <= voters; ++id) conf.voters.push_back(id);
    return conf;
}

}  // namespace

ChaosResult run_chaos(const ChaosOptions& options) {
    return ChaosCluster(options).run();
}

ChaosCluster::ChaosCluster(const ChaosOptions& options)
    : options_(options), random_(options.seed), checker_(nodes_) {
    for (NodeId id = 1; id <= options.voters + options.joiners; ++id) {
        const ConfState conf = id <= options.voters ? first_members(options.voters) : ConfState{};
        nodes_.try_emplace(id, node_options(id, options.seed), conf, random_);
    }
}

ChaosResult ChaosCluster::run() {
    for (std::uint64_t i = 0; i < options_.steps && !failed(); ++i) step();
    if (!failed()) expect_progress();
    result_.violation = checker_.violation() ? checker_.violation() : failure_;
    result_.committed = checker_.committed();
    return result_;
}

TestNode& ChaosCluster::any_node() {
    return std::next(nodes_.begin(), static_cast<std::ptrdiff_t>(random_.below(nodes_.size())))
        ->second;
}

void ChaosCluster::step() {
    ++now_;
    deliver();
    if (!calm_) fault();
    for (auto& [id, node] : nodes_) {
        if (!node.alive()) continue;
        const bool slow = !calm_ && slow_clocks_.contains(id);
        if (random_.chance(1, slow ? 20 : 2)) node.raft().tick();
        work(node);
    }
    if (random_.chance(1, 2)) request();
}

// Lets a node do some of its work; the disk may lag behind.
void ChaosCluster::work(TestNode& node) {
    node.pump();
    collect(node);
    const bool slow = !calm_ && slow_disks_.contains(node.id());
    while (random_.chance(slow ? 1 : 3, slow ? 20 : 4) && node.persist_one()) {
        collect(node);
        node.pump();
        collect(node);
    }
}

void ChaosCluster::collect(TestNode& node) {
    for (Message& message : node.outbox()) {
        checker_.observe(message);
        send(std::move(message));
    }
    node.outbox().clear();
    for (const ReadState& read : node.reads()) {
        checker_.read_done(read);
        ++result_.reads;
    }
    node.reads().clear();
    checker_.observe(node.id());
}

void ChaosCluster::send(Message message) {
    if (cut_.contains({message.from, message.to})) return;
    if (!calm_ && random_.chance(1, 20)) return;
    const std::uint64_t copies = !calm_ && random_.chance(1, 20) ? 2 : 1;
    for (std::uint64_t i = 0; i < copies; ++i) {
        // A few are very late: stale appends and replies are where the traps are.
        const std::uint64_t delay = !calm_ && random_.chance(1, 30) ? 60 : 3;
        network_.push_back({now_ + 1 + random_.below(delay), message});
    }
}

void ChaosCluster::deliver() {
    const auto due = std::stable_partition(network_.begin(), network_.end(),
                                           [&](const Packet& p) { return p.due > now_; });
    std::vector<Packet> arrived(std::make_move_iterator(due),
                                std::make_move_iterator(network_.end()));
    network_.erase(due, network_.end());
    while (!arrived.empty() && !failed()) {
        std::swap(arrived[random_.below(arrived.size())], arrived.back());
        Message message = std::move(arrived.back().message);
        arrived.pop_back();
        TestNode& node = nodes_.at(message.to);
        if (!node.alive() || cut_.contains({message.from, message.to})) continue;
        const Status status = node.raft().step(std::move(message));
        if (!status) failure_ = status.error().to_string();
        work(node);
    }
}

void ChaosCluster::fault() {
    if (random_.chance(1, 60)) crash_or_restart(any_node());
    if (random_.chance(1, 80)) partition();
    if (random_.chance(1, 40)) {
        TestNode& node = any_node();
        if (node.alive() && node.take_snapshot()) ++result_.snapshots;
    }
    if (random_.chance(1, 100)) {
        const NodeId id = any_node().id();
        if (slow_disks_.erase(id) == 0) slow_disks_.insert(id);
    }
    if (random_.chance(1, 100)) {
        const NodeId id = any_node().id();
        if (slow_clocks_.erase(id) == 0) slow_clocks_.insert(id);
    }
}

void ChaosCluster::crash_or_restart(TestNode& node) {
    if (node.alive()) {
        node.crash(&random_);
        checker_.forget(node.id());
        if (random_.chance(1, 2)) return;
    }
    const Status status = node.restart();
    if (!status) failure_ = "restart: " + status.error().to_string();
    ++result_.restarts;
}

void ChaosCluster::partition() {
    cut_.clear();
    if (random_.chance(1, 2)) return;
    std::set<NodeId> side;
    for (const auto& [id, node] : nodes_) {
        if (random_.chance(1, 2)) side.insert(id);
    }
    const bool one_way = random_.chance(1, 3);
    for (const auto& [a, unused_a] : nodes_) {
        for (const auto& [b, unused_b] : nodes_) {
            if (side.contains(a) == side.contains(b)) continue;
            if (!one_way || side.contains(a)) cut_.insert({a, b});
        }
    }
}

void ChaosCluster::request() {
    TestNode& node = any_node();
    if (!node.alive()) return;
    const std::uint64_t kind = random_.below(12);
    if (kind < 7) {
        static_cast<void>(node.raft().propose(Payload("c" + std::to_string(++next_command_))));
    } else if (kind < 10) {
        checker_.read_began(++next_read_);
        static_cast<void>(node.raft().read_index(next_read_));
    } else if (kind < 11) {
        static_cast<void>(node.raft().transfer_leader(any_node().id()));
    } else if (options_.membership && !calm_) {
        change_membership(node);
    }
    work(node);
}

void ChaosCluster::change_membership(TestNode& node) {
    for (auto& [id, other] : nodes_) {
        if (!other.alive() || other.raft().role() != Role::kLeader) continue;
        if (random_.chance(1, 2) && &other != &node) continue;
        ConfChange change;
        const std::uint64_t steps = random_.below(3);
        for (std::uint64_t i = 0; i < steps; ++i) {
            const auto kind = static_cast<ConfChangeKind>(random_.below(3));
            change.steps.push_back({kind, any_node().id()});
        }
        change.transition = static_cast<Transition>(random_.below(3));
        result_.conf_changes += other.raft().propose_conf_change(change).has_value();
        work(other);
    }
}

void ChaosCluster::heal() {
    calm_ = true;
    cut_.clear();
    slow_disks_.clear();
    for (auto& [id, node] : nodes_) {
        if (!node.alive()) crash_or_restart(node);
    }
}

// Whether every voter of the leader's configuration has applied what is committed.
bool ChaosCluster::agree() const {
    for (const auto& [id, node] : nodes_) {
        const Raft& raft = node.raft();
        if (raft.role() != Role::kLeader || raft.conf().joint()) continue;
        const Index last = raft.log().last_index();
        const std::vector<NodeId> members = raft.conf().members();
        return raft.log().commit_index() == last &&
               std::all_of(members.begin(), members.end(), [&](NodeId member) {
                   return nodes_.at(member).applied().index == last;
               });
    }
    return false;
}

std::string ChaosCluster::describe() const {
    std::string text;
    for (const auto& [id, node] : nodes_) text += "\n" + node.describe();
    return text;
}

// After healing there must be a leader, new entries must commit and all members must agree.
void ChaosCluster::expect_progress() {
    heal();
    const Index before = checker_.committed();
    for (int i = 0; i < 600 && !failed(); ++i) {
        step();
        // A joint configuration that nobody ends by himself.
        if (i % 50 != 0) continue;
        for (auto& [id, node] : nodes_) static_cast<void>(node.raft().propose_conf_change({}));
    }
    if (!failed() && checker_.committed() == before) {
        failure_ = "no progress after healing" + describe();
    }
    // Then without requests.
    for (int i = 0; i < 600 && !failed() && !agree(); ++i) {
        ++now_;
        deliver();
        for (auto& [id, node] : nodes_) {
            node.raft().tick();
            work(node);
        }
    }
    if (!failed() && !agree()) failure_ = "members do not agree after healing" + describe();
}

}  // namespace walrus::raft
