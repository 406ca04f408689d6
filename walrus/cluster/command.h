// The commands of the metadata log and their outcomes.
//
// A proposal that timed out may still be applied, so every command is safe to send again: it
// carries a client command id that is answered from memory the second time, and what it expects of
// the state (an epoch, a version, a boot id), so that a late copy changes nothing.  Rules of each:
// spec/metadata.md.  Bytes: command_codec.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "walrus/cluster/metadata.h"

namespace walrus::cluster {

// Registers a node, or a new run of it.  `expect_boot` is the boot id registered before, 0 for
// none: of two runs only the one that saw the other wins.
struct UpsertNode {
    NodeId id = kNobody;
    BootId boot = 0;
    DiskId disk = 0;
    BootId expect_boot = 0;
    std::string peer_address = {};
    std::string text_address = {};
    std::string kafka_address = {};

    bool operator==(const UpsertNode&) const = default;
};

// Down, up again, draining, removed.
struct SetNodeState {
    NodeId id = kNobody;
    NodeState state = NodeState::kLive;
    Index expect_version = 0;

    bool operator==(const SetNodeState&) const = default;
};

// Who gets a new segment.  Must name registered, live incarnations and disks; the leader must be
// one of the replicas.
struct NextSegment {
    LeaderId leader = {};
    std::vector<ReplicaId> replicas = {};
    std::uint64_t wall_ms = 0;

    bool operator==(const NextSegment&) const = default;
};

struct CreateTopic {
    std::string name = {};
    TopicConfig config = {};
    NextSegment next = {};

    bool operator==(const CreateTopic&) const = default;
};

// Takes effect with the next segment.
struct UpdateTopic {
    TopicId topic = 0;
    Index expect_version = 0;
    TopicConfig config = {};

    bool operator==(const UpdateTopic&) const = default;
};

struct DeleteTopic {
    TopicId topic = 0;
    Index expect_version = 0;

    bool operator==(const DeleteTopic&) const = default;
};

// What a sealed segment holds, for ever.
struct SealedContent {
    std::uint64_t length = 0;
    std::uint64_t bytes = 0;
    ChainHash chain = {};

    bool operator==(const SealedContent&) const = default;
};

// Graceful rollover by the leader, which has stopped admitting and has everything committed;
// `holders` have reported all of it durable.
struct SealAndOpen {
    SegmentKey key = {};
    Epoch expect_epoch = {};
    SealedContent content = {};
    std::vector<ReplicaId> holders = {};
    NextSegment next = {};

    bool operator==(const SealAndOpen&) const = default;
};

// Takes the segment from its leader, or from another coordinator, for the new epoch.
struct BeginSeal {
    SegmentKey key = {};
    Epoch expect_epoch = {};

    bool operator==(const BeginSeal&) const = default;
};

// The coordinator of `expect_epoch` has fenced F replicas, and `holders` have all of `content`.
// Without `next` the topic stays closed until OpenSegment.
struct Seal {
    SegmentKey key = {};
    Epoch expect_epoch = {};
    SealedContent content = {};
    std::vector<ReplicaId> holders = {};
    std::optional<NextSegment> next = {};
    std::uint64_t wall_ms = 0;

    bool operator==(const Seal&) const = default;
};

// An operator gives up what unreachable replicas may have: `content` is what is left.  All offsets
// that the old leader may have given out are skipped and recorded as lost.
struct UncleanSeal {
    SegmentKey key = {};
    Epoch expect_epoch = {};
    SealedContent content = {};
    std::vector<ReplicaId> holders = {};
    std::string reason = {};
    std::uint64_t wall_ms = 0;

    bool operator==(const UncleanSeal&) const = default;
};

// Opens the segment after a sealed last one.
struct OpenSegment {
    TopicId topic = 0;
    SegmentNumber expect_last = 0;
    NextSegment next = {};

    bool operator==(const OpenSegment&) const = default;
};

// Repair of a sealed segment: `add` was verified against length and chain; `remove` goes after.
struct ChangeReplicas {
    SegmentKey key = {};
    Index expect_version = 0;
    std::vector<ReplicaId> add = {};
    std::vector<ReplicaId> remove = {};
    // Who holds what is added: a later run of it may have removed what nobody named.
    LeaderId holder = {};

