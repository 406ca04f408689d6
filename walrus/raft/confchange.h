// Changes of membership: single steps and joint consensus ([D] chapter 4).
//
// A configuration entry holds the whole resulting ConfState, not the difference: it takes effect
// when it is appended and is undone when its entry is truncated, and neither can fail.
#pragma once

#include <cstdint>
#include <vector>

#include "walrus/base/result.h"
#include "walrus/raft/message.h"

namespace walrus::raft {

enum class ConfChangeKind : std::uint8_t {
    kAddVoter,    // Adds a voter or promotes a learner.
    kAddLearner,  // Adds a learner or demotes a voter.
    kRemove,
};

struct ConfChangeStep {
    ConfChangeKind kind = ConfChangeKind::kAddVoter;
    NodeId node = kNobody;
};

enum class Transition : std::uint8_t {
    kAuto,           // Joint only when the voters change by more than one; left by the leader.
    kJoint,          // Always joint; left by the leader.
    kJointExplicit,  // Always joint; the driver proposes the end of it (no steps).
};

struct ConfChange {
    std::vector<ConfChangeStep> steps = {};  // Empty: leave the joint configuration.
    Transition transition = Transition::kAuto;
};

// The configuration that follows `current`.  kInvalidArgument: the change is empty, contradicts
// itself, leaves no voter, or does not fit the joint phase.
Result<ConfState> apply(const ConfState& current, const ConfChange& change);

// The configuration after a joint one: the new voters alone.
ConfState leave_joint(const ConfState& joint);

// The configurations of the log, by the index that brought them; the oldest is that of the base.
// Memory: one entry per configuration entry since the last snapshot.
class ConfHistory {
public:
    ConfHistory() = default;
    ConfHistory(Index index, ConfState conf) { reset(index, std::move(conf)); }

    const ConfState& latest() const { return entries_.back().conf; }
    Index latest_index() const { return entries_.back().index; }
    // The configuration in force after `index`.
    const ConfState& at(Index index) const;

    void append(Index index, ConfState conf);
    // Forgets configurations brought by entries at `from` and after.  True: the latest changed.
    bool truncate(Index from);
    // Forgets configurations that no snapshot at `index` or later needs.
    void compact(Index index);
    void reset(Index index, ConfState conf) { entries_.assign(1, {index, std::move(conf)}); }

private:
    struct Item {
        Index index;
        ConfState conf;
    };
    std::vector<Item> entries_ = {{0, {}}};  // Sorted by index, never empty.
};

}  // namespace walrus::raft
