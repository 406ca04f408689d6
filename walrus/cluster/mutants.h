// Known ways to get the segment protocol wrong, each compiled in only for tests.
//
// A checker that never fails proves nothing.  The target walrus_cluster_mutants is a second copy of
// this room built with WALRUS_CLUSTER_MUTANTS; a test switches one mutant on and must then see its
// checker fail (mutants_test.cc).  In every other build mutant_on() is constant false.
#pragma once

#include <cstdint>

namespace walrus::cluster {

// The invariant in brackets (spec/invariants.md) is what the mutant breaks first.
enum class Mutant : std::uint8_t {
    kNone,
    kFenceOneTooFew,       // [I6] The coordinator is content with F - 1 replies.
    kFenceDoesNotPromise,  // [I4] A fencing read that does not fence (BookKeeper's defect).
    kPromiseNotPersisted,  // [I4] The fence is answered before the promise is durable.
    kAckAfterPromise,      // [I4] An append in flight is acknowledged after the promise.
    kOldEpochAccepted,     // [I4] A replica does not look at the epoch of an append.
    kLengthIsShortest,     // [I6] The coordinator takes the shortest length.
    kWipedDiskCounts,      // [I12] A reply from another disk counts.
    kLossyReplyCounts,     // [I6] A replica that may have forgotten acknowledgements counts.
    kSealWithoutCas,       // [I5] The state machine does not compare the epoch of a seal.
    kSealBeforeCopy,       // [I7] Fenced replicas are named as holders before they have the tail.
    kAckBeforeDurable,     // [I3] A replica answers before its disk does.
    kAckQuorumOneTooFew,   // [I3] The high watermark is the (A+1)-th largest length.
    kLeaderResumes,        // [I1] A restarted leader goes on in its old segment.
    kGapAccepted,          // [I2] A replica stores batches behind a gap.
    kRolloverBeforeDrain,  // [I6] The leader seals at its high watermark with appends in flight.
    kProducersForgotten,   // [I10] A new leader starts without the producers' state.
    kTailKeptAtSeal,       // [I2] A replica keeps what lies behind the sealed length.
    kDropByOldMetadata,  // [I7] A restarted node drops copies that its old metadata does not name.
    kFinalByOldLeader,   // [I10] A leader says "out of order" without being confirmed.
    kConfirmsWhileRollingOver,  // [I8] A leader confirms reads after it proposed its seal.
    kCount,
};

#ifdef WALRUS_CLUSTER_MUTANTS
// One test at a time sets it; the copy of the room under test has no other global.
inline Mutant active_mutant = Mutant::kNone;
inline bool mutant_on(Mutant mutant) {
    return active_mutant == mutant;
}
#else
constexpr bool mutant_on(Mutant) {
    return false;
}
#endif

}  // namespace walrus::cluster
