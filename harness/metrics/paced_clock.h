// PacedClock: a clock that can also be waited for; the harness's only source of time.
#pragma once

#include <cstdint>

#include "walrus/base/clock.h"

namespace walrus::harness {

// Thread-safe.
class PacedClock : public Clock {
public:
    // Returns at `deadline_ns` of the monotonic clock, or soon after.
    virtual void wait_until(std::uint64_t deadline_ns) = 0;
    // How it reads the time; for the result file.
    virtual const char* source() const = 0;
};

// The machine's clock.  Reads the processor's time stamp counter directly when it is constant and
// unstopped (about 10 ns a reading, half of clock_gettime), calibrated once against CLOCK_MONOTONIC
// and counted from there; otherwise CLOCK_MONOTONIC.
PacedClock& machine_clock();

}  // namespace walrus::harness
