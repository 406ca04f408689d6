#include "walrus/cluster/cluster_state.h"

#include "walrus/cluster/apply.h"
#include "walrus/cluster/chain_hash.h"
#include "walrus/cluster/command_codec.h"
#include "walrus/cluster/snapshot_codec.h"

namespace walrus::cluster {

Result<ClusterState> ClusterState::restore(Bytes snapshot) {
    auto data = decode_snapshot(snapshot);
    if (!data) return std::move(data).error();
    ClusterState state;
    state.data_ = *std::move(data);
    return state;
}

std::string ClusterState::snapshot() const {
    return encode(data_);
}

CommandResult ClusterState::apply(Index index, const Command& command) {
    if (index <= data_.applied_index) return {.outcome = Outcome::kStaleIndex, .index = index};
    const CommandResult result = run(index, command);
    finish(index, as_bytes(encode(command)), result);
    return result;
}

CommandResult ClusterState::apply(Index index, Bytes encoded) {
    if (index <= data_.applied_index) return {.outcome = Outcome::kStaleIndex, .index = index};
    const auto command = decode_command(encoded);
    const CommandResult result =
        command ? run(index, *command)
                : CommandResult{.outcome = Outcome::kMalformed, .index = index};
    finish(index, encoded, result);
    return result;
}

CommandResult ClusterState::run(Index index, const Command& command) {
    const bool remembers = command.id.client != 0;
    if (remembers) {
        if (const CommandResult* earlier = data_.dedup.find(command.id)) return *earlier;
    }
    CommandResult result =
        std::visit([&](const auto& body) { return apply_body(data_, index, body); }, command.body);
    result.index = index;
    if (remembers) data_.dedup.remember(command.id, result);
    return result;
}

void ClusterState::finish(Index index, Bytes encoded, const CommandResult& result) {
    data_.applied_index = index;
    std::byte at[sizeof(Index)];
    store_le(at, index);
    data_.history_hash = hash64(at, data_.history_hash);
    data_.history_hash = hash64(encoded, data_.history_hash);
    data_.history_hash = hash64(as_bytes(encode(result)), data_.history_hash);
}

std::uint64_t ClusterState::state_hash() const {
    return hash64(as_bytes(snapshot()), 0);
}

const Node* ClusterState::node(NodeId id) const {
    const auto found = data_.nodes.find(id);
    return found == data_.nodes.end() ? nullptr : &found->second;
}

const Topic* ClusterState::topic(TopicId id) const {
    const auto found = data_.topics.find(id);
    return found == data_.topics.end() ? nullptr : &found->second;
}

const Topic* ClusterState::find_topic(std::string_view name) const {
    const auto found = data_.topic_ids.find(name);
    return found == data_.topic_ids.end() ? nullptr : topic(found->second);
}

const Segment* ClusterState::segment(const SegmentKey& key) const {
    const Topic* found = topic(key.topic);
    return found == nullptr ? nullptr : found->segment(key.segment);
}

bool ClusterState::was_deleted(TopicId id) const {
    return id != 0 && id < data_.next_topic && topic(id) == nullptr;
}

const char* outcome_name(Outcome outcome) {
    switch (outcome) {
        case Outcome::kApplied: return "applied";
        case Outcome::kMalformed: return "malformed";
        case Outcome::kStaleIndex: return "stale-index";
        case Outcome::kInvalid: return "invalid";
        case Outcome::kNotFound: return "not-found";
        case Outcome::kAlreadyExists: return "already-exists";
        case Outcome::kStaleEpoch: return "stale-epoch";
        case Outcome::kStaleVersion: return "stale-version";
        case Outcome::kWrongState: return "wrong-state";
        case Outcome::kStaleNode: return "stale-node";
        case Outcome::kNotEnoughReplicas: return "not-enough-replicas";
        case Outcome::kInUse: return "in-use";
        case Outcome::kLimit: return "limit";
        case Outcome::kOutOfRange: return "out-of-range";
    }
    return "unknown";
}

}  // namespace walrus::cluster
