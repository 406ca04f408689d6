#include "walrus/cluster/rollover.h"

namespace walrus::cluster {

const char* rollover_name(RolloverReason reason) {
    switch (reason) {
        case RolloverReason::kRecords: return "records";
        case RolloverReason::kBytes: return "bytes";
        case RolloverReason::kAge: return "age";
        case RolloverReason::kDrain: return "drain";
        case RolloverReason::kReplicaTrouble: return "replica-trouble";
    }
    return "unknown";
}

std::optional<RolloverReason> why_roll_over(const SegmentLimits& limits, const SegmentUsage& usage,
                                            std::uint64_t now_ms) {
    if (usage.draining) return RolloverReason::kDrain;
    if (usage.replica_trouble) return RolloverReason::kReplicaTrouble;
    if (usage.records >= limits.max_records) return RolloverReason::kRecords;
    if (limits.max_bytes != 0 && usage.bytes >= limits.max_bytes) return RolloverReason::kBytes;
    const bool aged = limits.max_age_ms != 0 && usage.records > 0 && now_ms >= usage.opened_ms &&
                      now_ms - usage.opened_ms >= limits.max_age_ms;
    if (aged) return RolloverReason::kAge;
    return {};
}

bool fits(std::uint64_t max_records, std::uint64_t appended, std::uint64_t batch_records) {
    return appended <= max_records && batch_records <= max_records - appended;
}

}  // namespace walrus::cluster
