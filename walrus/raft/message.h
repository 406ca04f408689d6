// What the metadata Raft stores and says: entries, hard state, configurations, messages.
//
// Byte encoding: codec.h.  Names follow Ongaro's dissertation ("Consensus: Bridging Theory and
// Practice", 2014), cited below as [D]; the paper (Ongaro and Ousterhout, 2014) is [P].
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "walrus/base/bytes.h"

namespace walrus::raft {

using NodeId = std::uint64_t;  // Never reused: a node that lost its disk comes back as another.
using Term = std::uint64_t;
using Index = std::uint64_t;   // 1-based; 0 is the position before the first entry.
using ReadId = std::uint64_t;  // Chosen by the driver, see Raft::read_index().

inline constexpr NodeId kNobody = 0;
// Bounds every list of nodes, so that quorum arithmetic needs no allocation.
inline constexpr std::size_t kMaxMembers = 64;

// Immutable bytes, shared by the log, the messages in flight and the state machine.  Copies are
// cheap and may cross threads.
class Payload {
public:
    Payload() = default;
    explicit Payload(std::string bytes)
        : bytes_(bytes.empty() ? nullptr : std::make_shared<const std::string>(std::move(bytes))) {}

    std::string_view text() const {
        return bytes_ ? std::string_view(*bytes_) : std::string_view();
    }
    std::size_t size() const { return bytes_ ? bytes_->size() : 0; }
    bool operator==(const Payload& other) const { return text() == other.text(); }

private:
    std::shared_ptr<const std::string> bytes_;  // Null when empty.
};

enum class EntryKind : std::uint8_t {
    kNoop = 0,        // First entry of a leader's term ([D] 6.4); no payload.
    kCommand = 1,     // Opaque to Raft.
    kConfChange = 2,  // An encoded ConfState; in force from the moment it is appended ([D] 4.1).
};

struct Entry {
    Index index = 0;
    Term term = 0;
    EntryKind kind = EntryKind::kNoop;
    Payload data = {};

    bool operator==(const Entry&) const = default;
};

// What an entry costs in windows and limits: its payload and a flat charge for the rest.
inline std::uint64_t cost_bytes(const Entry& entry) {
    return entry.data.size() + sizeof(Entry);
}

// Durable before any message of the batch's `messages_after_persist` is sent.
struct HardState {
    Term term = 0;
    NodeId vote = kNobody;
    Index commit = 0;  // Invariant: at most the last durable index, so a shorter log is corrupt.

    bool operator==(const HardState&) const = default;
};

// A complete configuration.  Lists are sorted, without duplicates.
// Invariants: a learner is in neither voter list; next_learners is a part of outgoing;
// outgoing non-empty means joint consensus ([D] 4.3).
struct ConfState {
    std::vector<NodeId> voters = {};
    std::vector<NodeId> outgoing = {};       // The old voters while a joint change is under way.
    std::vector<NodeId> learners = {};       // Receive the log, never vote or count.
    std::vector<NodeId> next_learners = {};  // Old voters that become learners when joint ends.
    bool auto_leave = false;                 // The leader ends the joint phase by itself.

    bool joint() const { return !outgoing.empty(); }
    bool is_voter(NodeId id) const;
    bool is_learner(NodeId id) const;
    bool contains(NodeId id) const { return is_voter(id) || is_learner(id); }
    // Everybody who receives the log, sorted.
    std::vector<NodeId> members() const;
    bool operator==(const ConfState&) const = default;
};

// True when the invariants above hold and every list is within kMaxMembers.  A configuration
// without voters is valid only for a node that has not joined yet.
bool valid(const ConfState& conf);

// Names a snapshot: the state machine after applying `index`, and the configuration then in force.
struct SnapshotMeta {
    Index index = 0;
    Term term = 0;
    ConfState conf = {};

    bool operator==(const SnapshotMeta&) const = default;
};

struct VoteRequest {
    bool pre_vote = false;  // [D] 9.6: would you vote for me?  Changes nothing at the receiver.
    bool transfer = false;  // The old leader asked for it ([D] 3.10), so stickiness does not apply.
    Index last_index = 0;
    Term last_term = 0;

    bool operator==(const VoteRequest&) const = default;
};

struct VoteReply {
    bool pre_vote = false;
    bool granted = false;

    bool operator==(const VoteReply&) const = default;
};

struct AppendRequest {
    Index prev_index = 0;
    Term prev_term = 0;
    Index commit = 0;
    std::vector<Entry> entries = {};

    bool operator==(const AppendRequest&) const = default;
};

struct AppendReply {
    bool accepted = false;
    Index match_index = 0;  // Accepted: the log equals the leader's to here and is durable.
    // Rejected: the position refused, and where the leader may look next ([P] 5.3): the sender has
    // no entry in (hint_index, rejected_prev] with a term of at most the one refused.
    Index rejected_prev = 0;
    Index hint_index = 0;
    Term hint_term = 0;

    bool operator==(const AppendReply&) const = default;
};

// Keeps followers quiet and confirms reads.  The reply promises nothing about any disk, so that a
// slow fsync does not look like a dead node.
struct HeartbeatRequest {
    Index commit = 0;         // At most what the receiver is known to have.
    std::uint64_t round = 0;  // Echoed; see read_index.h.

    bool operator==(const HeartbeatRequest&) const = default;
};

struct HeartbeatReply {
    std::uint64_t round = 0;

    bool operator==(const HeartbeatReply&) const = default;
};

struct SnapshotChunk {
    SnapshotMeta meta = {};
    std::uint64_t offset = 0;  // Of `data` in the snapshot's bytes.
    bool done = false;         // Nothing follows `data`.
    Payload data = {};

    bool operator==(const SnapshotChunk&) const = default;
};

// "Send me the bytes at `next_offset` of that snapshot."  Also restarts a transfer (offset 0).
struct SnapshotReply {
    Index snapshot_index = 0;
    std::uint64_t next_offset = 0;

    bool operator==(const SnapshotReply&) const = default;
};

// Leader to its chosen successor: hold an election now.
struct TimeoutNow {
    bool operator==(const TimeoutNow&) const = default;
};

struct ReadRequest {
    ReadId id = 0;

    bool operator==(const ReadRequest&) const = default;
};

struct ReadReply {
    ReadId id = 0;
    bool confirmed = false;
    Index index = 0;

    bool operator==(const ReadReply&) const = default;
};

// A command passed on by a follower.  Never answered: its fate shows in the log only.
struct ProposeRequest {
    Payload data = {};

    bool operator==(const ProposeRequest&) const = default;
};

// The order is part of the byte encoding.
using MessageBody = std::variant<VoteRequest, VoteReply, AppendRequest, AppendReply,
                                 HeartbeatRequest, HeartbeatReply, SnapshotChunk, SnapshotReply,
                                 TimeoutNow, ReadRequest, ReadReply, ProposeRequest>;

struct Message {
    NodeId from = kNobody;
    NodeId to = kNobody;
    Term term = 0;  // The sender's; for a pre-vote (and its grant) the term asked for.
    MessageBody body = {};

    bool operator==(const Message&) const = default;
};

}  // namespace walrus::raft
