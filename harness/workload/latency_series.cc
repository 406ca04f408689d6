#include "harness/workload/latency_series.h"

namespace walrus::harness {

void LatencySeries::merge(std::size_t interval, const Histogram& latency_ns) {
    const std::lock_guard lock(mutex_);
    if (interval >= intervals_.size()) intervals_.resize(interval + 1);
    if (intervals_[interval] == nullptr) intervals_[interval] = std::make_unique<Histogram>();
    intervals_[interval]->merge(latency_ns);
}

Histogram LatencySeries::total() const {
    const std::lock_guard lock(mutex_);
    Histogram total;
    for (const auto& interval : intervals_) {
        if (interval != nullptr) total.merge(*interval);
    }
    return total;
}

std::size_t LatencySeries::intervals() const {
    const std::lock_guard lock(mutex_);
    return intervals_.size();
}

Histogram LatencySeries::at(std::size_t interval) const {
    const std::lock_guard lock(mutex_);
    const bool recorded = interval < intervals_.size() && intervals_[interval] != nullptr;
    return recorded ? *intervals_[interval] : Histogram();
}

void IntervalRecorder::flush() {
    if (current_.count() == 0) return;
    series_.merge(interval_, current_);
    current_.clear();
}

void IntervalRecorder::move_to(std::uint64_t now_ns) {
    flush();
    interval_ = window_.interval_of(now_ns);
    begin_ns_ = window_.begin_ns + interval_ * window_.interval_ns;
    end_ns_ = begin_ns_ + window_.interval_ns;
}

}  // namespace walrus::harness
