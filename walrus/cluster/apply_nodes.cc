// Nodes and producer ids.
#include <limits>

#include "walrus/cluster/apply.h"

namespace walrus::cluster {
namespace {

bool sound(const UpsertNode& command) {
    for (const std::string* address :
         {&command.peer_address, &command.text_address, &command.kafka_address}) {
        if (address->size() > kMaxAddressBytes) return false;
    }
    return command.id != kNobody && command.boot != 0 && command.disk != 0;
}

bool holds_anything(const ClusterData& data, NodeId node) {
    for (const auto& [id, topic] : data.topics) {
        for (const auto& [number, segment] : topic.segments) {
            const bool leads = segment.state == SegmentState::kOpen && segment.leader.node == node;
            if (leads || segment.has_replica(node)) return true;
        }
    }
    return false;
}

}  // namespace

CommandResult apply_body(ClusterData& data, Index index, const UpsertNode& command) {
    if (!sound(command)) return rejected(Outcome::kInvalid);
    const auto found = data.nodes.find(command.id);
    if (found == data.nodes.end()) {
        if (command.expect_boot != 0) return rejected(Outcome::kNotFound);
        if (data.nodes.size() >= kMaxNodes) return rejected(Outcome::kLimit);
    } else {
        const Node& node = found->second;
        if (node.state == NodeState::kRemoved) return rejected(Outcome::kWrongState);
        // A blank disk under an old id would vote and count for what it has forgotten.
        if (node.disk != command.disk) return rejected(Outcome::kStaleNode);
        if (node.boot != command.expect_boot) return rejected(Outcome::kStaleVersion);
    }
    Node& node = data.nodes[command.id];
    node.id = command.id;
    node.peer_address = command.peer_address;
    node.text_address = command.text_address;
    node.kafka_address = command.kafka_address;
    node.boot = command.boot;
    node.disk = command.disk;
    if (node.state != NodeState::kDraining) node.state = NodeState::kLive;
    node.version = index;
    return {};
}

CommandResult apply_body(ClusterData& data, Index index, const SetNodeState& command) {
    const auto found = data.nodes.find(command.id);
    if (found == data.nodes.end()) return rejected(Outcome::kNotFound);
    Node& node = found->second;
    if (node.version != command.expect_version) return rejected(Outcome::kStaleVersion);
    if (node.state == NodeState::kRemoved) return rejected(Outcome::kWrongState);
    if (command.state == NodeState::kRemoved && holds_anything(data, node.id)) {
        return rejected(Outcome::kInUse);
    }
    node.state = command.state;
    node.version = index;
    return {};
}

CommandResult apply_body(ClusterData& data, Index index, const InitProducer& command) {
    if (command.name.size() > kMaxNameBytes) return rejected(Outcome::kInvalid);
    if (data.next_producer >= kMaxPosition) return rejected(Outcome::kLimit);
    if (command.name.empty()) return {.producer = data.next_producer++};

    const auto found = data.producers.find(command.name);
    if (found == data.producers.end()) {
        if (data.producers.size() >= kMaxNamedProducers) return rejected(Outcome::kLimit);
        const NamedProducer fresh{.id = data.next_producer++, .epoch = 0, .last_used = index};
        data.producers.emplace(command.name, fresh);
        return {.producer = fresh.id};
    }
    NamedProducer& producer = found->second;
    // Clients know epochs as signed 16-bit numbers; after the last one the name gets another id.
    if (producer.epoch >= std::numeric_limits<std::int16_t>::max()) {
        producer.id = data.next_producer++;
        producer.epoch = 0;
    } else {
        ++producer.epoch;
    }
    producer.last_used = index;
    return {.producer = producer.id, .producer_epoch = producer.epoch};
}

CommandResult apply_body(ClusterData& data, Index, const ExpireProducers& command) {
    std::erase_if(data.producers, [&](const auto& entry) {
        return entry.second.last_used <= command.unused_since;
    });
    return {};
}

}  // namespace walrus::cluster
