// ClusterState: the replicated state machine of the metadata.
//
// Every node applies the same commands at the same indexes and so has the same state, byte for
// byte: ordered containers only, no clock, no randomness.  What comes from the log is input: a
// command that does not fit is a rejected outcome, never an abort.  Rules: spec/metadata.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/cluster/command.h"
#include "walrus/cluster/dedup_table.h"
#include "walrus/cluster/metadata.h"

namespace walrus::cluster {

// Bounds of the state.  They decide outcomes, so all nodes must have the same: constants.
inline constexpr std::size_t kMaxNodes = 1024;
inline constexpr std::size_t kMaxTopics = 100'000;
inline constexpr std::size_t kMaxCursorsPerTopic = 10'000;
inline constexpr std::size_t kMaxNamedProducers = 100'000;
inline constexpr std::size_t kMaxNameBytes = 249;
inline constexpr std::size_t kMaxAddressBytes = 512;
inline constexpr std::size_t kMaxReasonBytes = 1024;
inline constexpr std::size_t kMaxCommitsPerCommand = 1024;

// The whole state as a value: what a snapshot holds.
struct ClusterData {
    Index applied_index = 0;
    // Over all commands and outcomes so far: two nodes with the same index must have the same.
    std::uint64_t history_hash = 0;
    TopicId next_topic = 1;
    ProducerId next_producer = 1;
    std::map<NodeId, Node> nodes;
    std::map<TopicId, Topic> topics;
    std::map<std::string, NamedProducer> producers;
    DedupTable dedup;
    std::map<std::string, TopicId, std::less<>> topic_ids;  // By name; follows from `topics`.

    bool operator==(const ClusterData&) const = default;
};

// What is wrong with the state, or nothing.  Holds after every command; a snapshot that fails it is
// refused.
std::optional<std::string> fault_of(const ClusterData& data);

// One thread at a time.  Copies are independent.
class ClusterState {
public:
    ClusterState() = default;

    // kCorruption: not a snapshot of this version, or an impossible state.
    static Result<ClusterState> restore(Bytes snapshot);
    std::string snapshot() const;

    // Applies the command at `index`, which must be above applied_index().
    CommandResult apply(Index index, const Command& command);
    // As it comes from the log.
    CommandResult apply(Index index, Bytes encoded);

    const ClusterData& data() const { return data_; }
    Index applied_index() const { return data_.applied_index; }
    // Over the whole state; costs as much as a snapshot.
    std::uint64_t state_hash() const;

    const Node* node(NodeId id) const;
    const Topic* topic(TopicId id) const;
    const Topic* find_topic(std::string_view name) const;
    const Segment* segment(const SegmentKey& key) const;
    // The id was given out and the topic deleted since: its data may go.
    bool was_deleted(TopicId id) const;

private:
    CommandResult run(Index index, const Command& command);
    void finish(Index index, Bytes encoded, const CommandResult& result);

    ClusterData data_;
};

}  // namespace walrus::cluster
