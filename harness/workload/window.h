// Window: the measured part of a run, on the monotonic clock.
#pragma once

#include <cstddef>
#include <cstdint>

namespace walrus::harness {

// Only what is acknowledged within [begin_ns, end_ns) is measured; sending stops at end_ns and
// in-flight appends are waited for.
struct Window {
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;
    std::uint64_t interval_ns = 100'000'000;  // Of every series.

    bool contains(std::uint64_t now_ns) const { return now_ns >= begin_ns && now_ns < end_ns; }
    // Of a moment within the window.
    std::size_t interval_of(std::uint64_t now_ns) const {
        return (now_ns - begin_ns) / interval_ns;
    }
};

}  // namespace walrus::harness
