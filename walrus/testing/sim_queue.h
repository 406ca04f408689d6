// SimQueue: several transfers in flight on a simulated disk.
#pragma once

#include <memory>
#include <vector>

#include "walrus/base/random.h"
#include "walrus/env/env.h"
#include "walrus/testing/sim_disk.h"

namespace walrus::testing {

// A transfer happens when complete() picks it, in an order that the seed decides.  Until then a
// crash may lose it or leave any part of it.
class SimQueue final : public env::IoQueue {
public:
    // The caller holds the disk's mutex.
    SimQueue(std::shared_ptr<SimDisk> disk, std::size_t depth, std::uint64_t seed);
    ~SimQueue() override;

    std::size_t depth() const override { return depth_; }
    void submit(env::IoRequest& request) override;
    env::IoRequest* complete(bool block) override;
    void wake() override;

    // Adds the writes in flight.  The caller holds the disk's mutex.
    void append_in_flight(std::vector<SimInFlight>& writes) const;

private:
    env::IoRequest* pick(bool block);

    const std::shared_ptr<SimDisk> disk_;
    const std::size_t depth_;
    SeededRandom random_;
    // Guarded by the disk's mutex:
    std::vector<env::IoRequest*> in_flight_;
    bool woken_ = false;  // A wake() that no complete(true) has answered yet.
};

}  // namespace walrus::testing
