// RaftChecker: watches all members of a simulated group and says when a promise is broken.
//
// The five properties of Raft (Election Safety, Leader Append-Only, Log Matching, Leader
// Completeness, State Machine Safety), and beyond them: terms and commit indexes never fall, nobody
// votes twice, what is committed is durable on a quorum, what was durable is there after a restart,
// one configuration per committed index, reads are not stale.  It has its own arithmetic of
// majorities.  What did not change since the last look costs nothing, so that it can look after
// every step.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "walrus/raft/raft.h"
#include "walrus/testing/sim_raft.h"

namespace walrus::testing {

class RaftChecker {
public:
    // Looks at a member after anything happened to it, and takes its logs of what it did.
    void observe(SimRaft& member);
    // A member started (again): what was durable must be there.
    void started(SimRaft& member);
    // A message leaves a member.
    void sent(const raft::Message& message);
    void read_began(raft::NodeId node, raft::ReadId id);
    // What a member said about a proposal; asked again later it must not change its mind.
    void proposal_outcome(raft::Index index, raft::Term term, raft::ProposalOutcome outcome);

    // The first broken promise.
    const std::optional<std::string>& violation() const { return violation_; }
    // Highest index known to be committed.
    raft::Index committed() const { return committed_.size(); }
    std::uint64_t reads() const { return reads_; }
    std::uint64_t elections() const { return leaders_.size(); }

private:
    struct View {
        raft::Term term = 0;
        raft::Role role = raft::Role::kFollower;
        raft::Index base = 0;
        std::deque<raft::Term> terms;  // Of the entries after base.
        raft::Index commit = 0;
        raft::Index durable = 0;
        raft::Term promised = 0;  // Highest term in which it made a promise.

        raft::Index last() const { return base + terms.size(); }
        std::optional<raft::Term> term_of(raft::Index index) const {
            if (index <= base || index > last()) return std::nullopt;
            return terms[index - base - 1];
        }
    };
    struct Committed {
        raft::Term term = 0;
        raft::Term by_term = 0;  // Of the member that showed it first.
    };
    struct Seen {
        raft::Term term = 0;
        raft::Term prev_term = 0;
        std::uint64_t hash = 0;
    };

    void look(const raft::Raft& raft, View& view);
    void check_log(const raft::Raft& raft, View& view);
    void check_entry(const raft::Raft& raft, raft::Index index);
    void check_commit(const raft::Raft& raft, View& view);
    void check_leader(const raft::Raft& raft, const View& view);
    bool durable_on_quorum(const raft::Raft& raft, raft::Index index, raft::Term term) const;
    void check_applied(SimRaft& member);
    void check_reads(SimRaft& member);
    void fail(raft::NodeId id, const std::string& what);

    std::map<raft::NodeId, View> views_;  // Also of members that are down.
    std::map<raft::Term, raft::NodeId> leaders_;
    std::map<std::pair<raft::NodeId, raft::Term>, raft::NodeId> votes_;
    std::vector<std::vector<Seen>> seen_;  // By index; one for each term.
    std::vector<Committed> committed_;     // By index - 1.
    std::vector<std::uint64_t> states_;    // By index; 0: not seen.
    std::map<raft::Index, raft::ConfState> confs_;
    std::map<std::pair<raft::NodeId, raft::ReadId>, raft::Index> read_floor_;
    std::uint64_t reads_ = 0;
    std::optional<std::string> violation_;
};

}  // namespace walrus::testing
