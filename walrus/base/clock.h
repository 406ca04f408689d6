// Clock: the seam for time.  No other code asks the system what time it is.
#pragma once

#include <cstdint>

namespace walrus {

// Thread-safe.
class Clock {
public:
    virtual ~Clock() = default;

    // Never goes back; unrelated to the calendar.
    virtual std::uint64_t monotonic_ns() = 0;
    // Milliseconds since 1970-01-01 UTC; may jump either way.
    virtual std::uint64_t wall_ms() = 0;
};

// The machine's clock; lives as long as the program.
Clock& system_clock();

}  // namespace walrus
