#include "harness/metrics/paced_clock.h"

#include <time.h>

#include <cerrno>

#include "harness/driver/file_descriptor.h"

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace walrus::harness {
namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

std::uint64_t kernel_ns(clockid_t id) {
    timespec now{};
    ::clock_gettime(id, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * kNsPerSecond +
           static_cast<std::uint64_t>(now.tv_nsec);
}

class KernelClock : public PacedClock {
public:
    std::uint64_t monotonic_ns() override { return kernel_ns(CLOCK_MONOTONIC); }
    std::uint64_t wall_ms() override { return kernel_ns(CLOCK_REALTIME) / 1'000'000; }
    const char* source() const override { return "clock_gettime(CLOCK_MONOTONIC)"; }

    void wait_until(std::uint64_t deadline_ns) override {
        std::uint64_t now = monotonic_ns();
        // Going to sleep and waking up takes longer than this.
        constexpr std::uint64_t kSpinNs = 5'000;
        if (deadline_ns <= now + kSpinNs) {
            while (now < deadline_ns) now = monotonic_ns();
            return;
        }
        const std::uint64_t until = kernel_ns(CLOCK_MONOTONIC) + (deadline_ns - now);
        const timespec at{.tv_sec = static_cast<time_t>(until / kNsPerSecond),
                          .tv_nsec = static_cast<long>(until % kNsPerSecond)};
        while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) == EINTR) continue;
    }
};

#if defined(__x86_64__)

bool counter_is_steady() {
    const auto cpu = read_whole_file("/proc/cpuinfo");
    const auto source =
        read_whole_file("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    return cpu && source && cpu->find(" constant_tsc") != std::string::npos &&
           cpu->find(" nonstop_tsc") != std::string::npos && source->starts_with("tsc");
}

class CounterClock final : public KernelClock {
public:
    CounterClock() {
        // 20 ms give the rate to about 10 ppm: 10 us in a second, the same for every system.
        constexpr std::uint64_t kCalibrationNs = 20'000'000;
        const std::uint64_t start_ns = kernel_ns(CLOCK_MONOTONIC);
        base_ticks_ = __rdtsc();
        std::uint64_t end_ns = start_ns;
        std::uint64_t end_ticks = base_ticks_;
        while (end_ns - start_ns < kCalibrationNs) {
            end_ns = kernel_ns(CLOCK_MONOTONIC);
            end_ticks = __rdtsc();
        }
        base_ns_ = start_ns;
        __extension__ using Wide = unsigned __int128;
        scale_ = static_cast<std::uint64_t>((static_cast<Wide>(end_ns - start_ns) << kShift) /
                                            (end_ticks - base_ticks_));
    }

    std::uint64_t monotonic_ns() override {
        __extension__ using Wide = unsigned __int128;
        return base_ns_ + static_cast<std::uint64_t>(
                              (static_cast<Wide>(__rdtsc() - base_ticks_) * scale_) >> kShift);
    }
    const char* source() const override { return "time stamp counter"; }

private:
    static constexpr unsigned kShift = 32;
    std::uint64_t base_ticks_ = 0;
    std::uint64_t base_ns_ = 0;
    std::uint64_t scale_ = 0;  // Nanoseconds per tick, times 2^kShift.
};

#endif

}  // namespace

PacedClock& machine_clock() {
#if defined(__x86_64__)
    static const bool steady = counter_is_steady();
    if (steady) {
        static CounterClock counter;
        return counter;
    }
#endif
    static KernelClock kernel;
    return kernel;
}

}  // namespace walrus::harness
