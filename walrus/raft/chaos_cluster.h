// ChaosCluster: a cluster in memory under random faults, checked after every step.
//
// Messages are dropped, duplicated, delayed, reordered and cut off by partitions, also one-way;
// nodes crash and lose what was not persisted; disks and clocks lag.  Everything follows from the
// seed.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "walrus/base/random.h"
#include "walrus/raft/safety_checker.h"
#include "walrus/raft/test_node.h"

namespace walrus::raft {

struct ChaosOptions {
    std::uint64_t seed = 0;
    std::uint64_t steps = 3'000;
    std::size_t voters = 3;   // Members at the start.
    std::size_t joiners = 2;  // Nodes that may be added.
    bool membership = true;   // Random configuration changes.
};

struct ChaosResult {
    std::optional<std::string> violation;
    Index committed = 0;
    std::uint64_t restarts = 0;
    std::uint64_t reads = 0;
    std::uint64_t conf_changes = 0;
    std::uint64_t snapshots = 0;
};

// Runs the faults, then heals everything and expects progress and agreement.
ChaosResult run_chaos(const ChaosOptions& options);

class ChaosCluster {
public:
    explicit ChaosCluster(const ChaosOptions& options);

    ChaosResult run();

private:
    struct Packet {
        std::uint64_t due = 0;
        Message message;
    };

    bool failed() const { return checker_.violation().has_value() || failure_.has_value(); }
    void step();
    void work(TestNode& node);
    void collect(TestNode& node);
    void send(Message message);
    void deliver();
    void fault();
    void crash_or_restart(TestNode& node);
    void partition();
    void request();
    void change_membership(TestNode& node);
    void heal();
    bool agree() const;
    std::string describe() const;
    void expect_progress();
    TestNode& any_node();

    ChaosOptions options_;
    SeededRandom random_;
    std::map<NodeId, TestNode> nodes_;
    SafetyChecker checker_;
    std::vector<Packet> network_;
    std::set<std::pair<NodeId, NodeId>> cut_;  // From, to.
    std::set<NodeId> slow_disks_;
    std::set<NodeId> slow_clocks_;
    bool calm_ = false;  // No more faults.
    std::uint64_t now_ = 0;
    std::uint64_t next_command_ = 0;
    ReadId next_read_ = 0;
    ChaosResult result_;
    std::optional<std::string> failure_;
};

}  // namespace walrus::raft
