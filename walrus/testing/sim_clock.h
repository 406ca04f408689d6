// SimClock: time that moves only when a test says so.
#pragma once

#include <atomic>
#include <cstdint>

#include "walrus/base/clock.h"

namespace walrus::testing {

// Thread-safe.
class SimClock final : public Clock {
public:
    // Both clocks start well above zero, so that "now minus an hour" exists.
    static constexpr std::uint64_t kStartWallMs = 1'700'000'000'000;
    static constexpr std::uint64_t kStartMonotonicNs = 86'400'000'000'000;

    std::uint64_t monotonic_ns() override { return kStartMonotonicNs + elapsed_ns_.load(); }
    std::uint64_t wall_ms() override {
        return kStartWallMs + elapsed_ns_.load() / 1'000'000 + wall_shift_ms_.load();
    }

    void advance_ns(std::uint64_t ns) { elapsed_ns_.fetch_add(ns); }
    void advance_ms(std::uint64_t ms) { advance_ns(ms * 1'000'000); }
    // Sets the calendar by this much, forward or back; the monotonic clock does not notice.
    void shift_wall_ms(std::int64_t ms) {
        wall_shift_ms_.fetch_add(static_cast<std::uint64_t>(ms));  // Modulo 2^64, as intended.
    }

private:
    std::atomic<std::uint64_t> elapsed_ns_{0};
    std::atomic<std::uint64_t> wall_shift_ms_{0};
};

}  // namespace walrus::testing
