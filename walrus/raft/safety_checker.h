// SafetyChecker: watches all nodes and says when one of Raft's promises is broken.
//
// The five properties of [P] Fig. 3 (Election Safety, Leader Append-Only, Log Matching, Leader
// Completeness, State Machine Safety) and what this implementation promises beyond them.  It keeps
// its own arithmetic of majorities: the code under test may have a mutant in its own.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "walrus/raft/test_node.h"

namespace walrus::raft {

class SafetyChecker {
public:
    // `nodes` must outlive the checker.
    explicit SafetyChecker(const std::map<NodeId, TestNode>& nodes) : nodes_(nodes) {}

    // Looks at a node after anything happened to it.
    void observe(NodeId id);
    // The node restarted: what only memory held may start anew.
    void forget(NodeId id) { views_.erase(id); }
    // A message leaves a node.
    void observe(const Message& message);
    void read_began(ReadId id) { read_floor_[id] = committed_.size(); }
    void read_done(const ReadState& read);

    // The first broken promise.
    const std::optional<std::string>& violation() const { return violation_; }
    // Highest index known to be committed.
    Index committed() const { return committed_.size(); }

private:
    struct View {
        Term term = 0;
        Role role = Role::kFollower;
        Index base = 0;
        std::vector<Term> terms;  // Of the entries after base.
        Index commit = 0;
        std::map<NodeId, Index> match;
    };
    struct Committed {
        Term term = 0;
        Term by_term = 0;  // Of the leader that committed it.
    };
    struct Seen {
        Term prev_term = 0;
        std::uint64_t hash = 0;
    };

    void check_leader(const Raft& raft, const View& before);
    void check_log(const Raft& raft, const View& before);
    void check_commit(const Raft& raft, Index before);
    void check_completeness(const Raft& raft);
    void check_configuration(const Raft& raft);
    void check_applied(const TestNode& node);
    bool durable_on_quorum(const Raft& raft, Index index, Term term) const;
    void fail(NodeId id, const std::string& what);

    const std::map<NodeId, TestNode>& nodes_;
    std::map<NodeId, View> views_;
    std::map<Term, NodeId> leaders_;
    std::map<std::pair<NodeId, Term>, NodeId> votes_;
    std::map<std::pair<Index, Term>, Seen> seen_;
    std::vector<Committed> committed_;  // By index - 1.
    std::map<Index, std::uint64_t> states_;
    std::map<Index, ConfState> confs_;
    std::map<ReadId, Index> read_floor_;
    std::optional<std::string> violation_;
};

}  // namespace walrus::raft
