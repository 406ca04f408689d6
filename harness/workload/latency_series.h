// Latencies by interval of the window, merged over all writers without loss.
//
// A writer records into a histogram of its own (IntervalRecorder) and hands it over when the next
// interval begins, so that a record costs what one histogram costs, and n writers and m intervals
// take n + m histograms of memory, not n x m.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "harness/metrics/histogram.h"
#include "harness/workload/window.h"

namespace walrus::harness {

// Thread-safe.
class LatencySeries {
public:
    void merge(std::size_t interval, const Histogram& latency_ns);

    // The whole window: all intervals merged.
    Histogram total() const;
    // One past the last interval in which anything was recorded.
    std::size_t intervals() const;
    // A copy; empty when nothing was recorded.
    Histogram at(std::size_t interval) const;

private:
    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<Histogram>> intervals_;  // Null: nothing was recorded.
};

// One writer's way in.  Used by one thread at a time; what it holds is handed over by flush() and
// by the destructor.
class IntervalRecorder {
public:
    IntervalRecorder(const Window& window, LatencySeries& series)
        : window_(window), series_(series) {}
    ~IntervalRecorder() { flush(); }
    IntervalRecorder(const IntervalRecorder&) = delete;
    IntervalRecorder& operator=(const IntervalRecorder&) = delete;

    // `now_ns` is within the window; calls may be slightly out of order.
    void record(std::uint64_t now_ns, std::uint64_t latency_ns) {
        if (now_ns < begin_ns_ || now_ns >= end_ns_) move_to(now_ns);
        current_.record(latency_ns);
    }
    void flush();

private:
    void move_to(std::uint64_t now_ns);

    const Window& window_;
    LatencySeries& series_;
    Histogram current_;
    std::size_t interval_ = 0;
    std::uint64_t begin_ns_ = 0;  // Of the interval that current_ belongs to.
    std::uint64_t end_ns_ = 0;
};

}  // namespace walrus::harness
