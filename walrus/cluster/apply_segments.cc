// The life of a segment: open, sealing, sealed; and where its copies are.
#include <algorithm>

#include "walrus/cluster/apply.h"
#include "walrus/cluster/mutants.h"
#include "walrus/cluster/placement.h"

namespace walrus::cluster {
namespace {

// The topic and its unsealed last segment, if that is what `key` means.
struct Target {
    Topic* topic = nullptr;
    Segment* segment = nullptr;
    CommandResult result;  // Filled in for the answer.

    CommandResult reject(Outcome outcome) {
        result.outcome = outcome;
        return result;
    }
};

Target find(ClusterData& data, const SegmentKey& key) {
    Target target;
    target.topic = find_topic(data, key.topic);
    if (target.topic == nullptr) {
        target.result.outcome = Outcome::kNotFound;
        return target;
    }
    target.result.topic = key.topic;
    const auto found = target.topic->segments.find(key.segment);
    if (found == target.topic->segments.end()) {
        target.result.outcome = Outcome::kNotFound;
        return target;
    }
    target.segment = &found->second;
    target.result.segment = key.segment;
    target.result.epoch = target.segment->epoch;
    return target;
}

// CAS: the proposer must know the present reign.
Outcome check_reign(const Segment& segment, SegmentState state, Epoch expect_epoch) {
    if (segment.epoch != expect_epoch) return Outcome::kStaleEpoch;
    return segment.state == state ? Outcome::kApplied : Outcome::kWrongState;
}

// Offsets beyond max_records were never given out, so no honest proposer seals more.
bool possible(const Segment& segment, const SealedContent& content) {
    return content.length <= segment.max_records && content.bytes < kMaxPosition;
}

bool room_after(Offset base) {
    return base.value < kMaxPosition;
}

void seal(Segment& segment, const SealedContent& content, std::uint64_t wall_ms, Index index) {
    segment.state = SegmentState::kSealed;
    segment.length = content.length;
    segment.bytes = content.bytes;
    segment.chain = content.chain;
    segment.sealed_ms = wall_ms;
    segment.version = index;
}

// The opened segment, for the result.
void open_next(Topic& topic, const NextSegment& next, Index index, CommandResult& result) {
    const Segment& last = topic.last();
    Segment opened = make_segment(topic.config, last.number + 1, last.end(), next, index);
    result.segment = opened.number;
    result.epoch = opened.epoch;
    topic.segments.emplace(opened.number, std::move(opened));
}

std::size_t live_copies(const ClusterData& data, const std::vector<ReplicaId>& replicas) {
    return static_cast<std::size_t>(std::ranges::count_if(
        replicas, [&](const ReplicaId& replica) { return is_live_copy(data, replica); }));
}

std::size_t serving_nodes(const ClusterData& data) {
    return static_cast<std::size_t>(
        std::ranges::count_if(data.nodes, [](const auto& entry) { return entry.second.serves(); }));
}

// I7: A holders, or every node there is; each distinct and live.
Outcome check_holders(const ClusterData& data, const Segment& segment,
                      const std::vector<ReplicaId>& holders, std::size_t wanted) {
    std::vector<NodeId> nodes;
    for (const ReplicaId& holder : holders) {
        if (!is_live_copy(data, holder)) return Outcome::kStaleNode;
        // A member of the segment counts only with the disk it had (I12).
        const ReplicaId* member = segment.replica(holder.node);
        if (member != nullptr && *member != holder) return Outcome::kStaleNode;
        nodes.push_back(holder.node);
    }
    std::ranges::sort(nodes);
    if (std::ranges::adjacent_find(nodes) != nodes.end() || nodes.size() > kMaxReplicas) {
        return Outcome::kInvalid;
    }
    const std::size_t enough = std::min(wanted, serving_nodes(data));
    return !holders.empty() && holders.size() >= enough ? Outcome::kApplied
                                                        : Outcome::kNotEnoughReplicas;
}

bool contains(const std::vector<ReplicaId>& replicas, const ReplicaId& replica) {
    return std::ranges::find(replicas, replica) != replicas.end();
}

}  // namespace

CommandResult apply_body(ClusterData& data, Index index, const SealAndOpen& command) {
    Target target = find(data, command.key);
    if (target.segment == nullptr) return target.result;
    Segment& segment = *target.segment;
    Outcome check = check_reign(segment, SegmentState::kOpen, command.expect_epoch);
    if (check != Outcome::kApplied) return target.reject(check);
    if (!possible(segment, command.content)) return target.reject(Outcome::kInvalid);
    if (!room_after(segment.base + command.content.length)) return target.reject(Outcome::kLimit);
    check = check_holders(data, segment, command.holders, segment.ack_quorum);
    if (check != Outcome::kApplied) return target.reject(check);
    check = check_next(data, target.topic->config, command.next);
    if (check != Outcome::kApplied) return target.reject(check);

    seal(segment, command.content, command.next.wall_ms, index);
    segment.replicas = command.holders;
    open_next(*target.topic, command.next, index, target.result);
    return target.result;
}

CommandResult apply_body(ClusterData& data, Index index, const BeginSeal& command) {
    Target target = find(data, command.key);
    if (target.segment == nullptr) return target.result;
    Segment& segment = *target.segment;
    if (segment.epoch != command.expect_epoch) return target.reject(Outcome::kStaleEpoch);
    if (segment.state == SegmentState::kSealed) return target.reject(Outcome::kWrongState);
    segment.state = SegmentState::kSealing;
    segment.epoch = Epoch{index};
    segment.version = index;
    target.result.epoch = segment.epoch;
    return target.result;
}

CommandResult apply_body(ClusterData& data, Index index, const Seal& command) {
    Target target = find(data, command.key);
    if (target.segment == nullptr) return target.result;
    Segment& segment = *target.segment;
    Outcome check = check_reign(segment, SegmentState::kSealing, command.expect_epoch);
    if (check != Outcome::kApplied && !mutant_on(Mutant::kSealWithoutCas)) {
        return target.reject(check);
    }
    if (!possible(segment, command.content)) return target.reject(Outcome::kInvalid);
    if (!room_after(segment.base + command.content.length)) return target.reject(Outcome::kLimit);
    check = check_holders(data, segment, command.holders, segment.ack_quorum);
    if (check != Outcome::kApplied) return target.reject(check);
    if (command.next) {
        check = check_next(data, target.topic->config, *command.next);
        if (check != Outcome::kApplied) return target.reject(check);
    }

    seal(segment, command.content, command.wall_ms, index);
    segment.replicas = command.holders;
    if (command.next) open_next(*target.topic, *command.next, index, target.result);
    return target.result;
}

CommandResult apply_body(ClusterData& data, Index index, const UncleanSeal& command) {
    Target target = find(data, command.key);
    if (target.segment == nullptr) return target.result;
    Segment& segment = *target.segment;
    Outcome check = check_reign(segment, SegmentState::kSealing, command.expect_epoch);
    if (check != Outcome::kApplied) return target.reject(check);
    if (!possible(segment, command.content) || command.reason.empty() ||
        command.reason.size() > kMaxReasonBytes) {
        return target.reject(Outcome::kInvalid);
    }
    if (!room_after(segment.base + segment.max_records)) return target.reject(Outcome::kLimit);
    // Nothing at all may be left, and then nobody holds it.
    const bool nothing_left = command.content.length == 0 && command.holders.empty();
    check = nothing_left ? Outcome::kApplied : check_holders(data, segment, command.holders, 1);
    if (check != Outcome::kApplied) return target.reject(check);

    seal(segment, command.content, command.wall_ms, index);
    segment.replicas = command.holders;
    // An acknowledged offset must never name another record.
    segment.lost_records = segment.max_records - command.content.length;
    return target.result;
}

CommandResult apply_body(ClusterData& data, Index index, const OpenSegment& command) {
    Topic* topic = find_topic(data, command.topic);
    if (topic == nullptr) return rejected(Outcome::kNotFound);
    CommandResult result{
        .topic = topic->id, .segment = topic->last().number, .epoch = topic->last().epoch};
    if (topic->last().number != command.expect_last) {
        result.outcome = Outcome::kStaleVersion;
    } else if (topic->last().state != SegmentState::kSealed) {
        result.outcome = Outcome::kWrongState;
    } else {
        result.outcome = check_next(data, topic->config, command.next);
    }
    if (result.applied()) open_next(*topic, command.next, index, result);
    return result;
}

CommandResult apply_body(ClusterData& data, Index index, const ChangeReplicas& command) {
    Target target = find(data, command.key);
    if (target.segment == nullptr) return target.result;
    Segment& segment = *target.segment;
    if (segment.state != SegmentState::kSealed) return target.reject(Outcome::kWrongState);
    if (segment.version != command.expect_version) return target.reject(Outcome::kStaleVersion);

    std::vector<ReplicaId> after;
    for (const ReplicaId& replica : segment.replicas) {
        if (!contains(command.remove, replica)) after.push_back(replica);
    }
    for (const ReplicaId& replica : command.add) {
        if (!is_live_copy(data, replica)) return target.reject(Outcome::kStaleNode);
        // I7: what another run proposed may have been removed when this one began.
        const bool same_run = replica.node == command.holder.node &&
                              data.nodes.at(replica.node).boot == command.holder.boot;
        if (!same_run) return target.reject(Outcome::kStaleNode);
        const auto same_node = [&](const ReplicaId& r) { return r.node == replica.node; };
        if (std::ranges::any_of(after, same_node)) return target.reject(Outcome::kInvalid);
        after.push_back(replica);
    }
    if (after.size() > kMaxReplicas) return target.reject(Outcome::kLimit);
    // I7: a copy goes only when enough live ones stay, and never the last one.
    const std::size_t before = live_copies(data, segment.replicas);
    const std::size_t enough =
        std::max<std::size_t>(1, std::min<std::size_t>(segment.ack_quorum, before));
    const bool empty = segment.length == 0;
    if (!empty && !command.remove.empty() && live_copies(data, after) < enough) {
        return target.reject(Outcome::kNotEnoughReplicas);
    }
    segment.replicas = std::move(after);
    segment.version = index;
    return target.result;
}

}  // namespace walrus::cluster
