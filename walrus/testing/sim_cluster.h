// SimCluster: a Raft group on simulated machines, under faults, checked after every step; with a
// SimLoad, whole nodes.
//
//   SimSchedule (virtual time) -- SimNetwork -- SimHost x n: SimEnv disk, SimRaft, drifting clock
//         |                                        |
//   requests, faults, operator                RaftChecker after every event of a host
//
// Everything follows from the seed.  Each fault draws from a stream of its own, so that leaving
// some out (`only_faults`) keeps the others: that is how a failing schedule is shrunk.  Faults, by
// name: power-cut (also in the middle of writes, torn or not), kill, pause, slow-disk, full-disk,
// disk-error, clock-drift, wipe (the node comes back as another, which an operator brings into the
// group), bad-weather, partition, partition-one-way, partition-majorities-ring, isolate-leader,
// leader-transfer.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/base/random.h"
#include "walrus/testing/raft_checker.h"
#include "walrus/testing/sim_host.h"
#include "walrus/testing/sim_load.h"
#include "walrus/testing/sim_network.h"
#include "walrus/testing/sim_raft.h"
#include "walrus/testing/sim_schedule.h"

namespace walrus::testing {

enum class SimFault : std::uint8_t {
    kPowerCut,
    kPowerCutMidWrite,
    kKill,
    kPause,
    kSlowDisk,
    kFullDisk,
    kDiskError,
    kClockDrift,
    kWipe,
    kBadWeather,
    kPartition,
    kPartitionOneWay,
    kPartitionMajoritiesRing,
    kIsolateLeader,
    kLeaderTransfer,
    kCount,
};
inline constexpr std::size_t kSimFaults = static_cast<std::size_t>(SimFault::kCount);

std::string_view sim_fault_name(SimFault fault);

struct SimClusterOptions {
    std::uint64_t seed = 0;
    std::size_t voters = 3;
    std::uint64_t seconds = 60;  // With faults; then everything is healed.
    std::uint64_t requests_per_s = 20;
    // Mean time from one fault to the next; 0: no faults.
    std::uint64_t fault_every_ms = 1'500;
    // After healing all must agree within this.
    std::uint64_t recovery_s = 20;
    // In the end the power of all nodes goes so often at once.
    std::uint64_t full_restarts = 0;
    // The numbers of the faults that happen, ascending; nothing: all of them.
    std::optional<std::vector<std::uint32_t>> only_faults = {};
    // What the nodes do besides Raft; null: nothing.  Used by one run, which it must outlive.
    SimLoad* load = nullptr;
};

struct SimClusterResult {
    std::optional<std::string> violation;
    std::array<std::uint64_t, kSimFaults> faults = {};  // That took effect.
    std::uint32_t planned_faults = 0;                   // Numbered from 0.
    std::uint64_t committed = 0;
    std::uint64_t elections = 0;
    std::uint64_t reads = 0;
    std::uint64_t restarts = 0;
    std::uint64_t replaced = 0;  // Wiped nodes whose successors became voters.
    std::uint64_t steps = 0;
    std::uint64_t simulated_ns = 0;
    std::uint64_t recovery_ns = 0;  // From healing to agreement.
    std::uint64_t fingerprint = 0;  // Of everything that happened: same seed, same number.
    NetworkStats network;
};

class SimCluster {
public:
    explicit SimCluster(const SimClusterOptions& options);
    ~SimCluster();

    SimClusterResult run();

private:
    struct Member {
        std::unique_ptr<SimHost> host;
        bool retired = false;  // Its disk was wiped: this id never comes back.
        bool restarting = false;
    };
    struct Proposal {
        raft::NodeId node = raft::kNobody;
        raft::Index index = 0;
        raft::Term term = 0;
    };

    // --- sim_cluster.cc: life ---
    void add_member(raft::NodeId id, const raft::ConfState& conf);
    void observe(raft::NodeId id);
    void start(raft::NodeId id);
    void start_later(raft::NodeId id);
    void run_until(std::uint64_t ns, const std::function<bool()>& done);
    bool failed() const;
    void fail(const std::string& what);
    std::string describe() const;
    void heal();
    bool agreed();
    bool works();
    void expect_recovery();
    void restart_all();
    SimRaft& raft_of(Member& member);
    std::vector<raft::NodeId> ids() const;  // Of those that are not retired.
    Member& any_member();
    Member& any_victim();
    Member* leader();

    // --- sim_requests.cc: what clients and operators do ---
    void schedule_request();
    void request();
    void propose(Member& member);
    void ask_outcomes();
    void operate();

    // --- sim_faults.cc: what goes wrong ---
    void schedule_fault();
    bool wanted(std::uint32_t number) const;
    void inject(SimFault fault);
    void count(SimFault fault) { ++result_.faults[static_cast<std::size_t>(fault)]; }
    CrashOptions any_crash();
    void fault_of_member(SimFault fault, Member& member);
    void fault_of_disk(SimFault fault, Member& member);
    void fault_of_network(SimFault fault);
    void wipe(Member& member);
    // Ends a fault after a while, unless its member is gone by then.
    void end_later(raft::NodeId id, std::uint64_t most_ms, std::function<void(SimHost&)> end);

    const SimClusterOptions options_;
    SeededRandom random_;
    SeededRandom fault_times_;
    SeededRandom fault_random_;  // Of the fault that is being made.
    SimSchedule schedule_;
    SimNetwork network_;
    SimRaftOptions raft_options_;
    RaftChecker checker_;
    std::map<raft::NodeId, Member> members_;
    raft::NodeId next_id_ = 1;
    raft::NodeId wiped_ = raft::kNobody;      // Still in the configuration.
    raft::NodeId successor_ = raft::kNobody;  // Of the wiped one.
    bool calm_ = false;                       // No more faults.
    bool quiet_ = false;                      // No more requests.
    std::uint64_t proposed_ = 0;
    std::vector<Proposal> proposals_;  // Whose outcome is asked for.
    SimClusterResult result_;
    std::optional<std::string> failure_;
};

}  // namespace walrus::testing
