// SimHost: a simulated machine: a disk, a clock that drifts, a place in the network, and a process
// with several pure machines in it (a Raft member today, replicas of segments beside it).
//
//   power cut   crash() or cut_power_after(): what was not durable is lost or torn
//   kill        the process ends, the machine stays: what completed survives
//   pause       SIGSTOP: time, frames and disk wait, and come all at once
//   wipe        the disk is replaced by an empty one
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/base/random.h"
#include "walrus/base/result.h"
#include "walrus/testing/sim_env.h"
#include "walrus/testing/sim_network.h"
#include "walrus/testing/sim_schedule.h"

namespace walrus::testing {

// A pure machine and what drives it.  It acts only inside these calls and what it gave to
// SimHost::after(); its destructor is a crash.
class SimMachine {
public:
    virtual ~SimMachine() = default;
    virtual void tick() = 0;
    virtual void receive(SimAddress from, std::string_view frame) = 0;
};

struct SimHostOptions {
    SimAddress address = 0;
    std::uint64_t tick_ns = 50'000'000;
    // Of a durable write: uniform up to twice as much.
    std::uint64_t disk_delay_ns = 500'000;
};

class SimHost {
public:
    // Starts one of the process's machines; `channel` is its number on this host, the same after
    // every restart.  The frames it sends reach the machine of that channel elsewhere.  Machines
    // with lower numbers are there already, and outlive it.
    using Factory =
        std::function<Result<std::unique_ptr<SimMachine>>(SimHost& host, std::uint8_t channel)>;

    // The other things must outlive it.
    SimHost(const SimHostOptions& options, SimSchedule& schedule, SimNetwork& network,
            Random& random);
    ~SimHost() { stop_machines(); }

    // --- for the simulation ---
    void add_machine(Factory factory) { factories_.push_back(std::move(factory)); }
    // Called after everything that may have changed the machines.
    void set_observer(std::function<void()> observer) { observer_ = std::move(observer); }
    // Starts the process; on an error it is down.
    Status start();
    void crash(const CrashOptions& options);
    // The power goes when the disk does operation `operations` from now; crash() follows by itself.
    void cut_power_after(std::uint64_t operations, const CrashOptions& options);
    void pause();
    void resume();
    // A blank disk.  Only while it is down.
    void wipe();
    // Ticks come `per_mille` / 1000 as often as they should.
    void set_clock_rate(std::uint32_t per_mille) { clock_per_mille_ = per_mille; }
    void set_disk_slowness(std::uint32_t factor) { disk_slowness_ = factor; }
    // Calls that come from outside of its events, such as requests.  Only while running().
    void run(const SimSchedule::Action& action);

    bool up() const { return !machines_.empty(); }
    bool running() const { return up() && !paused_; }
    bool paused() const { return paused_; }
    std::uint64_t starts() const { return starts_; }
    // Why the process ended by itself the last time.
    const std::optional<Error>& failure() const { return failure_; }
    SimMachine& machine(std::uint8_t channel) { return *machines_[channel]; }

    // --- for its machines ---
    SimAddress address() const { return options_.address; }
    SimEnv& disk() { return *disk_; }
    SimClock& clock() { return schedule_.clock(); }
    Random& random() { return random_; }
    void send(std::uint8_t channel, SimAddress to, std::string_view frame);
    // Runs later: not after a crash, and not during a pause but at its end.
    void after(std::uint64_t delay_ns, SimSchedule::Action action);
    // How long the disk takes for a durable write.
    std::uint64_t disk_delay_ns();
    // The process ends, once the present event is over.
    void fail(Error error);

private:
    void stop_machines();
    void settle();
    void schedule_tick();
    void receive(SimAddress from, const std::string& frame);

    const SimHostOptions options_;
    SimSchedule& schedule_;
    SimNetwork& network_;
    Random& random_;
    std::vector<Factory> factories_;
    std::function<void()> observer_;

    std::unique_ptr<SimEnv> disk_;
    CrashOptions crash_options_;                         // For a power cut that comes by itself.
    std::vector<std::unique_ptr<SimMachine>> machines_;  // By channel; empty: the process is down.
    std::uint64_t starts_ = 0;                           // Actions of earlier processes are void.
    bool paused_ = false;
    std::vector<SimSchedule::Action> waiting_;  // For the end of the pause.
    std::uint32_t clock_per_mille_ = 1000;
    std::uint32_t disk_slowness_ = 1;
    bool failed_ = false;
    std::optional<Error> failure_;
};

}  // namespace walrus::testing
