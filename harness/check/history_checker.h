// Judges a history: what the system did wrong, by name.  Pure.
//
// What must hold, with three outcomes per append (acknowledged, failed, unknown):
//   - an acknowledged record is in the log once, intact, and behind the acknowledged records that
//     its writer sent to the topic before it;
//   - a failed one is nowhere; an unknown one may be there, once, for everybody or for nobody;
//   - an offset holds one record, whoever asks: acknowledgements, polls, final reads, every node;
//   - a consumer goes forward, is led past no record, and in the end has got everything.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/check/checker.h"
#include "harness/history/history.h"

namespace walrus::harness {

struct HistoryVerdict {
    // Records.
    std::uint64_t acknowledged = 0;
    std::uint64_t failed = 0;
    std::uint64_t unknown = 0;
    std::uint64_t in_log = 0;         // Of this run, in the final reads.
    std::uint64_t unknown_found = 0;  // Of unknown outcome, and there.
    std::array<Anomaly, kHistoryAnomalyKinds> anomalies;
    // Topics of which no final read reached the end: whether anything of them is lost is not known.
    std::vector<std::uint32_t> unread_topics;

    const Anomaly& operator[](AnomalyKind kind) const {
        return anomalies[static_cast<std::size_t>(kind)];
    }
    // Found, in the order of AnomalyKind.
    std::vector<AnomalyKind> found() const;
};

// Without a final read of a topic nothing of it counts as lost or unseen.  In an incomplete history
// records beyond a writer's last append count as unknown, not as phantoms: their appends may have
// been sent.
HistoryVerdict judge_history(const History& history);

// Why the history proves nothing, a sentence each: it is incomplete, nothing was acknowledged
// before the first fault, a fault was not witnessed or not healed, nothing was attempted while it
// lasted.  Empty: it counts.  `may_refuse`: a fault that was not healed is none of them.
std::vector<std::string> reasons_for_invalidity(const History& history, bool may_refuse = false);

}  // namespace walrus::harness
