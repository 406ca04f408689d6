#include "harness/workload/rate_search.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "walrus/base/assert.h"

namespace walrus::harness {
namespace {

// How far below a rate that was not confirmed the search goes on.
constexpr double kStepDown = 0.95;
constexpr std::size_t kLeastIntervals = 4;
constexpr std::uint64_t kTolerance = 100;  // One in so many records due.

// Of backlog[begin, end).
double mean_of(const std::vector<std::int64_t>& backlog, std::size_t begin, std::size_t end) {
    const auto from = backlog.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto to = backlog.begin() + static_cast<std::ptrdiff_t>(end);
    const std::int64_t sum = std::accumulate(from, to, std::int64_t{0});
    return static_cast<double>(sum) / static_cast<double>(end - begin);
}

}  // namespace

RateSearch::RateSearch(const RateSearchPlan& plan)
    : plan_(plan), rate_(std::clamp<std::uint64_t>(plan.start_per_s, 1, plan.most_per_s)) {}

void RateSearch::observe(bool sustained) {
    WALRUS_ASSERT(!over_);
    ++steps_;
    if (confirming_ && sustained) {
        found_ = rate_;
        over_ = true;
        return;
    }
    if (sustained) {
        sustained_ = std::max(sustained_, rate_);
    } else if (unsustained_ == 0 || rate_ < unsustained_) {
        unsustained_ = rate_;
    }
    if (!sustained && sustained_ >= rate_) {
        // It was sustained once and is not any more: what was known below it is in doubt, too.
        sustained_ = 0;
        doubted_ = true;
    }
    choose_next();
    if (steps_ >= plan_.most_steps) over_ = true;
}

void RateSearch::choose_next() {
    confirming_ = false;
    if (unsustained_ == 0) {
        if (sustained_ < plan_.most_per_s) {
            rate_ = std::min(plan_.most_per_s, sustained_ * 2);
            return;
        }
    } else if (sustained_ == 0) {
        rate_ = static_cast<std::uint64_t>(static_cast<double>(unsustained_) *
                                           (doubted_ ? kStepDown : 0.5));
        over_ = rate_ == 0;
        return;
    } else {
        const auto limit =
            static_cast<std::uint64_t>(static_cast<double>(sustained_) * (1 + plan_.precision));
        const std::uint64_t middle = sustained_ + (unsustained_ - sustained_) / 2;
        if (unsustained_ > limit && middle > sustained_) {
            rate_ = middle;
            return;
        }
    }
    rate_ = sustained_;
    confirming_ = true;
}

SearchStep judge_step(const StepObservation& step, std::uint64_t p99_bound_ns,
                      std::uint64_t slack) {
    SearchStep judged;
    judged.rate_per_s = step.rate_per_s;
    judged.achieved_per_s = step.achieved_per_s;
    judged.lag_ns = step.lag_ns;
    judged.p99_ns = step.latency_ns.quantile(0.99);
    judged.latency_ns = step.latency_ns;
    const std::size_t intervals = step.backlog.size();
    if (intervals < kLeastIntervals) return judged;
    judged.backlog = static_cast<std::uint64_t>(std::max<std::int64_t>(0, step.backlog.back()));
    const std::size_t quarter = intervals / 4;
    const std::size_t last = intervals - quarter;
    judged.backlog_growth = static_cast<std::int64_t>(mean_of(step.backlog, last, intervals) -
                                                      mean_of(step.backlog, last - quarter, last));
    const std::uint64_t allowed = std::max(slack, step.due_per_interval * quarter / kTolerance);
    judged.sustained = step.latency_ns.count() > 0 && judged.p99_ns <= p99_bound_ns &&
                       judged.backlog_growth <= static_cast<std::int64_t>(allowed);
    return judged;
}

}  // namespace walrus::harness
