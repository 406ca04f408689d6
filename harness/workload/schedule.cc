#include "harness/workload/schedule.h"

#include <cmath>

#include "walrus/base/assert.h"

namespace walrus::harness {
namespace {

constexpr double kNsPerSecond = 1e9;

}  // namespace

Schedule::Schedule(const SchedulePlan& plan)
    : plan_(plan), interval_ns_(kNsPerSecond / plan.appends_per_s), random_(plan.seed) {
    WALRUS_ASSERT(plan.appends_per_s > 0);
    if (plan.arrivals == Arrivals::kPoisson) elapsed_ns_ = gap_ns();
}

std::uint64_t Schedule::next() {
    if (plan_.arrivals == Arrivals::kUniform) {
        // Counted from the beginning each time, so that rounding does not add up to a drift.
        const double at = (static_cast<double>(count_++) + plan_.phase) * interval_ns_;
        return plan_.begin_ns + static_cast<std::uint64_t>(at);
    }
    const auto due_ns = plan_.begin_ns + static_cast<std::uint64_t>(elapsed_ns_);
    elapsed_ns_ += gap_ns();
    return due_ns;
}

double Schedule::gap_ns() {
    constexpr double kSteps = 0x1p53;
    const double uniform = (static_cast<double>(random_.next() >> 11) + 1) / kSteps;  // (0, 1]
    return -std::log(uniform) * interval_ns_;
}

}  // namespace walrus::harness
