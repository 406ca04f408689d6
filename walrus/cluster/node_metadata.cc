// What a node does when the metadata has changed.
#include <algorithm>
#include <utility>

#include "walrus/base/bytes.h"
#include "walrus/cluster/mutants.h"
#include "walrus/cluster/segment_node.h"

namespace walrus::cluster {

void SegmentNode::update_topic(TopicId id) {
    controller_.update(id, out_);
    const Topic* topic = state_.topic(id);
    if (topic != nullptr) {
        for (const auto& [number, segment] : topic->segments) update_copy(id, segment);
    }
    drop_copies(id);
    if (topic == nullptr) {
        const auto reign = reigns_.find(id);
        if (reign == reigns_.end()) return;
        if (reign->second.leader) reign->second.leader->abandon(out_);
        reigns_.erase(reign);
        return;
    }
    finish_copies(id);
    update_reign(*topic);
}

void SegmentNode::update_copy(TopicId topic, const Segment& segment) {
    const SegmentKey key{topic, segment.number};
    if (find_replica(key) == nullptr && (is_member(segment) || restored_.contains(key))) {
        create_copy(topic, segment);
    }
    if (Replica* replica = find_replica(key)) replica->update(segment, out_);
}

void SegmentNode::create_copy(TopicId topic, const Segment& segment) {
    const SegmentKey key{topic, segment.number};
    RestoredReplica restored{.promised = segment.epoch};
    if (auto found = restored_.extract(key); !found.empty()) {
        restored = std::move(found.mapped());
    } else if (segment.state == SegmentState::kSealing && is_member(segment)) {
        // Nothing was ever stored here under this disk, so nothing was promised either.
        restored.promised = Epoch{};
    }
    // The stream of writes goes on behind a removal that is under way.
    if (const auto gone = removing_.find(key); gone != removing_.end()) {
        restored.last_ticket = gone->second;
    }
    const auto [at, fresh] = replicas_.try_emplace(key, topic, segment, self_, std::move(restored));
    at->second.update(segment, out_);
}

// Copies go only when the metadata says so: the topic or segment was deleted, or others hold the
// sealed segment.  What it does not know (yet) is kept.
bool SegmentNode::is_unwanted(const SegmentKey& key) const {
    const Topic* topic = state_.topic(key.topic);
    if (topic == nullptr) return state_.was_deleted(key.topic);
    const Segment* segment = topic->segment(key.segment);
    if (segment == nullptr) return key.segment < topic->first().number;
    return segment->state == SegmentState::kSealed && !is_member(*segment) &&
           !copies_.contains(key);
}

void SegmentNode::remove_copy(const SegmentKey& key) {
    const Replica* copy = replica(key);
    const std::uint64_t ticket = copy != nullptr ? copy->last_ticket() + 1 : 1;
    out_.writes.push_back({.key = key, .ticket = ticket, .operation = RemoveCopy{}});
    removing_[key] = ticket;
    replicas_.erase(key);
    restored_.erase(key);
}

// A restarted node applies old metadata again, which may not name copies that were made since.  Its
// own registration stands behind all that was agreed on before this run.
bool SegmentNode::is_up_to_date() const {
    const Node* self = state_.node(options_.id);
    return self != nullptr && self->boot == options_.boot;
}

void SegmentNode::drop_copies(TopicId id) {
    if (!is_up_to_date() && !mutant_on(Mutant::kDropByOldMetadata)) return;
    std::vector<SegmentKey> unwanted;
    for (auto at = replicas_.lower_bound({id, 0}); at != replicas_.end(); ++at) {
        if (at->first.topic != id) break;
        if (is_unwanted(at->first)) unwanted.push_back(at->first);
    }
    for (auto at = restored_.lower_bound({id, 0}); at != restored_.end(); ++at) {
        if (at->first.topic != id) break;
        if (is_unwanted(at->first)) unwanted.push_back(at->first);
    }
    for (const SegmentKey& key : unwanted) remove_copy(key);
}

// A repair ends when the metadata names this node as a holder.
void SegmentNode::finish_copies(TopicId topic) {
    std::erase_if(copies_, [&](const auto& entry) {
        if (entry.first.topic != topic) return false;
        const Segment* segment = state_.segment(entry.first);
        const Replica* copy = replica(entry.first);
        return segment == nullptr || copy == nullptr || (is_member(*segment) && copy->complete());
    });
}

void SegmentNode::update_reign(const Topic& topic) {
    const SegmentKey key{topic.id, topic.last().number};
    const bool leads =
        may_lead(topic.last(), {options_.id, options_.boot}) && is_member(topic.last());
    const auto found = reigns_.find(topic.id);
    const bool other = found != reigns_.end() && (found->second.key != key || !leads);
    if (other) {
        if (found->second.leader) found->second.leader->abandon(out_);
        reigns_.erase(found);
    }
    if (!leads || reigns_.contains(topic.id)) return;
    Reign& reign = reigns_[topic.id];
    reign.key = key;
    load_producers(reign, topic);
}

void SegmentNode::load_producers(Reign& reign, const Topic& topic) {
    // Empty segments know nothing; the last one with records knows everything before it.
    const Segment* source = nullptr;
    for (const auto& [number, segment] : topic.segments) {
        if (number < reign.key.segment && segment.length > 0) source = &segment;
    }
    if (source == nullptr || source->replicas.empty()) return begin_reign(reign, {});
    const SegmentKey key{topic.id, source->number};
    const Replica* own = replica(key);
    if (own != nullptr && own->complete()) return begin_reign(reign, own->producers());
    const ReplicaId& holder = source->replicas[reign.asked++ % source->replicas.size()];
    send(holder.node, ProducersRequest{key, source->length});
}

void SegmentNode::begin_reign(Reign& reign, ProducerTable producers) {
    const Segment* segment = state_.segment(reign.key);
    if (segment == nullptr || !may_lead(*segment, {options_.id, options_.boot})) return;
    reign.leader.emplace(options_.leader, reign.key.topic, *segment, std::move(producers));
}

}  // namespace walrus::cluster
