// Fault: something done to one node from outside, seen to have happened, and undone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "harness/driver/nodes.h"
#include "harness/fault/data_fault.h"
#include "harness/scenario/resilience.h"
#include "walrus/base/random.h"
#include "walrus/base/result.h"

namespace walrus::harness {

// What faults work with; all of it outlives them.
struct FaultTools {
    Nodes& nodes;
    Random& random;
    // An acknowledged record, for kBitFlip; nothing: there is none yet.
    std::optional<RecordBytes> record = {};
};

// Used by the thread that uses the nodes.  heal() and then await_healed() are called once each,
// after inject(), whether that succeeded or not.  They are two so that several nodes, which may
// need each other, can be brought back together.
class Fault {
public:
    virtual ~Fault() = default;

    // Does it and returns what was seen; an error: it was not seen to happen.
    virtual Result<std::string> inject() = 0;
    // Undoes it.
    virtual Result<std::string> heal() = 0;
    // Returns when the node answers clients again, with what was seen.
    virtual Result<std::string> await_healed() = 0;
};

std::unique_ptr<Fault> make_fault(const FaultPlan& plan, const FaultTools& tools,
                                  std::uint32_t node);

}  // namespace walrus::harness
