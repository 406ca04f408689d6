// What a node does when time passes.
#include "walrus/cluster/placement.h"
#include "walrus/cluster/rollover.h"
#include "walrus/cluster/segment_node.h"

namespace walrus::cluster {

void SegmentNode::tick(std::uint64_t wall_ms) {
    ++ticks_;
    if (ticks_ % options_.heartbeat_ticks == 0) {
        for (const auto& [id, node] : state_.data().nodes) {
            if (id == options_.id || node.state == NodeState::kRemoved) continue;
            send(id, NodeHeartbeat{options_.boot, options_.disk});
        }
    }
    for (auto& [topic, reign] : reigns_) tick_reign(reign, wall_ms);
    if (!swept_ && is_up_to_date()) {
        swept_ = true;
        metadata_replaced();
    }
    tick_copies();
    controller_.tick(wall_ms, out_);
    settle();
}

void SegmentNode::tick_reign(Reign& reign, std::uint64_t wall_ms) {
    const Topic* topic = state_.topic(reign.key.topic);
    if (topic == nullptr) return;
    if (!reign.leader) {
        if (ticks_ % options_.propose_ticks == 0) load_producers(reign, *topic);
        return;
    }
    SegmentLeader& leader = *reign.leader;
    leader.tick(out_);
    if (reign.stopped_at == 0) {
        // Who appends finds dead copies by itself; an idle topic must be looked at.
        reign.thin_ticks = is_thin(state_.data(), *topic) ? reign.thin_ticks + 1 : 0;
        const Node* self = state_.node(options_.id);
        const SegmentUsage usage{
            .records = leader.full() ? topic->last().max_records : leader.end().length,
            .bytes = leader.end().bytes,
            .opened_ms = topic->last().opened_ms,
            .draining = self != nullptr && self->state == NodeState::kDraining,
            .replica_trouble = leader.replica_trouble() || reign.thin_ticks >= options_.heal_ticks,
        };
        SegmentLimits limits = topic->config.limits;
        limits.max_records = topic->last().max_records;
        if (!why_roll_over(limits, usage, wall_ms)) return;
        leader.stop_admitting();
        reign.stopped_at = ticks_;
    }
    // A copy that is only a moment behind is worth waiting for: else it would be made anew.
    const std::uint64_t waited = ticks_ - reign.stopped_at;
    const bool at_once = waited == 0 && leader.all_hold_it();
    if (at_once || (waited > 0 && waited % options_.propose_ticks == 0)) {
        propose_rollover(reign, *topic, wall_ms);
    }
}

void SegmentNode::propose_rollover(const Reign& reign, const Topic& topic, std::uint64_t wall_ms) {
    const SegmentLeader& leader = *reign.leader;
    // A copy whose node went for good since it answered would have the command refused for ever.
    std::vector<ReplicaId> holders = leader.holders();
    std::erase_if(holders, [&](const ReplicaId& id) { return !is_live_copy(state_.data(), id); });
    if (leader.drained() && holders.size() >= topic.last().ack_quorum) {
        const auto next = place_segment(
            state_.data(), {.config = topic.config, .previous = &topic.last(), .wall_ms = wall_ms});
        if (next) {
            out_.proposals.emplace_back(
                SealAndOpen{reign.key, leader.epoch(), leader.content(), holders, *next});
        }
        return;
    }
    // It was fenced, too few replicas are left to commit what is in flight, or too few of those
    // that did are left: others must be found, or made.
    const bool no_end = ticks_ - reign.stopped_at >= options_.drain_ticks;
    if (no_end) out_.proposals.emplace_back(BeginSeal{reign.key, leader.epoch()});
}

// The metadata counts this node's copy of a sealed segment, but it is damaged or missing: get it
// from another holder.
void SegmentNode::heal_copies() {
    std::vector<SegmentKey> ill;
    for (const auto& [key, copy] : replicas_) {
        const Segment* segment = state_.segment(key);
        const bool counted =
            segment != nullptr && segment->state == SegmentState::kSealed && is_member(*segment);
        if (counted && !copy.complete() && !copy.failed()) ill.push_back(key);
    }
    for (const SegmentKey& key : ill) {
        if (replica(key)->corrupt() && !copies_.contains(key)) remove_copy(key);
        handle(options_.id, CopyRequest{key});
    }
}

// A source that is gone for good never answers, so waiting for it would keep others from being
// asked.  Once the copy is there, nothing more is needed from it.
bool SegmentNode::is_hopeless(const TailCopier& copier, const Segment& segment) const {
    if (copier.done()) return false;
    const ReplicaId& source = copier.job().source;
    const Node* node = state_.node(source.node);
    const ReplicaId* holder = segment.replica(source.node);
    return node == nullptr || !node->serves() || holder == nullptr || *holder != source;
}

void SegmentNode::tick_copies() {
    if (ticks_ % options_.heal_ticks == 0) heal_copies();
    if (ticks_ % options_.propose_ticks != 0) return;
    for (auto at = copies_.begin(); at != copies_.end();) {
        const SegmentKey key = at->first;
        TailCopier& copier = at->second;
        const Segment* segment = state_.segment(key);
        if (segment == nullptr || copier.failed() || is_hopeless(copier, *segment)) {
            // The controller asks again, and then another source may be tried.
            at = copies_.erase(at);
            continue;
        }
        const Replica* copy = replica(key);
        const bool complete = copier.done() && copy != nullptr && copy->complete();
        if (complete && is_member(*segment)) {
            at = copies_.erase(at);
            continue;
        }
        if (complete) {
            out_.proposals.emplace_back(ChangeReplicas{
                .key = key,
                .expect_version = segment->version,
                .add = {self_},
                .holder = {options_.id, options_.boot},
            });
        } else {
            copier.start(out_);
        }
        ++at;
    }
}

}  // namespace walrus::cluster
