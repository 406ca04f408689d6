// SimLoad: what a SimCluster runs on its nodes besides Raft, and what is asked of it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "walrus/testing/sim_host.h"
#include "walrus/testing/sim_raft.h"

namespace walrus::testing {

class SimLoad {
public:
    virtual ~SimLoad() = default;
    // The state machine behind the Raft member of a process.
    virtual std::unique_ptr<SimStateMachine> make_state() = 0;
    // A host came into being; its Raft member is machine 0.
    virtual void add_host(SimHost& host) = 0;
    // A client turns to this host, which is running.
    virtual void request(SimHost& host) = 0;
    // Whether nothing is lost when the disk of this host is; it is lost.
    virtual bool may_lose_disk(SimAddress address) = 0;
    virtual void lost_disk(SimAddress address) = 0;
    // Faults are over: whether everything works again.
    virtual bool recovered() = 0;
    // The end: the last checks.
    virtual void finish() = 0;
    virtual std::optional<std::string> violation() const = 0;
};

}  // namespace walrus::testing
