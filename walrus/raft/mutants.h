// Known ways to get Raft wrong, each compiled in only for tests.
//
// A checker that never fails proves nothing.  The target walrus_raft_mutants is a second copy of
// this room built with WALRUS_RAFT_MUTANTS; a test switches one mutant on and must then see its
// checker fail (mutants_test.cc).  In every other build mutant_on() is constant false.
#pragma once

namespace walrus::raft {

// The number in brackets is the trap of the room's README that the mutant falls into.
enum class Mutant {
    kNone,
    kReplyBeforePersist,       // [1] Promises leave before the write they speak of.
    kSelfVoteBeforePersist,    // [1] A candidate counts its own vote before it is durable.
    kForgetVote,               // [1] The vote is not part of what is persisted.
    kCountOwnUnpersisted,      // [1] The leader counts its own entries before they are durable.
    kLateBatchMarksRewritten,  // [1] An old write's completion marks entries that replaced its own.
    kCommitOldTermEntries,     // [2] Replicas of an earlier term's entry are counted ([P] Fig. 8).
    kVoteForStaleLog,          // [2] The up-to-date check of a vote is skipped ([P] 5.4.1).
    kTruncateOnMatch,          // [3] Entries that match are cut off as if they conflicted.
    kMatchIndexRegress,        // [4] A reordered reply moves match_index back.
    kCommitBeyondLastNew,      // [5] The commit index trusts entries the leader did not vouch for.
    kHeartbeatCommitUnclamped,  // [5] A heartbeat carries a commit index above the follower's
                                // match.
    kConfChangeBeforeNoop,      // [6] Membership may change before a commit of the own term.
    kOverlappingConfChanges,    // [6] A change may begin while another is uncommitted.
    kJointCountsNewOnly,        // [6] In joint consensus only the new majority is asked.
    kLearnersVote,              // [6] Learners are counted as voters.
    kConfKeptAfterTruncation,   // [7] A configuration outlives the entry that carried it.
    kNonMemberRefusesVotes,     // [7] Who is not in its own configuration does not answer votes.
    kRemovedLeaderStays,        // [7] A leader outside the committed configuration goes on.
    kReadBeforeNoop,            // [8] Reads are served before a commit of the own term.
    kReadWithoutQuorum,         // [8] Reads are served without asking anybody.
    kOldSnapshotInstalled,      // [9] A snapshot behind the commit index replaces the log.
    kSnapshotDropsSuffix,       // [9] A snapshot discards entries that follow it.
    kSnapshotForgetsConf,       // [9] The configuration of a snapshot is not taken over.
    kNoLeaderStickiness,        // [10] Votes disturb a follower that hears its leader.
    kNoCheckQuorum,             // [10] A leader that nobody answers stays.
    kTransferUsesPreVote,       // [10] A transfer asks for pre-votes, which stickiness refuses.
    kSilentToLowerTerm,         // [10] A leader of an older term is not told of the newer one.
    kHeartbeatWaitsForDisk,     // [11] Heartbeats are answered only after the disk.
    kAcceptLostCommit,          // [13] A log shorter than its commit index is accepted.
    kStepDownReportsLost,       // [15] A proposal of unknown outcome is reported as lost.
    kCount,
};

#ifdef WALRUS_RAFT_MUTANTS
// One test at a time sets it; the copies of the room under test have no other global.
inline Mutant active_mutant = Mutant::kNone;
inline bool mutant_on(Mutant mutant) {
    return active_mutant == mutant;
}
#else
constexpr bool mutant_on(Mutant) {
    return false;
}
#endif

}  // namespace walrus::raft
