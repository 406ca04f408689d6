// SimSchedule: what happens next, in virtual time.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "walrus/testing/sim_clock.h"

namespace walrus::testing {

inline constexpr std::uint64_t kMsNs = 1'000'000;
inline constexpr std::uint64_t kSecondNs = 1'000'000'000;

// One thread.  Actions of one moment run in the order in which they were added, so the same calls
// give the same run.
class SimSchedule {
public:
    using Action = std::function<void()>;

    SimClock& clock() { return clock_; }
    // Since the beginning.
    std::uint64_t now_ns() const { return now_ns_; }
    void after(std::uint64_t delay_ns, Action action);
    // Runs the next action and moves the clock to its moment; false when there is none before
    // `until_ns`, and then the clock stands there.
    bool run_next(std::uint64_t until_ns);
    // Actions run so far.
    std::uint64_t steps() const { return steps_; }

private:
    struct Event {
        std::uint64_t at_ns;
        std::uint64_t number;
        Action action;
    };

    static bool later(const Event& a, const Event& b) {
        return a.at_ns != b.at_ns ? a.at_ns > b.at_ns : a.number > b.number;
    }
    void move_to(std::uint64_t ns);

    SimClock clock_;
    std::uint64_t now_ns_ = 0;
    std::uint64_t numbers_ = 0;
    std::uint64_t steps_ = 0;
    std::vector<Event> heap_;  // The earliest first.
};

}  // namespace walrus::testing
