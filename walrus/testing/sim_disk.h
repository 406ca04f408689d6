// SimDisk: the state behind a SimEnv and its files, rings and queues.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "walrus/testing/sim_env.h"
#include "walrus/testing/sim_names.h"
#include "walrus/testing/sim_node.h"

namespace walrus::testing {

class SimQueue;

std::string_view sim_operation_name(SimOperation::Kind kind);

// Decides which operations happen.  Guarded by the mutex of its disk.
class SimFaults {
public:
    enum class Fate {
        kHappens,
        kFails,       // Changes nothing.
        kHalf,        // Half of a write happens, and it fails.
        kWasTheLast,  // Killed the machine.
    };
    struct Verdict {
        Fate fate = Fate::kHappens;
        Status status;  // An error unless kHappens.
    };

    Verdict admit(const SimOperation& operation);

    std::uint64_t count() const { return count_; }
    bool dead() const { return dead_; }
    void cut_after(std::uint64_t n) { cut_ = n; }
    void fail_operation(std::uint64_t n, Errc error, Repeat repeat);
    void short_write(std::uint64_t n) { short_writes_.push_back(n); }
    void fail_when(FaultPredicate predicate, Errc error);
    void clear();

private:
    struct NumberedFault {
        std::uint64_t number;
        Errc error;
        Repeat repeat;
    };

    Verdict numbered_verdict(const SimOperation& operation) const;

    std::uint64_t count_ = 0;
    std::uint64_t cut_ = std::numeric_limits<std::uint64_t>::max();
    bool dead_ = false;
    std::vector<NumberedFault> numbered_;
    std::vector<std::uint64_t> short_writes_;
    std::vector<std::pair<FaultPredicate, Errc>> predicates_;
};

// A write that was submitted and had not completed when the machine died.
struct SimInFlight {
    std::shared_ptr<SimNode> node;
    std::uint64_t position;
    std::vector<std::byte> data;
};

struct SimDisk {
    explicit SimDisk(std::uint64_t disk_seed) : seed(disk_seed) {}

    // The rest of this struct needs `mutex`.

    // Asks the faults; the operation that kills the machine freezes what is in flight.
    SimFaults::Verdict admit(const SimOperation& operation);
    // What a crash at this moment, or the one that happened, finds in flight.
    std::vector<SimInFlight> in_flight() const;
    std::vector<SimInFlight> submitted_writes() const;
    std::shared_ptr<SimNode> new_node();
    std::uint64_t used_bytes() const;
    // kNoSpace when `node` cannot have blocks for the range.
    Status check_space(const SimNode& node, const SimOperation& operation) const;

    mutable std::mutex mutex;
    const std::uint64_t seed;
    SimNames names;
    SimFaults faults;
    std::uint64_t capacity = std::numeric_limits<std::uint64_t>::max();
    std::vector<SimQueue*> queues;                // Alive ones.
    std::uint64_t queues_opened = 0;              // Gives each queue an order of its own.
    std::vector<std::weak_ptr<SimNode>> nodes;    // For the space they take, named or not.
    std::vector<SimInFlight> in_flight_at_death;  // When dead.
};

}  // namespace walrus::testing
