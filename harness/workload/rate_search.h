// RateSearch: finds the highest rate that is sustained; pure, knows neither clock nor system.
//
//   grow: double from the start until a step is not sustained (or halve until one is)
//   bisect: between the highest sustained and the lowest unsustained rate, to within the precision
//   confirm: the rate that was found once more, in a step of its own; when it fails, lower
#pragma once

#include <cstdint>
#include <vector>

#include "harness/workload/figures.h"

namespace walrus::harness {

struct RateSearchPlan {
    std::uint64_t start_per_s = 1'000;
    std::uint64_t most_per_s = 1'000'000'000;
    double precision = 0.05;  // Ends when the unsustained rate is at most this much higher.
    std::uint32_t most_steps = 32;
};

// Used by one thread at a time.
class RateSearch {
public:
    explicit RateSearch(const RateSearchPlan& plan);

    // The rate of the next step; 0: the search is over.
    std::uint64_t next_rate() const { return over_ ? 0 : rate_; }
    // The next step confirms what was found.
    bool confirming() const { return confirming_; }
    // What came of the step at next_rate().
    void observe(bool sustained);

    // The confirmed rate; 0: none, or not within the allowed number of steps.
    std::uint64_t found() const { return found_; }

private:
    void choose_next();

    const RateSearchPlan plan_;
    std::uint64_t rate_;
    std::uint64_t sustained_ = 0;    // The highest rate that was.
    std::uint64_t unsustained_ = 0;  // The lowest rate that was not; 0: none yet.
    std::uint64_t found_ = 0;
    std::uint32_t steps_ = 0;
    bool confirming_ = false;
    bool doubted_ = false;  // A rate that had been sustained was not, later.
    bool over_ = false;
};

// What an open-loop step showed.
struct StepObservation {
    std::uint64_t rate_per_s = 0;
    std::uint64_t achieved_per_s = 0;
    std::uint64_t lag_ns = 0;
    Histogram latency_ns;
    std::vector<std::int64_t> backlog;  // Records due and not acknowledged, by interval.
    std::uint64_t due_per_interval = 0;
};

// Judges it: sustained when p99 is within the bound and the backlog of the last quarter is not
// larger than that of the quarter before, within one in a hundred of the records due meanwhile (or
// `slack` records, if that is more).  At least four intervals are needed.
SearchStep judge_step(const StepObservation& step, std::uint64_t p99_bound_ns, std::uint64_t slack);

}  // namespace walrus::harness
