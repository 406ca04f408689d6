// The quiet gate: whether a repetition counts, is taken again, or is given up.
//
// A repetition that was disturbed by other work is rejected and taken again in the same round,
// after the machine has become quiet.  It is judged by its surroundings only, never by its figures.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "harness/report/result.h"
#include "walrus/base/clock.h"

namespace walrus::harness {

struct GateLimits {
    bool enabled = true;                        // False: everything counts.
    std::uint32_t attempts = 3;                 // Of one repetition, the first included.
    std::uint64_t wait_ns = 20'000'000'000;     // For quiet before a retake.
    std::uint64_t budget_ns = 150'000'000'000;  // Retakes and waits of the whole run.
};

// Watches the machine while the harness does nothing.
class NeighbourProbe {
public:
    virtual ~NeighbourProbe() = default;

    // Takes a moment; returns why the machine is not quiet, "" when it is.
    virtual std::string look() = 0;
};

enum class Ruling {
    kKeep,    // It counts.
    kRetake,  // It does not, and the machine is quiet again: take it once more.
    kGiveUp,  // It does not, and there will be no other.
};

// Used by one thread.
class QuietGate {
public:
    // `cancelled` ends a wait early.
    QuietGate(const GateLimits& limits, NeighbourProbe& probe, Clock& clock,
              std::function<bool()> cancelled)
        : limits_(limits), probe_(probe), clock_(clock), cancelled_(std::move(cancelled)) {}

    // Judges an attempt (from 0) that took `took_ns`.  Waits for quiet before it says kRetake.
    Ruling judge(const std::string& disturbance, std::uint32_t attempt, std::uint64_t took_ns);

    std::uint64_t spent_ns() const { return spent_ns_; }

private:
    bool wait_for_quiet();

    const GateLimits limits_;
    NeighbourProbe& probe_;
    Clock& clock_;
    const std::function<bool()> cancelled_;
    std::uint64_t spent_ns_ = 0;  // On rejected attempts and waits.
};

// Why the figures of a system in a row decide nothing, given `rounds` that were to be taken; ""
// when at least two thirds of them count or went wrong for reasons of the system's own.
std::string no_verdict_reason(const SystemResult& system, std::uint32_t rounds);

// What disturbed the part of a repetition that gives its figure; "" when it was quiet.
std::string disturbance_of(Measure measure, const Repetition& repetition);

}  // namespace walrus::harness
