// Recorder: sorts what happened to appends into a writer's report.  Private to the writers.
#pragma once

#include <cstdint>

#include "harness/workload/latency_series.h"
#include "harness/workload/writer.h"

namespace walrus::harness {

// The moments of one append.
struct AppendTimes {
    std::uint64_t due_ns = 0;    // When it should have been sent.
    std::uint64_t begin_ns = 0;  // The call.
    std::uint64_t end_ns = 0;    // The acknowledgement.
};

// `scheduled`: the append had a due moment of its own (open loop).
template <bool scheduled>
class Recorder {
public:
    Recorder(const WriterPlan& plan, WriterReport& report, LatencySeries& latency)
        : plan_(plan), report_(report), latency_(plan.window, latency) {}

    void sent(const AppendTimes& times) {
        if constexpr (scheduled) {
            if (!plan_.window.contains(times.begin_ns)) return;
            report_.lag_ns = times.begin_ns - times.due_ns;
            report_.delay_ns.record(report_.lag_ns);
            if (report_.lag_ns > plan_.late_after_ns) ++report_.late_sends;
        }
    }

    void acknowledged(const AppendTimes& times) {
        if (times.end_ns < plan_.window.begin_ns) {
            report_.records_before += plan_.batch;
            return;
        }
        if (times.end_ns >= plan_.window.end_ns) return outstanding_at_end();
        if constexpr (scheduled) {
            latency_.record(times.end_ns, times.end_ns - times.due_ns);
            report_.service_ns.record(times.end_ns - times.begin_ns);
        } else {
            latency_.record(times.end_ns, times.end_ns - times.begin_ns);
        }
        ++report_.appends;
        report_.records += plan_.batch;
    }

    // An append that was sent and had no acknowledgement when the window ended.
    void outstanding_at_end() { report_.in_flight_at_end += plan_.batch; }

private:
    const WriterPlan& plan_;
    WriterReport& report_;
    IntervalRecorder latency_;
};

// Topics in turn, so that every topic of the writer gets the same share.
class TopicCycle {
public:
    explicit TopicCycle(const WriterPlan& plan) : plan_(plan), topic_(plan.first_topic) {}

    std::uint32_t next() {
        const std::uint32_t topic = topic_;
        topic_ += plan_.topic_step;
        if (topic_ >= plan_.topics) topic_ = plan_.first_topic;
        return topic;
    }

private:
    const WriterPlan& plan_;
    std::uint32_t topic_;
};

}  // namespace walrus::harness
