// Proposer: commands of the metadata log that are proposed until they are applied or cannot be.
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "walrus/cluster_broker/core.h"

namespace walrus::cluster_broker {

// On the loop.  `core` outlives it.
class Proposer {
public:
    // Makes the command from the state of the moment.  kResourceExhausted, kBusy: not now.
    using Make = std::function<Result<cluster::CommandBody>()>;
    // kTimeout: the outcome is unknown.  Else the last outcome, which may be any but those that
    // another look at the state may mend.
    using Done = std::function<void(Result<cluster::CommandResult>)>;

    explicit Proposer(Core& core) : core_(core) {}
    ~Proposer();

    // Tries for the broker's patience.
    void propose(Make make, Done done);
    // Answers all that waits.
    void close();

private:
    struct Job {
        Make make;
        Done done;
        std::uint64_t deadline_ms = 0;
        net::TimerId timer = 0;
    };

    void attempt(std::uint64_t number);
    void on_result(std::uint64_t number, Result<cluster::CommandResult> result);
    void end(std::uint64_t number, Result<cluster::CommandResult> result);

    Core& core_;
    std::map<std::uint64_t, Job> jobs_;
    std::uint64_t last_ = 0;
};

}  // namespace walrus::cluster_broker
