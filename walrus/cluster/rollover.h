// Rollover: when a healthy segment ends.
#pragma once

#include <cstdint>
#include <optional>

#include "walrus/cluster/metadata.h"

namespace walrus::cluster {

enum class RolloverReason : std::uint8_t {
    kRecords,
    kBytes,
    kAge,
    kDrain,           // The leader or a replica is to be emptied.
    kReplicaTrouble,  // A follower is dead or slow: the next segment gets a healthy set.
};
const char* rollover_name(RolloverReason reason);

struct SegmentUsage {
    std::uint64_t records = 0;  // Appended, acknowledged or not.
    std::uint64_t bytes = 0;
    std::uint64_t opened_ms = 0;
    bool draining = false;
    bool replica_trouble = false;
};

// Why the segment should be rolled over now, if it should.  Limits by bytes and age are goals; an
// empty segment is rolled over only to drain or for replica trouble, never for age.  `now_ms` is
// the wall clock; a clock that went back rolls nothing over.
std::optional<RolloverReason> why_roll_over(const SegmentLimits& limits, const SegmentUsage& usage,
                                            std::uint64_t now_ms);

// max_records is strict, because an unclean seal skips exactly that many offsets: a batch that
// does not fit goes to the next segment.
bool fits(std::uint64_t max_records, std::uint64_t appended, std::uint64_t batch_records);

}  // namespace walrus::cluster
