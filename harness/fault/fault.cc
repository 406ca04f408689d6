#include "harness/fault/fault.h"

#include <fmt/format.h>

#include <utility>

#include "harness/fault/process_control.h"
#include "harness/metrics/paced_clock.h"

namespace walrus::harness {
namespace {

constexpr std::uint64_t kReadyMs = 60'000;
constexpr std::uint64_t kTermMs = 30'000;
constexpr std::uint64_t kStormGapNs = 150'000'000;  // At most, between a start and the next kill.

// Common to all: the node is started again, or was never down.
class NodeFault : public Fault {
public:
    NodeFault(const FaultTools& tools, std::uint32_t node) : tools_(tools), node_(node) {}

    Result<std::string> heal() override {
        WALRUS_RETURN_IF_ERROR(tools_.nodes.start(node_));
        return fmt::format("started as pid {}", facts().pid);
    }
    Result<std::string> await_healed() override {
        WALRUS_RETURN_IF_ERROR(tools_.nodes.wait_ready(node_, kReadyMs));
        return fmt::format("pid {} answers at {}", facts().pid, facts().address);
    }

protected:
    NodeFacts facts() const { return tools_.nodes.facts(node_); }

    const FaultTools tools_;
    const std::uint32_t node_;
};

class KillFault final : public NodeFault {
public:
    using NodeFault::NodeFault;
    Result<std::string> inject() override { return kill_process(facts().pid); }
};

class TermFault final : public NodeFault {
public:
    using NodeFault::NodeFault;
    Result<std::string> inject() override { return terminate_process(facts().pid, kTermMs); }
};

class PauseFault final : public NodeFault {
public:
    using NodeFault::NodeFault;
    Result<std::string> inject() override { return pause_process(facts().pid); }
    Result<std::string> heal() override { return resume_process(facts().pid); }
    Result<std::string> await_healed() override { return std::string(); }
};

class StormFault final : public NodeFault {
public:
    StormFault(const FaultTools& tools, std::uint32_t node, std::uint32_t restarts)
        : NodeFault(tools, node), restarts_(restarts) {}

    Result<std::string> inject() override {
        PacedClock& clock = machine_clock();
        std::string last;
        for (std::uint32_t i = 0; i < restarts_; ++i) {
            auto killed = kill_process(facts().pid);
            if (!killed) return killed;
            last = std::move(*killed);
            if (i + 1 == restarts_) break;
            WALRUS_RETURN_IF_ERROR(tools_.nodes.start(node_));
            clock.wait_until(clock.monotonic_ns() + tools_.random.below(kStormGapNs));
        }
        return fmt::format("killed {} times; {}", restarts_, last);
    }

private:
    const std::uint32_t restarts_;
};

class WipeFault final : public NodeFault {
public:
    using NodeFault::NodeFault;
    Result<std::string> inject() override {
        const auto killed = kill_process(facts().pid);
        if (!killed) return killed;
        const auto wiped = wipe_directory(facts().data);
        if (!wiped) return wiped;
        return *killed + "; " + *wiped;
    }
};

class BitFlipFault final : public NodeFault {
public:
    using NodeFault::NodeFault;
    Result<std::string> inject() override {
        const auto killed = kill_process(facts().pid);
        if (!killed) return killed;
        if (!tools_.record) return Error{Errc::kNotFound, "no record was acknowledged yet"};
        const auto flipped = flip_bit_of_record(facts().data, *tools_.record);
        if (!flipped) return flipped;
        return *killed + "; " + *flipped;
    }
};

class DiskFullFault final : public NodeFault {
public:
    using NodeFault::NodeFault;
    Result<std::string> inject() override {
        auto ballast = Ballast::fill(facts().data);
        if (!ballast) return std::move(ballast).error();
        ballast_.emplace(std::move(*ballast));
        return ballast_->what();
    }
    Result<std::string> heal() override {
        const auto released = ballast_ ? ballast_->release() : std::string("nothing to release");
        if (!released) return released;
        const char state = process_state(facts().pid);
        ended_ = state == 0 || state == 'Z';
        if (!ended_) return *released;
        // A server may end for want of space; whoever runs it would start it again.
        const auto started = NodeFault::heal();
        if (!started) return started;
        return *released + "; it had ended by itself; " + *started;
    }
    Result<std::string> await_healed() override {
        return ended_ ? NodeFault::await_healed() : std::string();
    }

private:
    std::optional<Ballast> ballast_;
    bool ended_ = false;  // The server, meanwhile.
};

}  // namespace

std::unique_ptr<Fault> make_fault(const FaultPlan& plan, const FaultTools& tools,
                                  std::uint32_t node) {
    switch (plan.kind) {
        case FaultKind::kKill: return std::make_unique<KillFault>(tools, node);
        case FaultKind::kTerm: return std::make_unique<TermFault>(tools, node);
        case FaultKind::kPause: return std::make_unique<PauseFault>(tools, node);
        case FaultKind::kRestartStorm:
            return std::make_unique<StormFault>(tools, node, plan.restarts);
        case FaultKind::kWipe: return std::make_unique<WipeFault>(tools, node);
        case FaultKind::kBitFlip: return std::make_unique<BitFlipFault>(tools, node);
        case FaultKind::kDiskFull: return std::make_unique<DiskFullFault>(tools, node);
    }
    return nullptr;
}

}  // namespace walrus::harness
