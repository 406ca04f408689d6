// Help for tests that drive a ClusterState: nodes, topics, and one-line commands.
#pragma once

#include <string>
#include <utility>

#include "walrus/cluster/cluster_state.h"
#include "walrus/cluster/placement.h"

namespace walrus::cluster {

// Every node n has boot id 100 + n and disk id 1000 + n until a test says otherwise.
inline UpsertNode upsert(NodeId id, BootId boot = 0, BootId expect_boot = 0) {
    return {.id = id,
            .boot = boot != 0 ? boot : 100 + id,
            .disk = 1000 + id,
            .expect_boot = expect_boot,
            .peer_address = "n" + std::to_string(id) + ":6000",
            .text_address = "n" + std::to_string(id) + ":8080",
            .kafka_address = "n" + std::to_string(id) + ":9092"};
}

inline ReplicaId copy_on(NodeId id) {
    return {id, 1000 + id};
}

// Applies at the next index.
class TestState {
public:
    explicit TestState(NodeId nodes = 3) {
        for (NodeId id = 1; id <= nodes; ++id) run(upsert(id));
    }

    template <class Body>
    CommandResult run(Body body, CommandId id = {}) {
        return state.apply(state.applied_index() + 1, Command{id, CommandBody(std::move(body))});
    }
    // Segment 1 of a new topic on the nodes 1, 2, 3, led by 1.
    TopicId create(const std::string& name = "t", TopicConfig config = {}) {
        return run(CreateTopic{name, config, next_on(1)}).topic;
    }
    static std::vector<ReplicaId> all_three() { return {copy_on(1), copy_on(2), copy_on(3)}; }
    // On the nodes 1, 2, 3.
    static NextSegment next_on(NodeId leader) {
        return {.leader = {leader, 100 + leader},
                .replicas = {copy_on(1), copy_on(2), copy_on(3)},
                .wall_ms = 5};
    }
    const Segment& segment(TopicId topic, SegmentNumber number) const {
        return state.topic(topic)->segments.at(number);
    }

    ClusterState state;
};

}  // namespace walrus::cluster
