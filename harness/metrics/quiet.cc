#include "harness/metrics/quiet.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace walrus::harness {
namespace {

// Times of processes are counted in ticks of 10 ms; a total may be off by one at either end.
constexpr double kTickS = 0.010;
constexpr double kTickAllowanceS = 2 * kTickS;
// Bytes that a log daemon or a journal writes now and then.
constexpr double kIoAllowanceBytes = 4 << 20;
// "Busy" is sampled by a timer, so it is off by about the square root of the number of samples that
// found somebody.  Four times that, and something on top, is no accident.
constexpr double kUnexplainedLimit = 0.10;
constexpr double kSampleS = 0.004;
constexpr double kSigmas = 4;

double seconds_of(const ActivityDelta& delta) {
    return std::max(1e-3, static_cast<double>(delta.elapsed_ns) / 1e9);
}

std::vector<std::string> reasons_of(const ActivityDelta& delta, const QuietLimits& limits) {
    const double seconds = seconds_of(delta);
    const double allowance = kTickAllowanceS / seconds;
    const double busy_s = static_cast<double>(delta.total.busy_us) / 1e6;
    const double sampling_error = kSigmas * std::sqrt(busy_s * kSampleS) / seconds;
    std::vector<std::string> reasons;
    const auto share = [&](double value, const char* text) {
        reasons.push_back(fmt::format(fmt::runtime(text), value * 100));
    };
    if (delta.other_cpu_share > limits.other_cpu_share + allowance) {
        share(delta.other_cpu_share, "other processes used {:.0f} % of a processor");
    }
    if (delta.unexplained_cpu_share > kUnexplainedLimit + sampling_error) {
        share(delta.unexplained_cpu_share,
              "processes that cannot be seen from here used {:.0f} % of a processor");
    }
    if (delta.steal_share > limits.steal_share + allowance) {
        share(delta.steal_share, "the host took {:.0f} % of a processor");
    }
    const auto others_bytes = static_cast<double>(delta.total.others_io_bytes);
    if (others_bytes > limits.other_io_bytes_per_s * seconds + kIoAllowanceBytes) {
        reasons.push_back(fmt::format("other processes read and wrote {:.0f} MiB/s",
                                      others_bytes / seconds / (1 << 20)));
    }
    return reasons;
}

}  // namespace

std::string disturbance(const ActivityDelta& delta, const QuietLimits& limits) {
    return fmt::format("{}", fmt::join(reasons_of(delta, limits), "; "));
}

std::string idle_disturbance(const ActivityDelta& delta, const QuietLimits& limits) {
    std::vector<std::string> reasons = reasons_of(delta, limits);
    const auto waited = [&](std::uint64_t pressure_us, const char* what) {
        const double share = static_cast<double>(pressure_us) / 1e6 / seconds_of(delta);
        if (share <= limits.idle_pressure_share) return;
        reasons.push_back(
            fmt::format("other tasks waited for {} {:.0f} % of the time", what, share * 100));
    };
    waited(delta.total.cpu_pressure_us, "a processor");
    waited(delta.total.io_pressure_us, "the disk");
    waited(delta.total.memory_pressure_us, "memory");
    return fmt::format("{}", fmt::join(reasons, "; "));
}

}  // namespace walrus::harness
