// Checker: compares what was read back with what the writers' journals say.
//
// Every acknowledged record must be there exactly once, intact, and in its writer's order within a
// topic; a failed one must not be there; an unknown one may be there once.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/workload/journal.h"
#include "harness/workload/payload.h"
#include "walrus/base/bytes.h"

namespace walrus::harness {

// Jepsen's names where it has one.
enum class AnomalyKind {
    kLostWrite,         // Acknowledged, and not there.
    kDuplicate,         // There more than once.
    kNonmonotonicPoll,  // Behind a later record of the same writer in the same topic.
    kCorrupt,           // Not the bytes that were written.
    kPhantom,           // Never sent in this run.
    kFailedVisible,     // "G1a": reported as failed, yet there.
    // The rest are found in histories only (history_checker.h).
    kInconsistentOffsets,  // Two records at one offset.
    kPollSkip,             // A consumer was led past a record.
    kUnseen,               // Acknowledged and in the log, and a consumer never got it.
    kReplicaDivergence,    // Two nodes hold different logs.
};
inline constexpr std::size_t kAnomalyKinds = 6;  // What a read-back can find: the first of them.
inline constexpr std::size_t kHistoryAnomalyKinds = 10;
std::string_view anomaly_name(AnomalyKind kind);

struct Anomaly {
    std::uint64_t count = 0;
    std::vector<std::string> examples;  // The first few.
};

struct Verdict {
    std::uint64_t acknowledged = 0;   // Records that had to be there.
    std::uint64_t read = 0;           // Records that were there, whatever they were.
    std::uint64_t unknown_found = 0;  // Of unknown outcome, and there.
    std::array<Anomaly, kAnomalyKinds> anomalies;

    bool ok() const;
    const Anomaly& operator[](AnomalyKind kind) const {
        return anomalies[static_cast<std::size_t>(kind)];
    }
    // "lost-write: 3 (writer 0 record 96, ...); duplicate: 1 (...)"; "" when ok.
    std::string summary() const;
};

// Used by one thread at a time.  Memory: one bit per record sent.
class Checker {
public:
    // `journal` must outlive the checker.
    Checker(std::uint64_t run_id, const Journal& journal);

    // What follows is read from another topic, from its start.
    void begin_topic();
    // The next record in log order.
    void observe(Bytes record);
    // After the last record: looks for what is missing.
    Verdict finish();

private:
    struct WriterState {
        std::vector<std::uint64_t> seen;  // A bit per sequence number.
        std::uint64_t next_in_topic = 0;  // One past the highest seen in this topic.
    };

    void note(AnomalyKind kind, const std::string& example);

    const std::uint64_t run_id_;
    const Journal& journal_;
    std::vector<WriterState> writers_;
    Verdict verdict_;
};

}  // namespace walrus::harness
