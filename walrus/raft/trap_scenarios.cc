#include "walrus/raft/trap_scenarios.h"

#include <algorithm>

#include "walrus/raft/test_cluster.h"

namespace walrus::raft {
namespace {

std::string unless(bool kept, const char* broken) {
    return kept ? "" : broken;
}

std::vector<Entry> commands(Index first, Index last, Term term) {
    std::vector<Entry> entries;
    for (Index i = first; i <= last; ++i) {
        entries.push_back({i, term, EntryKind::kCommand, Payload("c" + std::to_string(i))});
    }
    return entries;
}

// Node 3 of three receives `entries` from node 2, the leader of `term`.
void append(TestCluster& cluster, Term term, AppendRequest request) {
    cluster.raft(3).step({2, 3, term, std::move(request)}).value();
    cluster.work(3);
}

void append_from_start(TestCluster& cluster, Index last, Index commit) {
    append(cluster, 1,
           {.prev_index = 0, .prev_term = 0, .commit = commit, .entries = commands(1, last, 1)});
}

// [P] 5.4.2 and Fig. 8: an entry of an earlier term on a majority is not committed by that.
std::string old_term_entries() {
    Options options;
    options.max_message_bytes = 1;
    TestCluster cluster(5, 0, options);
    cluster.elect(1);
    cluster.set_filter([](Message& m) { return m.to <= 2; });
    cluster.propose(1, "a");  // Index 2 of term 1, on nodes 1 and 2.
    cluster.crash(1);
    cluster.reboot({3, 4, 5});
    cluster.set_filter([](Message& m) { return !std::holds_alternative<AppendRequest>(m.body); });
    cluster.elect(5);  // Index 2 of term 2, on node 5 alone.
    cluster.crash(5);
    cluster.restart(1);
    cluster.reboot({2, 3, 4});
    cluster.set_filter([](Message& m) {
        auto* request = std::get_if<AppendRequest>(&m.body);
        if (request != nullptr) std::erase_if(request->entries, [](auto& e) { return e.term > 2; });
        return true;
    });
    cluster.elect(1);
    const auto match = cluster.raft(1).progress().at(3).match();
    if (match != 2) return "the scenario did not happen";
    return unless(cluster.raft(1).log().commit_index() == 1, "index 2 was committed");
}

// [P] Fig. 2, AppendEntries receiver 5: min(leaderCommit, index of last new entry).
std::string commit_beyond_last_new() {
    TestCluster cluster(3);
    append_from_start(cluster, 3, 0);
    append(cluster, 2, {.prev_index = 1, .prev_term = 1, .commit = 3});
    return unless(cluster.raft(3).log().commit_index() == 1, "unconfirmed entries were committed");
}

// Single-server changes need a commit in the own term (raft-dev, 2015).
std::string conf_change_before_noop() {
    TestCluster cluster(3, 1);
    cluster.set_filter([](Message& m) { return !std::holds_alternative<AppendRequest>(m.body); });
    cluster.elect(1);
    const auto early = cluster.raft(1).propose_conf_change(add_voter(4));
    if (early) return "a change was accepted before the first commit of the term";
    if (early.error().code != Errc::kBusy) return "wrong error";
    cluster.set_filter(nullptr);
    cluster.tick_all(2);
    return unless(cluster.raft(1).propose_conf_change(add_voter(4)).has_value(), "refused later");
}

// [D] 6.4: a deposed leader that does not know it must not answer reads.
std::string read_without_quorum() {
    TestCluster cluster(3);
    cluster.elect(1);
    cluster.isolate(1);
    cluster.reboot({2, 3});
    cluster.elect(2);
    cluster.propose(2, "new");
    if (!cluster.raft(1).read_index(7)) return "the old leader should still believe in itself";
    cluster.deliver();
    return unless(cluster.node(1).reads().empty(), "a stale read was served");
}

std::string read_before_noop() {
    TestCluster cluster(3);
    cluster.set_filter([](Message& m) { return !std::holds_alternative<AppendRequest>(m.body); });
    cluster.elect(1);
    const Status read = cluster.raft(1).read_index(7);
    cluster.deliver();
    return unless(!read && read.error().code == Errc::kBusy, "a read was accepted too early");
}

// A late copy of an older snapshot must not undo what came after.
std::string old_snapshot() {
    Options options;
    options.trailing_entries = 0;
    TestCluster cluster(3, 0, options);
    append_from_start(cluster, 5, 5);
    cluster.node(3).take_snapshot();
    append(cluster, 1,
           {.prev_index = 5, .prev_term = 1, .commit = 7, .entries = commands(6, 7, 1)});
    SnapshotChunk chunk{.meta = {3, 1, voters({1, 2, 3})}, .done = true, .data = Payload("1")};
    cluster.raft(3).step({2, 3, 1, chunk}).value();
    cluster.work(3);
    return unless(cluster.raft(3).log().commit_index() == 7, "the log went back to the snapshot");
}

// [P] 7, Fig. 13 step 6: entries that follow a snapshot of the own log are retained.
std::string snapshot_keeps_suffix() {
    TestCluster cluster(3);
    append_from_start(cluster, 5, 0);
    SnapshotChunk chunk{.meta = {3, 1, voters({1, 2, 3})}, .done = true, .data = Payload("1")};
    cluster.raft(3).step({2, 3, 1, chunk}).value();
    cluster.work(3);
    const RaftLog& log = cluster.raft(3).log();
    if (log.commit_index() != 3) return "the snapshot's index is not committed";
    return unless(log.last_index() == 5, "entries after the snapshot were lost");
}

// [D] 4.2.3: a server that does not hear the leader does not depose it.
std::string stickiness() {
    TestCluster cluster(3);
    cluster.elect(1);
    cluster.cut(1, 3);
    cluster.tick_all(60);
    return unless(cluster.leader() == 1 && cluster.raft(1).term() == 1, "the leader was deposed");
}

// [D] 6.2: a leader without a quorum steps down.
std::string check_quorum() {
    TestCluster cluster(3);
    cluster.elect(1);
    cluster.cut(2, 1);
    cluster.cut(3, 1);
    cluster.tick(1, 20);
    return unless(cluster.raft(1).role() != Role::kLeader, "it leads though nobody answers");
}

// [D] 3.10: the successor neither waits nor asks for pre-votes, which its peers would refuse.
std::string transfer() {
    TestCluster cluster(3);
    cluster.elect(1);
    cluster.tick_all(1);
    cluster.raft(1).transfer_leader(2).value();
    cluster.deliver();
    return unless(cluster.raft(2).role() == Role::kLeader, "leadership was not handed over");
}

// [D] 9.6 and etcd's experience: a member whose term ran ahead must find its way back.
std::string term_ahead() {
    TestCluster cluster(3);
    cluster.elect(1);
    cluster.isolate(3);
    cluster.raft(3).step({2, 3, 5, AppendReply{}}).value();
    cluster.heal();
    cluster.tick_all(100);
    const NodeId leader = cluster.leader();
    if (leader == kNobody) return "no leader";
    return unless(cluster.raft(3).leader() == leader, "the member ahead follows nobody");
}

// A disk that stalls is not a dead node: heartbeats need no disk.
std::string slow_disk() {
    TestCluster cluster(3);
    cluster.elect(1);
    cluster.hold_disk(2);
    cluster.hold_disk(3);
    cluster.propose(1, "a");
    cluster.tick_all(40);
    return unless(cluster.raft(1).role() == Role::kLeader && cluster.raft(1).term() == 1,
                  "a slow disk cost the leadership");
}

// A log that ends before its commit index has lost promises: stop, do not cut (PAR, FAST 2018).
std::string lost_commit() {
    SeededRandom random(1);
    Options options;
    options.id = 1;
    Restored restored{
        .hard_state = {1, 0, 3}, .snapshot = {0, 0, voters({1})}, .entries = commands(1, 2, 1)};
    const auto raft = Raft::open(options, restored, random);
    return unless(!raft && raft.error().code == Errc::kCorruption, "a torn log was accepted");
}

// [D] 6.3: after stepping down, a proposal may still be committed by the next leader.
std::string unknown_outcome() {
    TestCluster cluster(3);
    cluster.elect(1);
    cluster.isolate(1);
    const Proposed proposed = cluster.raft(1).propose(Payload("a")).value();
    const auto outcome = [&] {
        return cluster.raft(1).proposal_outcome(proposed.index, proposed.term);
    };
    if (outcome() != ProposalOutcome::kPending) return "not pending while it leads";
    cluster.tick(1, 20);
    if (outcome() != ProposalOutcome::kUnknown) return "the outcome was not reported as unknown";
    cluster.reboot({2, 3});
    cluster.elect(2);
    cluster.heal();
    cluster.tick_all(5);
    return unless(outcome() == ProposalOutcome::kLost, "replaced for good, but not reported so");
}

// [D] 10.2.1: a leader counts its own disk like any other.
std::string own_disk() {
    TestCluster cluster(3);
    cluster.elect(1);
    cluster.hold_disk(1);
    cluster.hold_disk(2);
    cluster.propose(1, "a");
    if (cluster.raft(1).log().commit_index() != 1) return "committed with one disk of three";
    cluster.release_disk(1);
    cluster.deliver();
    return unless(cluster.raft(1).log().commit_index() == 2, "not committed with two disks");
}

// Votes that a crash can take back are not given.
std::string reply_before_persist() {
    TestCluster cluster(3);
    cluster.hold_disk(2);
    cluster.hold_disk(3);
    cluster.raft(1).campaign();
    cluster.deliver();
    return unless(cluster.raft(1).role() == Role::kCandidate,
                  "votes came before they were durable");
}

constexpr TrapScenario kScenarios[] = {
    {"PromisesWaitForTheDisk", Mutant::kReplyBeforePersist, reply_before_persist},
    {"TheLeaderCountsItsOwnDiskLikeAnyOther", Mutant::kCountOwnUnpersisted, own_disk},
    {"OldTermEntriesAreNotCommittedByCounting", Mutant::kCommitOldTermEntries, old_term_entries},
    {"FollowersCommitOnlyWhatTheLeaderVouchedFor", Mutant::kCommitBeyondLastNew,
     commit_beyond_last_new},
    {"MembershipWaitsForACommitOfTheTerm", Mutant::kConfChangeBeforeNoop, conf_change_before_noop},
    {"ReadsWaitForACommitOfTheTerm", Mutant::kReadBeforeNoop, read_before_noop},
    {"ADeposedLeaderServesNoReads", Mutant::kReadWithoutQuorum, read_without_quorum},
    {"AnOlderSnapshotChangesNothing", Mutant::kOldSnapshotInstalled, old_snapshot},
    {"ASnapshotKeepsTheEntriesAfterIt", Mutant::kSnapshotDropsSuffix, snapshot_keeps_suffix},
    {"AHeardLeaderIsNotDeposed", Mutant::kNoLeaderStickiness, stickiness},
    {"AnUnansweredLeaderStepsDown", Mutant::kNoCheckQuorum, check_quorum},
    {"ATransferNeedsNoPreVote", Mutant::kTransferUsesPreVote, transfer},
    {"AMemberWhoseTermRanAheadComesBack", Mutant::kSilentToLowerTerm, term_ahead},
    {"ASlowDiskDoesNotCostTheLeadership", Mutant::kHeartbeatWaitsForDisk, slow_disk},
    {"ALogShorterThanItsCommitIndexIsRefused", Mutant::kAcceptLostCommit, lost_commit},
    {"SteppingDownLeavesTheOutcomeUnknown", Mutant::kStepDownReportsLost, unknown_outcome},
};

}  // namespace

std::span<const TrapScenario> trap_scenarios() {
    return kScenarios;
}

}  // namespace walrus::raft