    bool operator==(const ChangeReplicas&) const = default;
};

// Retention: drops the sealed segments below `first_kept`.
struct DropSegments {
    TopicId topic = 0;
    SegmentNumber first_kept = 0;

    bool operator==(const DropSegments&) const = default;
};

// Makes `owner` the one incarnation that may move the cursor.  A new cursor starts at `reset_to` or
// at the topic's start; an existing one moves only when `reset_to` is given.
struct AcquireCursor {
    TopicId topic = 0;
    std::string consumer = {};
    LeaderId owner = {};
    Index expect_generation = 0;  // 0: there is no such cursor.
    std::optional<Offset> reset_to = {};

    bool operator==(const AcquireCursor&) const = default;
};

struct CursorCommit {
    TopicId topic = 0;
    std::string consumer = {};
    Index generation = 0;
    Offset offset = {};

    bool operator==(const CursorCommit&) const = default;
};

// Each commit stands alone and has its own outcome; a cursor never goes back.
struct CommitCursors {
    std::vector<CursorCommit> commits = {};

    bool operator==(const CommitCursors&) const = default;
};

struct DeleteCursor {
    TopicId topic = 0;
    std::string consumer = {};
    Index expect_generation = 0;

    bool operator==(const DeleteCursor&) const = default;
};

// Gives out a producer id.  With a name: the same id with the next epoch, which fences the earlier
// holder of the name.
struct InitProducer {
    std::string name = {};

    bool operator==(const InitProducer&) const = default;
};

// Forgets names that were last used at or before `unused_since`.
struct ExpireProducers {
    Index unused_since = 0;

    bool operator==(const ExpireProducers&) const = default;
};

using CommandBody =
    std::variant<UpsertNode, SetNodeState, CreateTopic, UpdateTopic, DeleteTopic, SealAndOpen,
                 BeginSeal, Seal, UncleanSeal, OpenSegment, ChangeReplicas, DropSegments,
                 AcquireCursor, CommitCursors, DeleteCursor, InitProducer, ExpireProducers>;

// `client` is drawn at random per proposer run; 0: not remembered.  `sequence` is never reused.
struct CommandId {
    std::uint64_t client = 0;
    std::uint64_t sequence = 0;

    auto operator<=>(const CommandId&) const = default;
};

struct Command {
    CommandId id = {};
    CommandBody body = {};

    bool operator==(const Command&) const = default;
};

// Why a command did what it did.  Everything but kApplied left the state as it was.
enum class Outcome : std::uint8_t {
    kApplied,
    kMalformed,          // Bytes that are no command of this version.
    kStaleIndex,         // This index was applied before.
    kInvalid,            // Impossible whatever the state: a bad name, configuration or length.
    kNotFound,           // No such node, topic, segment or cursor.
    kAlreadyExists,      // The topic exists; its id is in the result.
    kStaleEpoch,         // The segment is in a newer reign: the proposer lost.
    kStaleVersion,       // The thing changed since the proposer looked.
    kWrongState,         // Not for a segment, topic or node in this state.
    kStaleNode,          // Names a boot id or disk that is not the registered one, or not live.
    kNotEnoughReplicas,  // Fewer copies than the rules ask for.
    kInUse,              // A removed node would take copies with it.
    kLimit,              // A bound of the state is reached.
    kOutOfRange,         // A cursor beyond what exists.
};
constexpr Outcome last_of(Outcome) {
    return Outcome::kOutOfRange;
}
// Stable lower-case name, e.g. "stale-epoch".
const char* outcome_name(Outcome outcome);

struct CommandResult {
    Outcome outcome = Outcome::kApplied;
    Index index = 0;            // Where it was applied, the first time.
    TopicId topic = 0;          // The topic that was meant, if it exists.
    SegmentNumber segment = 0;  // The segment that was opened or changed.
    Epoch epoch = {};           // Of `segment` afterwards.
    ProducerId producer = 0;
    std::uint16_t producer_epoch = 0;
    std::vector<Outcome> items = {};  // CommitCursors: one per commit.

    bool applied() const { return outcome == Outcome::kApplied; }
    bool operator==(const CommandResult&) const = default;
};

}  // namespace walrus::cluster
