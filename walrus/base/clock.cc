#include "walrus/base/clock.h"

#include <chrono>

namespace walrus {
namespace {

class MachineClock final : public Clock {
public:
    std::uint64_t monotonic_ns() override {
        return count<std::chrono::nanoseconds>(std::chrono::steady_clock::now());
    }
    std::uint64_t wall_ms() override {
        return count<std::chrono::milliseconds>(std::chrono::system_clock::now());
    }

private:
    template <class Unit, class TimePoint>
    static std::uint64_t count(TimePoint now) {
        return static_cast<std::uint64_t>(
            std::chrono::duration_cast<Unit>(now.time_since_epoch()).count());
    }
};

}  // namespace

Clock& system_clock() {
    static MachineClock clock;
    return clock;
}

}  // namespace walrus
