// SimNetwork: frames between nodes that are late, lost, doubled and overtaken, on purpose.
//
// Faults, by the names that the harness uses too:
//   weather     chances of loss, duplication and great delay, for every frame
//   cut         one direction between two nodes; partitions are sets of cuts
//   hold        a paused process: what arrives waits for it
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "walrus/base/random.h"
#include "walrus/testing/sim_schedule.h"

namespace walrus::testing {

using SimAddress = std::uint64_t;

struct NetworkWeather {
    std::uint64_t min_delay_ns = 200'000;
    std::uint64_t max_delay_ns = 2'000'000;
    // Of 1,000 frames so many are lost, arrive twice, or arrive up to late_delay_ns later.
    std::uint32_t lost_per_1000 = 0;
    std::uint32_t doubled_per_1000 = 0;
    std::uint32_t late_per_1000 = 0;
    std::uint64_t late_delay_ns = 1'000'000'000;
};

struct NetworkStats {
    std::uint64_t sent = 0;
    std::uint64_t delivered = 0;
    std::uint64_t lost = 0;  // By weather, cuts and absence.
    std::uint64_t doubled = 0;
    std::uint64_t late = 0;
    std::uint64_t held = 0;
};

// One thread.  Frames between two nodes keep no order.  A node hears itself at once.
class SimNetwork {
public:
    using Receiver = std::function<void(SimAddress from, const std::string& frame)>;

    // Both must outlive it.
    SimNetwork(SimSchedule& schedule, Random& random) : schedule_(schedule), random_(random) {}

    // From now on frames for `address` arrive there; what is under way arrives too.
    void attach(SimAddress address, Receiver receiver) { nodes_[address] = std::move(receiver); }
    // Frames for it are lost.
    void detach(SimAddress address) { nodes_.erase(address); }
    void send(SimAddress from, SimAddress to, std::string frame);

    void set_weather(const NetworkWeather& weather) { weather_ = weather; }

    // Frames from `from` to `to` are lost, also those that are under way.
    void cut(SimAddress from, SimAddress to) { cut_.insert({from, to}); }
    bool is_cut(SimAddress from, SimAddress to) const { return cut_.contains({from, to}); }
    // Nobody inside `side` talks with anybody of `all` outside of it.
    void partition(const std::vector<SimAddress>& all, const std::set<SimAddress>& side);
    // Those inside `side` are not heard outside of it, but hear.
    void partition_one_way(const std::vector<SimAddress>& all, const std::set<SimAddress>& side);
    // Everybody talks with a majority, no two with the same one (of three: one pair is cut).
    void partition_majorities_ring(const std::vector<SimAddress>& all);
    // Ends every cut.
    void heal() { cut_.clear(); }

    void hold(SimAddress address) { held_[address]; }
    // Delivers what waited, in order of arrival.
    void release(SimAddress address);

    const NetworkStats& stats() const { return stats_; }

private:
    struct Packet {
        SimAddress from = 0;
        SimAddress to = 0;
        std::string frame;
    };

    void dispatch(Packet packet);
    void arrive(std::size_t slot);
    void deliver(const Packet& packet);

    SimSchedule& schedule_;
    Random& random_;
    NetworkWeather weather_;
    std::map<SimAddress, Receiver> nodes_;
    std::set<std::pair<SimAddress, SimAddress>> cut_;
    std::map<SimAddress, std::vector<Packet>> held_;
    std::vector<Packet> under_way_;  // By slot.
    std::vector<std::size_t> free_slots_;
    NetworkStats stats_;
};

}  // namespace walrus::testing
