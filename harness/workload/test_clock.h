// VirtualClock: time for tests; it moves only when somebody moves it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "harness/metrics/paced_clock.h"

namespace walrus::harness {

inline constexpr std::uint64_t kUs = 1'000;
inline constexpr std::uint64_t kMs = 1'000'000;
inline constexpr std::uint64_t kSecond = 1'000'000'000;

// Used by one thread.
class VirtualClock final : public PacedClock {
public:
    std::uint64_t monotonic_ns() override { return now_ns_; }
    std::uint64_t wall_ms() override { return now_ns_ / kMs; }
    void wait_until(std::uint64_t deadline_ns) override {
        now_ns_ = std::max(now_ns_, deadline_ns);
    }
    const char* source() const override { return "virtual"; }
    void advance(std::uint64_t ns) { now_ns_ += ns; }

private:
    std::uint64_t now_ns_ = 0;
};

}  // namespace walrus::harness
