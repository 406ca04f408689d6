// Topics, their retention, and what a new segment must fulfil.
#include <algorithm>

#include "walrus/cluster/apply.h"
#include "walrus/cluster/placement.h"

namespace walrus::cluster {
namespace {

bool distinct_nodes(std::vector<ReplicaId> replicas) {
    std::ranges::sort(replicas);
    return std::ranges::adjacent_find(replicas, {}, &ReplicaId::node) == replicas.end();
}

std::uint32_t ack_quorum(const TopicConfig& config, std::size_t replicas) {
    return std::min(config.ack_quorum, static_cast<std::uint32_t>(replicas));
}

}  // namespace

Topic* find_topic(ClusterData& data, TopicId id) {
    const auto found = data.topics.find(id);
    return found == data.topics.end() ? nullptr : &found->second;
}

Outcome check_next(const ClusterData& data, const TopicConfig& config, const NextSegment& next) {
    const auto& replicas = next.replicas;
    if (replicas.size() > config.replication_factor) return Outcome::kInvalid;
    if (!distinct_nodes(replicas)) return Outcome::kInvalid;
    const auto is_leader = [&](const ReplicaId& r) { return r.node == next.leader.node; };
    if (std::ranges::none_of(replicas, is_leader)) return Outcome::kInvalid;
    if (ack_quorum(config, replicas.size()) < config.min_ack) return Outcome::kNotEnoughReplicas;
    for (const ReplicaId& replica : replicas) {
        const auto node = data.nodes.find(replica.node);
        if (node == data.nodes.end() || node->second.state != NodeState::kLive ||
            node->second.disk != replica.disk) {
            return Outcome::kStaleNode;
        }
    }
    if (data.nodes.at(next.leader.node).boot != next.leader.boot) return Outcome::kStaleNode;
    return Outcome::kApplied;
}

Segment make_segment(const TopicConfig& config, SegmentNumber number, Offset base,
                     const NextSegment& next, Index index) {
    return {.number = number,
            .epoch = Epoch{index},
            .state = SegmentState::kOpen,
            .leader = next.leader,
            .replicas = next.replicas,
            .ack_quorum = ack_quorum(config, next.replicas.size()),
            .durability = config.durability,
            .max_records = config.limits.max_records,
            .base = base,
            .opened_ms = next.wall_ms,
            .version = index};
}

CommandResult apply_body(ClusterData& data, Index index, const CreateTopic& command) {
    if (command.name.empty() || command.name.size() > kMaxNameBytes) {
        return rejected(Outcome::kInvalid);
    }
    if (fault_of(command.config) != nullptr) return rejected(Outcome::kInvalid);
    if (const auto taken = data.topic_ids.find(command.name); taken != data.topic_ids.end()) {
        return {.outcome = Outcome::kAlreadyExists, .topic = taken->second};
    }
    if (data.topics.size() >= kMaxTopics) return rejected(Outcome::kLimit);
    const Outcome check = check_next(data, command.config, command.next);
    if (check != Outcome::kApplied) return rejected(check);

    Topic topic{
        .id = data.next_topic++, .name = command.name, .config = command.config, .version = index};
    topic.segments.emplace(1, make_segment(command.config, 1, Offset{0}, command.next, index));
    const TopicId id = topic.id;
    data.topics.emplace(id, std::move(topic));
    data.topic_ids.emplace(command.name, id);
    return {.topic = id, .segment = 1, .epoch = Epoch{index}};
}

CommandResult apply_body(ClusterData& data, Index index, const UpdateTopic& command) {
    Topic* topic = find_topic(data, command.topic);
    if (topic == nullptr) return rejected(Outcome::kNotFound);
    CommandResult result{.topic = topic->id};
    if (fault_of(command.config) != nullptr) {
        result.outcome = Outcome::kInvalid;
    } else if (topic->version != command.expect_version) {
        result.outcome = Outcome::kStaleVersion;
    } else {
        topic->config = command.config;
        topic->version = index;
    }
    return result;
}

CommandResult apply_body(ClusterData& data, Index, const DeleteTopic& command) {
    Topic* topic = find_topic(data, command.topic);
    if (topic == nullptr) return rejected(Outcome::kNotFound);
    CommandResult result{.topic = topic->id};
    if (topic->version != command.expect_version) {
        result.outcome = Outcome::kStaleVersion;
    } else {
        data.topic_ids.erase(topic->name);
        data.topics.erase(command.topic);
    }
    return result;
}

CommandResult apply_body(ClusterData& data, Index, const DropSegments& command) {
    Topic* topic = find_topic(data, command.topic);
    if (topic == nullptr) return rejected(Outcome::kNotFound);
    CommandResult result{.topic = topic->id, .segment = command.first_kept};
    // The last segment stays: it says where the topic goes on.
    if (command.first_kept > topic->last().number) {
        result.outcome = Outcome::kWrongState;
        return result;
    }
    auto& segments = topic->segments;
    segments.erase(segments.begin(), segments.lower_bound(command.first_kept));
    result.epoch = topic->first().epoch;
    return result;
}

}  // namespace walrus::cluster
