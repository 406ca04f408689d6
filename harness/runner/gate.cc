#include "harness/runner/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/metrics/quiet.h"

namespace walrus::harness {

Ruling QuietGate::judge(const std::string& disturbance, std::uint32_t attempt,
                        std::uint64_t took_ns) {
    if (!limits_.enabled || disturbance.empty()) return Ruling::kKeep;
    spent_ns_ += took_ns;
    if (attempt + 1 >= limits_.attempts || !wait_for_quiet()) return Ruling::kGiveUp;
    return Ruling::kRetake;
}

bool QuietGate::wait_for_quiet() {
    const std::uint64_t begin_ns = clock_.monotonic_ns();
    const std::uint64_t left_ns = limits_.budget_ns - std::min(spent_ns_, limits_.budget_ns);
    const std::uint64_t end_ns = begin_ns + std::min(left_ns, limits_.wait_ns);
    bool quiet = false;
    while (!quiet && clock_.monotonic_ns() < end_ns && !cancelled_()) {
        quiet = probe_.look().empty();
    }
    spent_ns_ += clock_.monotonic_ns() - begin_ns;
    return quiet && !cancelled_();
}

std::string no_verdict_reason(const SystemResult& system, std::uint32_t rounds) {
    std::set<std::uint32_t> counted;
    std::set<std::uint32_t> rejected;
    std::string last_reason;
    for (const Repetition& repetition : system.repetitions) {
        if (repetition.rejected.empty()) {
            counted.insert(repetition.round);
        } else {
            rejected.insert(repetition.round);
            last_reason = repetition.rejected;
        }
    }
    const auto lost = static_cast<std::uint32_t>(std::ranges::count_if(
        rejected, [&](std::uint32_t round) { return !counted.contains(round); }));
    if (lost * 3 <= rounds) return "";
    return fmt::format(
        "the machine was not quiet in {} of {} rounds ({}): end the other work, or use a quieter "
        "machine, and run again",
        lost, rounds, last_reason);
}

std::string disturbance_of(Measure measure, const Repetition& repetition) {
    switch (measure) {
        case Measure::kAppend:
        case Measure::kMaxRate:
        case Measure::kTail:
        case Measure::kCatchUp:
        case Measure::kDrain: return disturbance(repetition.write.activity);
        case Measure::kScan:
        case Measure::kRestart: return disturbance(repetition.read_back.activity);
    }
    return "";
}

}  // namespace walrus::harness
