// Pacers: when a writer may send its next append.  Private to the writers; one type per load, so
// that the loops are compiled for each.
//
//   bool wait(now_ns, due_ns)   `now_ns`: a recent reading of the clock.  Waits until the next
//                               append may be sent and sets the moment it is due; false when the
//                               window is over.
#pragma once

#include <algorithm>
#include <cstdint>

#include "harness/metrics/paced_clock.h"
#include "harness/workload/schedule.h"
#include "harness/workload/writer.h"

namespace walrus::harness {

// At once.
class ClosedPacer {
public:
    static constexpr bool kScheduled = false;

    ClosedPacer(const WriterPlan& plan, PacedClock&, WriterReport&) : end_ns_(plan.window.end_ns) {}

    bool wait(std::uint64_t now_ns, std::uint64_t& due_ns) const {
        due_ns = now_ns;
        return now_ns < end_ns_;
    }

private:
    const std::uint64_t end_ns_;
};

// At once within a burst; a pause after each.
class BurstPacer {
public:
    static constexpr bool kScheduled = false;

    BurstPacer(const WriterPlan& plan, PacedClock& clock, WriterReport&)
        : plan_(plan), clock_(clock), burst_(plan.bursts.records), left_(plan.bursts.records) {}

    bool wait(std::uint64_t now_ns, std::uint64_t& due_ns) {
        due_ns = now_ns;
        if (now_ns >= plan_.window.end_ns) return false;
        if (left_ == 0) {
            const std::uint64_t end_ns = plan_.window.end_ns;
            clock_.wait_until(std::min(now_ns + plan_.bursts.pause_ns, end_ns));
            due_ns = clock_.monotonic_ns();
            left_ = burst_ = next_burst();
        }
        left_ -= std::min<std::uint64_t>(left_, plan_.batch);
        return due_ns < plan_.window.end_ns;
    }

private:
    std::uint64_t next_burst() const {
        const Bursts& bursts = plan_.bursts;
        const std::uint64_t next = burst_ + bursts.growth_records;
        return next > std::max(bursts.records, bursts.most_records) ? bursts.records : next;
    }

    const WriterPlan& plan_;
    PacedClock& clock_;
    std::uint64_t burst_;  // Records of the current burst.
    std::uint64_t left_;   // Of it.
};

// At the moments of a schedule.  Also counts what was due, sent or not.
class OpenPacer {
public:
    static constexpr bool kScheduled = true;

    OpenPacer(const WriterPlan& plan, PacedClock& clock, WriterReport& report)
        : plan_(plan), clock_(clock), report_(report), schedule_(plan.schedule) {
        const Window& window = plan.window;
        report.due.resize((window.end_ns - window.begin_ns + window.interval_ns - 1) /
                          window.interval_ns);
    }

    bool wait(std::uint64_t now_ns, std::uint64_t& due_ns) {
        due_ns = schedule_.next();
        // The kernel's clock and ours may differ by a little: an early return is not the moment.
        while (now_ns < due_ns && due_ns < plan_.window.end_ns) {
            clock_.wait_until(due_ns);
            now_ns = clock_.monotonic_ns();
        }
        if (due_ns < plan_.window.end_ns && now_ns < plan_.window.end_ns) {
            count(due_ns);
            return true;
        }
        if (due_ns < plan_.window.end_ns) report_.lag_ns = plan_.window.end_ns - due_ns;
        for (; due_ns < plan_.window.end_ns; due_ns = schedule_.next()) {
            count(due_ns);
            report_.unsent_at_end += plan_.batch;
        }
        return false;
    }

private:
    void count(std::uint64_t due_ns) {
        if (due_ns < plan_.window.begin_ns) {
            report_.due_before += plan_.batch;
        } else {
            report_.due[plan_.window.interval_of(due_ns)] += plan_.batch;
        }
    }

    const WriterPlan& plan_;
    PacedClock& clock_;
    WriterReport& report_;
    Schedule schedule_;
};

}  // namespace walrus::harness
