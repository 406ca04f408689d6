// TimedEnv: the disk, with a note of how long it takes until what is written is durable.
#pragma once

#include <memory>

#include "walrus/base/clock.h"
#include "walrus/base/mutex.h"
#include "walrus/broker/latency_histogram.h"
#include "walrus/env/env.h"

namespace walrus::node {

// What a disk's syncs took, from their start to their end.  Thread-safe.
class SyncTimes {
public:
    struct Totals {
        broker::LatencyHistogram durations;
        std::uint64_t errors = 0;
    };

    void add(std::uint64_t duration_ns, bool failed);
    Totals totals() const;

private:
    mutable Mutex mutex_;
    Totals totals_;  // Under mutex_.
};

// Hands everything to `disk`; durable writes and syncs of files are timed.  All of them outlive it
// and what it opens.
std::unique_ptr<env::Env> make_timed_env(env::Env& disk, Clock& clock, SyncTimes& times);

}  // namespace walrus::node
