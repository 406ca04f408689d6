// What holds of every state that commands can lead to.
#include <algorithm>
#include <string>

#include "walrus/cluster/cluster_state.h"

namespace walrus::cluster {
namespace {

using Fault = std::optional<std::string>;

bool distinct(std::vector<ReplicaId> replicas) {
    std::ranges::sort(replicas);
    return std::ranges::adjacent_find(replicas, {}, &ReplicaId::node) == replicas.end();
}

Fault check_nodes(const ClusterData& data) {
    for (const auto& [id, node] : data.nodes) {
        const bool sound = id == node.id && id != kNobody && node.boot != 0 && node.disk != 0;
        if (!sound || node.version > data.applied_index) {
            return "node " + std::to_string(id) + " is impossible";
        }
    }
    return {};
}

Fault check_segment(const Segment& segment, Index applied) {
    if (segment.epoch.value == 0 || segment.epoch.value > applied || segment.version > applied) {
        return "epoch from the future";
    }
    if (segment.replicas.size() > kMaxReplicas || !distinct(segment.replicas)) return "replicas";
    const bool bounded = segment.base.value < kMaxPosition && segment.bytes < kMaxPosition &&
                         segment.max_records <= (std::uint64_t{1} << 40) &&
                         segment.length <= segment.max_records &&
                         segment.lost_records <= segment.max_records - segment.length;
    if (!bounded) return "impossible length";
    if (segment.state == SegmentState::kSealed) {
        const bool nobody = segment.replicas.empty() && segment.length > 0;
        return nobody ? Fault("sealed records without a holder") : Fault();
    }
    const bool quorum = segment.ack_quorum >= 1 && segment.ack_quorum <= segment.replicas.size();
    if (!quorum) return "ack quorum out of range";
    if (!segment.has_replica(segment.leader.node)) return "leader is no replica";
    const bool blank = segment.length == 0 && segment.bytes == 0 && segment.lost_records == 0 &&
                       segment.chain.value == 0;
    return blank ? Fault() : Fault("an unsealed segment has a length");
}

Fault check_segments(const Topic& topic, Index applied) {
    const Segment* before = nullptr;
    for (const auto& [number, segment] : topic.segments) {
        if (number == 0 || number != segment.number) return "segment number";
        if (Fault fault = check_segment(segment, applied)) return fault;
        if (before != nullptr) {
            if (before->state != SegmentState::kSealed) return "unsealed segment before the last";
            if (number != before->number + 1) return "segments are not contiguous";
            if (segment.base != before->end()) return "segments do not meet";
            if (segment.epoch <= before->epoch) return "epochs do not rise";
        }
        before = &segment;
    }
    return {};
}

Fault check_topic(const Topic& topic, const ClusterData& data) {
    if (topic.id == 0 || topic.id >= data.next_topic) return "topic id was not given out";
    if (topic.name.empty() || topic.name.size() > kMaxNameBytes) return "name";
    if (fault_of(topic.config) != nullptr) return "configuration";
    if (topic.segments.empty()) return "no segment";
    if (topic.version > data.applied_index) return "version from the future";
    if (Fault fault = check_segments(topic, data.applied_index)) return fault;
    // What an owner committed ahead of the records is only bounded by what a position can be.
    constexpr std::uint64_t kMaxCursor = 2 * kMaxPosition;
    for (const auto& [consumer, cursor] : topic.cursors) {
        const bool sound = cursor.generation >= 1 && cursor.generation <= data.applied_index;
        if (!sound || cursor.offset.value > kMaxCursor || consumer.size() > kMaxNameBytes)
            return "cursor";
    }
    return {};
}

}  // namespace

std::optional<std::string> fault_of(const ClusterData& data) {
    if (data.next_topic == 0 || data.next_producer == 0) return "ids must begin at 1";
    if (Fault fault = check_nodes(data)) return fault;
    if (data.topic_ids.size() != data.topics.size()) return "two topics have one name";
    for (const auto& [id, topic] : data.topics) {
        const auto named = data.topic_ids.find(topic.name);
        if (id != topic.id || named == data.topic_ids.end() || named->second != id) {
            return "topic " + std::to_string(id) + ": wrong id or name";
        }
        if (Fault fault = check_topic(topic, data)) {
            return "topic " + std::to_string(id) + ": " + *fault;
        }
    }
    for (const auto& [name, producer] : data.producers) {
        const bool given = producer.id >= 1 && producer.id < data.next_producer;
        if (!given || producer.last_used > data.applied_index) return "producer " + name;
    }
    const auto& remembered = data.dedup.entries();
    if (!remembered.empty() && remembered.rbegin()->first > data.applied_index) {
        return "a result from the future";
    }
    return {};
}

}  // namespace walrus::cluster
