// Recovery: how long a system was away, from its history alone.  Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/history/history.h"
#include "harness/metrics/histogram.h"

namespace walrus::harness {

// One phase.  Appends belong to the phase in which they were due.
struct PhaseFigures {
    std::string name = {};
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;
    std::uint64_t appends = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t failed = 0;
    std::uint64_t unknown = 0;
    // From the due moment to the outcome, whatever it was; without one, to the end of the history.
    // So errors and timeouts are in it, as the time they took.
    Histogram latency_ns = {};
};

// One fault.  Without a value: it never came, which is a liveness violation when it was due.
struct FaultFigures {
    std::uint32_t id = 0;
    std::uint64_t attempts = 0;      // Appends sent from its begin until it was healed.
    std::uint64_t acknowledged = 0;  // Of these.
    std::uint64_t down_ns = 0;       // From its begin until it was healed.
    // From its begin to the first acknowledgement of an append sent after it was witnessed, of the
    // topic that waited longest.
    std::optional<std::uint64_t> first_ack_ns = {};
    // From the beginning of the heal until everything was as before: each topic had acknowledged an
    // append sent after the heal, what was open when it was healed had its outcome, and every
    // consumer had got what was acknowledged by then.
    std::optional<std::uint64_t> recovered_ns = {};
};

struct TopicAvailability {
    std::uint32_t topic = 0;
    std::uint64_t longest_gap_ns = 0;  // Between acknowledgements, of the whole load.
    std::uint64_t unavailable_ns = 0;  // All gaps longer than kUnavailableNs together.
};
inline constexpr std::uint64_t kUnavailableNs = 100'000'000;

struct RecoveryFigures {
    std::vector<PhaseFigures> phases = {};
    std::vector<FaultFigures> faults = {};
    std::vector<TopicAvailability> topics = {};
};

RecoveryFigures measure_recovery(const History& history);

// Records acknowledged and not yet read by the slowest consumer, at the end of each interval.
std::vector<std::uint64_t> unread_over_time(const History& history, std::uint64_t begin_ns,
                                            std::uint64_t end_ns, std::uint64_t interval_ns);

}  // namespace walrus::harness
