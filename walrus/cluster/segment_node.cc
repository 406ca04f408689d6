#include "walrus/cluster/segment_node.h"

#include <algorithm>
#include <utility>

namespace walrus::cluster {

SegmentNode::SegmentNode(const SegmentNodeOptions& options, const ClusterState& state,
                         std::map<SegmentKey, RestoredReplica> restored)
    : options_(options),
      self_{options.id, options.disk},
      state_(state),
      restored_(std::move(restored)),
      controller_(options.controller, options.id, state) {}

void SegmentNode::metadata_changed(TopicId topic) {
    update_topic(topic);
    settle();
}

void SegmentNode::metadata_replaced() {
    std::vector<TopicId> topics;
    for (const auto& [key, replica] : replicas_) topics.push_back(key.topic);
    for (const auto& [key, replica] : restored_) topics.push_back(key.topic);
    for (const auto& [id, reign] : reigns_) topics.push_back(id);
    for (const auto& [id, topic] : state_.data().topics) topics.push_back(id);
    std::ranges::sort(topics);
    topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
    for (const TopicId id : topics) update_topic(id);
    settle();
}

void SegmentNode::step(const Message& message) {
    if (message.to != options_.id) return;
    std::visit([&](const auto& body) { handle(message.from, body); }, message.body);
    settle();
}

void SegmentNode::settle() {
    // A step may add messages to this node; they are taken in the order they were sent.
    for (;;) {
        const auto mine =
            std::stable_partition(out_.messages.begin(), out_.messages.end(),
                                  [&](const Message& m) { return m.to != options_.id; });
        if (mine == out_.messages.end()) return;
        const std::vector<Message> local(std::make_move_iterator(mine),
                                         std::make_move_iterator(out_.messages.end()));
        out_.messages.erase(mine, out_.messages.end());
        for (const Message& message : local) {
            std::visit([&](const auto& body) { handle(message.from, body); }, message.body);
        }
    }
}

void SegmentNode::send(NodeId to, MessageBody body) {
    out_.messages.push_back({options_.id, to, std::move(body)});
}

Output SegmentNode::take_output() {
    return std::exchange(out_, {});
}

Replica* SegmentNode::find_replica(const SegmentKey& key) {
    const auto found = replicas_.find(key);
    return found == replicas_.end() ? nullptr : &found->second;
}

SegmentLeader* SegmentNode::find_leader(const SegmentKey& key) {
    const auto found = reigns_.find(key.topic);
    if (found == reigns_.end() || found->second.key != key || !found->second.leader) return nullptr;
    return &*found->second.leader;
}

bool SegmentNode::is_member(const Segment& segment) const {
    const ReplicaId* member = segment.replica(self_.node);
    return member != nullptr && *member == self_;
}

// --- messages ---

void SegmentNode::handle(NodeId from, const AppendRequest& body) {
    Replica* replica = find_replica(body.key);
    const Segment* segment = state_.segment(body.key);
    // A coordinator makes this node a holder of a segment it was no member of.
    const bool invited = replica == nullptr && body.recovery && segment != nullptr &&
                         segment->state == SegmentState::kSealing && segment->epoch == body.epoch &&
                         !segment->has_replica(self_.node);
    if (invited) {
        create_copy(body.key.topic, *segment);
        replica = find_replica(body.key);
    }
    if (replica != nullptr) return replica->on(from, body, out_);
    send(from, AppendReply{.key = body.key,
                           .epoch = body.epoch,
                           .disk = self_.disk,
                           .status = AppendStatus::kUnknown});
}

void SegmentNode::handle(NodeId from, const FenceRequest& body) {
    if (Replica* replica = find_replica(body.key)) return replica->on(from, body, out_);
    send(from, FenceReply{.key = body.key,
                          .epoch = body.epoch,
                          .disk = self_.disk,
                          .status = FenceStatus::kUnknown});
}

void SegmentNode::handle(NodeId from, const ReadRequest& body) {
    if (Replica* replica = find_replica(body.key)) return replica->on(from, body, out_);
    send(from, ReadReply{.key = body.key,
                         .epoch = body.epoch,
                         .status = ReadStatus::kUnknown,
                         .first = body.first});
}

void SegmentNode::handle(NodeId from, const ConfirmRequest& body) {
    // Without a copy there is no promise to speak of: no answer.
    if (Replica* replica = find_replica(body.key)) replica->on(from, body, out_);
}

void SegmentNode::handle(NodeId from, const ProducersRequest& body) {
    if (Replica* replica = find_replica(body.key)) return replica->on(from, body, out_);
    send(from, ProducersReply{.key = body.key});
}

void SegmentNode::handle(NodeId from, const AppendReply& body) {
    if (SegmentLeader* leader = find_leader(body.key)) leader->on(from, body, out_);
    if (const auto copy = copies_.find(body.key); copy != copies_.end()) {
        copy->second.on(from, body, out_);
    }
    controller_.on(from, body, out_);
}

void SegmentNode::handle(NodeId from, const ReadReply& body) {
    if (const auto copy = copies_.find(body.key); copy != copies_.end()) {
        copy->second.on(from, body, out_);
    }
    controller_.on(from, body, out_);
}

void SegmentNode::handle(NodeId from, const FenceReply& body) {
    controller_.on(from, body, out_);
}

void SegmentNode::handle(NodeId from, const ConfirmReply& body) {
    if (SegmentLeader* leader = find_leader(body.key)) leader->on(from, body, out_);
}

void SegmentNode::handle(NodeId, const ProducersReply& body) {
    const auto found = reigns_.find(body.key.topic);
    if (found == reigns_.end() || found->second.leader || !body.known) return;
    auto table = ProducerTable::decode(as_bytes(body.table.text()));
    // Another holder is asked at the next tick.
    if (table && body.key.segment < found->second.key.segment) {
        begin_reign(found->second, *std::move(table));
    }
}

void SegmentNode::handle(NodeId from, const NodeHeartbeat& body) {
    controller_.heard(from, body);
}

void SegmentNode::handle(NodeId, const CopyRequest& body) {
    const Segment* segment = state_.segment(body.key);
    if (segment == nullptr || segment->state != SegmentState::kSealed) return;
    if (copies_.contains(body.key)) return;
    if (find_replica(body.key) == nullptr) create_copy(body.key.topic, *segment);
    // Another source each time, in case one cannot.
    const std::size_t holders = segment->replicas.size();
    for (std::size_t i = 0; i < holders; ++i) {
        const ReplicaId& source = segment->replicas[(ticks_ + i) % holders];
        const Node* node = state_.node(source.node);
        if (node == nullptr || !node->serves() || source == self_) continue;
        TailCopier copier({.self = self_.node,
                           .key = body.key,
                           .epoch = std::max(segment->epoch, find_replica(body.key)->promised()),
                           .source = source,
                           .target = self_,
                           .end = {segment->length, segment->bytes, segment->chain}});
        copier.start(out_);
        copies_.emplace(body.key, std::move(copier));
        return;
    }
}

// --- disk ---

void SegmentNode::persisted(const SegmentKey& key, std::uint64_t ticket) {
    if (Replica* replica = find_replica(key)) replica->persisted(ticket, out_);
    const auto gone = removing_.find(key);
    if (gone != removing_.end() && ticket >= gone->second) removing_.erase(gone);
    settle();
}

void SegmentNode::write_failed(const SegmentKey& key) {
    if (Replica* replica = find_replica(key)) replica->write_failed(out_);
    settle();
}

void SegmentNode::read_done(DiskReadDone done) {
    ReadReply reply{.key = done.request.key,
                    .epoch = done.request.epoch,
                    .status = done.ok ? ReadStatus::kOk : ReadStatus::kFailed,
                    .first = done.request.first};
    if (done.ok) {
        reply.prev_chain = done.prev_chain;
        reply.batches = std::move(done.batches);
    }
    send(done.request.for_node, std::move(reply));
    settle();
}

// --- callers ---

void SegmentNode::append(std::uint64_t request, TopicId topic, Batch batch) {
    const auto found = reigns_.find(topic);
    if (found == reigns_.end()) {
        out_.appends.push_back({request, topic, AppendOutcome::kNotLeader, {}});
        return;
    }
    if (!found->second.leader) {
        out_.appends.push_back({request, topic, AppendOutcome::kBusy, {}});
        return;
    }
    found->second.leader->append(request, std::move(batch), out_);
    settle();
}

void SegmentNode::confirm_read(std::uint64_t request, TopicId topic) {
    const auto found = reigns_.find(topic);
    if (found == reigns_.end() || !found->second.leader) {
        out_.reads_done.push_back({.request = request, .topic = topic});
        return;
    }
    found->second.leader->confirm_read(request, out_);
    settle();
}

std::uint64_t SegmentNode::readable_length(const SegmentKey& key) const {
    const Replica* found = replica(key);
    return found == nullptr ? 0 : found->readable_length();
}

const Replica* SegmentNode::replica(const SegmentKey& key) const {
    const auto found = replicas_.find(key);
    return found == replicas_.end() ? nullptr : &found->second;
}

const SegmentLeader* SegmentNode::leader(TopicId topic) const {
    const auto found = reigns_.find(topic);
    if (found == reigns_.end() || !found->second.leader) return nullptr;
    return &*found->second.leader;
}

}  // namespace walrus::cluster
