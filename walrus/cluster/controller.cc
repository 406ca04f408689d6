#include "walrus/cluster/controller.h"

#include <algorithm>
#include <utility>

#include "walrus/cluster/placement.h"
#include "walrus/cluster/retention.h"

namespace walrus::cluster {
namespace {

SegmentKey last_key(const Topic& topic) {
    return {topic.id, topic.last().number};
}

}  // namespace

Controller::Controller(const ControllerOptions& options, NodeId self, const ClusterState& state)
    : options_(options), self_(self), state_(state) {}

void Controller::set_active(bool active) {
    if (active == active_) return;
    active_ = active;
    active_since_ = state_.applied_index();
    seals_.clear();
    for (const auto& [id, node] : state_.data().nodes) heard_[id] = {node.boot, ticks_};
}

void Controller::heard(NodeId node, const NodeHeartbeat& heartbeat) {
    heard_[node] = {heartbeat.boot, ticks_};
}

bool Controller::silent(NodeId node) const {
    if (node == self_) return false;
    const auto found = heard_.find(node);
    return found == heard_.end() || ticks_ - found->second.tick >= options_.suspect_ticks;
}

void Controller::tick(std::uint64_t wall_ms, Output& out) {
    ++ticks_;
    if (!active_) return;
    for (auto& [key, running] : seals_) running.coordinator.tick(out);
    if (due(options_.propose_ticks)) {
        watch_nodes(out);
        watch_segments(wall_ms, out);
    }
    if (!due(options_.monitor_ticks)) return;
    for (const auto& [id, topic] : state_.data().topics) {
        const SegmentNumber first = first_kept_segment(topic, wall_ms);
        if (first > topic.first().number) out.proposals.emplace_back(DropSegments{id, first});
        for (const auto& [number, segment] : topic.segments) repair(topic, segment, out);
    }
}

void Controller::watch_nodes(Output& out) {
    for (const auto& [id, node] : state_.data().nodes) {
        // A node that registers is heard of from then on.
        heard_.try_emplace(id, Heard{node.boot, ticks_});
        const bool gone = silent(id);
        if (gone && node.serves()) {
            out.proposals.emplace_back(SetNodeState{id, NodeState::kDown, node.version});
        }
        const bool same_run = heard_[id].boot == node.boot;
        if (!gone && same_run && node.state == NodeState::kDown) {
            out.proposals.emplace_back(SetNodeState{id, NodeState::kLive, node.version});
        }
    }
}

void Controller::watch_segments(std::uint64_t wall_ms, Output& out) {
    for (const auto& [id, topic] : state_.data().topics) {
        switch (topic.last().state) {
            case SegmentState::kOpen: watch_open(topic, out); break;
            case SegmentState::kSealing: run_seal(topic, wall_ms, out); break;
            case SegmentState::kSealed: {
                const auto next = place_segment(
                    state_.data(),
                    {.config = topic.config, .previous = &topic.last(), .wall_ms = wall_ms});
                if (next) out.proposals.emplace_back(OpenSegment{id, topic.last().number, *next});
                break;
            }
        }
    }
}

// A leader that is dead, or came back as another incarnation, has left its segment.
void Controller::watch_open(const Topic& topic, Output& out) const {
    const Segment& segment = topic.last();
    const Node* leader = state_.node(segment.leader.node);
    const bool gone = leader == nullptr || leader->boot != segment.leader.boot ||
                      !leader->serves() || silent(leader->id);
    if (gone) out.proposals.emplace_back(BeginSeal{last_key(topic), segment.epoch});
}

void Controller::start_seal(const Topic& topic, Output& out) {
    const Segment& segment = topic.last();
    SealCoordinator coordinator(options_.coordinator, self_, topic.id, segment);
    std::size_t serving = 0;
    std::vector<ReplicaId> spares;
    for (const auto& [id, node] : state_.data().nodes) {
        if (!node.serves()) continue;
        ++serving;
        if (node.state == NodeState::kLive && !segment.has_replica(id)) {
            spares.push_back({id, node.disk});
        }
    }
    coordinator.set_spares(std::move(spares), serving);
    coordinator.start(out);
    seals_.insert_or_assign(last_key(topic), Running{std::move(coordinator), ticks_});
}

void Controller::update(TopicId id, Output& out) {
    if (!active_) return;
    const Topic* topic = state_.topic(id);
    std::erase_if(seals_, [&](const auto& entry) {
        const Segment* segment = state_.segment(entry.first);
        return entry.first.topic == id &&
               (segment == nullptr || segment->state != SegmentState::kSealing ||
                segment->epoch != entry.second.coordinator.epoch());
    });
    if (topic == nullptr || topic->last().state != SegmentState::kSealing) return;
    const bool ours = topic->last().epoch.value > active_since_;
    if (ours && !seals_.contains(last_key(*topic))) start_seal(*topic, out);
}

void Controller::run_seal(const Topic& topic, std::uint64_t wall_ms, Output& out) {
    const auto found = seals_.find(last_key(topic));
    const BeginSeal again{last_key(topic), topic.last().epoch};
    if (found == seals_.end()) {
        out.proposals.emplace_back(again);
        return;
    }
    const SealCoordinator& coordinator = found->second.coordinator;
    // Also when something was found: its holders may have been enough while other nodes were down,
    // and are refused since those are back.
    const bool no_end = ticks_ - found->second.since >= options_.restart_ticks;
    if (coordinator.superseded() || no_end) {
        out.proposals.emplace_back(again);
    } else if (const auto content = coordinator.found()) {
        propose_seal(topic, *content, wall_ms, out);
    }
}

void Controller::propose_seal(const Topic& topic, const SealCoordinator::Found& found,
                              std::uint64_t wall_ms, Output& out) const {
    out.proposals.emplace_back(Seal{
        .key = last_key(topic),
        .expect_epoch = topic.last().epoch,
        .content = found.content,
        .holders = found.holders,
        .next = place_segment(
            state_.data(), {.config = topic.config, .previous = &topic.last(), .wall_ms = wall_ms}),
        .wall_ms = wall_ms,
    });
}

void Controller::repair(const Topic& topic, const Segment& segment, Output& out) const {
    if (segment.state != SegmentState::kSealed || segment.replicas.empty()) return;
    const SegmentKey key{topic.id, segment.number};
    const std::vector<ReplicaId> dead = dead_copies(state_.data(), segment);
    const std::size_t live = segment.replicas.size() - dead.size();
    if (live < topic.config.replication_factor) {
        const auto target = place_copy(state_.data(), segment);
        if (target) out.messages.push_back({self_, target->node, CopyRequest{key}});
    } else if (!dead.empty()) {
        // Enough good copies are recorded: the others may be forgotten.
        out.proposals.emplace_back(
            ChangeReplicas{.key = key, .expect_version = segment.version, .remove = dead});
    }
}

template <class Reply>
void Controller::pass_on(NodeId from, const Reply& reply, Output& out) {
    const auto found = seals_.find(reply.key);
    if (found != seals_.end()) found->second.coordinator.on(from, reply, out);
}

void Controller::on(NodeId from, const FenceReply& reply, Output& out) {
    pass_on(from, reply, out);
}

void Controller::on(NodeId from, const AppendReply& reply, Output& out) {
    pass_on(from, reply, out);
}

void Controller::on(NodeId from, const ReadReply& reply, Output& out) {
    pass_on(from, reply, out);
}

std::map<SegmentKey, SealCoordinator::Found> Controller::stuck() const {
    std::map<SegmentKey, SealCoordinator::Found> stuck;
    for (const auto& [key, running] : seals_) {
        const bool waits = ticks_ - running.since >= options_.suspect_ticks;
        if (!waits || running.coordinator.found()) continue;
        stuck.emplace(key, running.coordinator.salvage().value_or(SealCoordinator::Found{}));
    }
    return stuck;
}

}  // namespace walrus::cluster
