// What goes wrong in a simulated cluster.
#include <algorithm>
#include <set>
#include <utility>

#include "walrus/testing/sim_cluster.h"

namespace walrus::testing {
namespace {

constexpr std::array<std::string_view, kSimFaults> kNames = {
    "power-cut",
    "power-cut-mid-write",
    "kill",
    "pause",
    "slow-disk",
    "full-disk",
    "disk-error",
    "clock-drift",
    "wipe",
    "bad-weather",
    "partition",
    "partition-one-way",
    "partition-majorities-ring",
    "isolate-leader",
    "leader-transfer",
};

}  // namespace

std::string_view sim_fault_name(SimFault fault) {
    return kNames[static_cast<std::size_t>(fault)];
}

void SimCluster::schedule_fault() {
    const std::uint64_t delay_ns = fault_times_.below(2 * options_.fault_every_ms + 1) * kMsNs;
    schedule_.after(delay_ns, [this] {
        if (calm_) return;
        schedule_fault();
        const std::uint32_t number = result_.planned_faults++;
        fault_random_ = SeededRandom(options_.seed * 1'000'003 + number);
        if (wanted(number)) inject(static_cast<SimFault>(fault_random_.below(kSimFaults)));
    });
}

bool SimCluster::wanted(std::uint32_t number) const {
    const auto& only = options_.only_faults;
    return !only || std::binary_search(only->begin(), only->end(), number);
}

void SimCluster::inject(SimFault fault) {
    switch (fault) {
        case SimFault::kPowerCut:
        case SimFault::kPowerCutMidWrite:
        case SimFault::kKill:
        case SimFault::kPause:
        case SimFault::kClockDrift:
        case SimFault::kWipe:
        case SimFault::kLeaderTransfer: return fault_of_member(fault, any_victim());
        case SimFault::kSlowDisk:
        case SimFault::kFullDisk:
        case SimFault::kDiskError: return fault_of_disk(fault, any_victim());
        case SimFault::kBadWeather:
        case SimFault::kPartition:
        case SimFault::kPartitionOneWay:
        case SimFault::kPartitionMajoritiesRing:
        case SimFault::kIsolateLeader: return fault_of_network(fault);
        case SimFault::kCount: return;
    }
}

CrashOptions SimCluster::any_crash() {
    return {CrashKind::kPower, static_cast<Unsynced>(fault_random_.below(4)), fault_random_.next()};
}

void SimCluster::end_later(raft::NodeId id, std::uint64_t most_ms,
                           std::function<void(SimHost&)> end) {
    schedule_.after(fault_random_.below(most_ms + 1) * kMsNs, [this, id, end = std::move(end)] {
        Member& member = members_.at(id);
        if (!member.retired) end(*member.host);
    });
}

void SimCluster::fault_of_member(SimFault fault, Member& member) {
    SimHost& host = *member.host;
    const raft::NodeId id = host.address();
    if (!host.running()) return;
    count(fault);
    switch (fault) {
        // The operator starts who is down.
        case SimFault::kPowerCut: return host.crash(any_crash());
        case SimFault::kPowerCutMidWrite:
            return host.cut_power_after(fault_random_.below(6), any_crash());
        case SimFault::kKill:
            return host.crash({CrashKind::kKill, Unsynced::kKeep, fault_random_.next()});
        case SimFault::kPause:
            host.pause();
            return end_later(id, 3'000, [](SimHost& paused) { paused.resume(); });
        case SimFault::kClockDrift:
            return host.set_clock_rate(800 + static_cast<std::uint32_t>(fault_random_.below(401)));
        case SimFault::kWipe: return wipe(member);
        default:
            host.run([&] {
                raft::Raft& raft = raft_of(member).raft();
                static_cast<void>(raft.transfer_leader(any_victim().host->address()));
                raft_of(member).work();
            });
    }
}

void SimCluster::fault_of_disk(SimFault fault, Member& member) {
    SimHost& host = *member.host;
    const raft::NodeId id = host.address();
    if (!host.running()) return;
    count(fault);
    if (fault == SimFault::kSlowDisk) {
        host.set_disk_slowness(10 + static_cast<std::uint32_t>(fault_random_.below(1'000)));
        end_later(id, 5'000, [](SimHost& slow) { slow.set_disk_slowness(1); });
    } else if (fault == SimFault::kFullDisk) {
        host.disk().set_capacity(host.disk().used_bytes());
        end_later(id, 5'000, [](SimHost& full) { full.disk().set_capacity(~std::uint64_t{0}); });
    } else {
        host.disk().fail_operation(host.disk().operation_count() + 1 + fault_random_.below(6),
                                   Errc::kIo);
    }
}

void SimCluster::fault_of_network(SimFault fault) {
    const std::vector<raft::NodeId> all = ids();
    count(fault);
    if (fault == SimFault::kBadWeather) {
        NetworkWeather weather;
        weather.lost_per_1000 = static_cast<std::uint32_t>(fault_random_.below(200));
        weather.doubled_per_1000 = static_cast<std::uint32_t>(fault_random_.below(100));
        weather.late_per_1000 = static_cast<std::uint32_t>(fault_random_.below(100));
        weather.late_delay_ns = (1 + fault_random_.below(3'000)) * kMsNs;
        network_.set_weather(weather);
        schedule_.after(fault_random_.below(8'000) * kMsNs, [this] { network_.set_weather({}); });
        return;
    }
    network_.heal();
    std::set<SimAddress> side;
    for (const raft::NodeId id : all) {
        if (fault_random_.chance(1, 2)) side.insert(id);
    }
    if (fault == SimFault::kIsolateLeader) {
        Member* const leads = leader();
        if (leads != nullptr) side = {leads->host->address()};
    }
    if (fault == SimFault::kPartitionOneWay) {
        network_.partition_one_way(all, side);
    } else if (fault == SimFault::kPartitionMajoritiesRing) {
        network_.partition_majorities_ring(all);
    } else {
        network_.partition(all, side);
    }
    schedule_.after(fault_random_.below(6'000) * kMsNs, [this] { network_.heal(); });
}

// The disk is gone: what comes back is another node, for this one could vote twice.
void SimCluster::wipe(Member& member) {
    Member* const leads = leader();
    const bool alone = options_.voters < 3;
    const SimAddress address = member.host->address();
    const bool settled = wiped_ == raft::kNobody && leads != nullptr &&
                         (options_.load == nullptr || options_.load->may_lose_disk(address)) &&
                         raft_of(*leads).raft().conf().is_voter(address);
    if (alone || !settled) {
        --result_.faults[static_cast<std::size_t>(SimFault::kWipe)];
        return;
    }
    SimHost& host = *member.host;
    host.crash({CrashKind::kPower, Unsynced::kDrop, fault_random_.next()});
    host.wipe();
    if (options_.load != nullptr) options_.load->lost_disk(address);
    const Status refused = host.start();
    if (refused || refused.error().code != Errc::kNotFound) fail("a wiped node came back");
    member.retired = true;
    wiped_ = host.address();
    successor_ = next_id_;
    add_member(successor_, {});
}

}  // namespace walrus::testing
