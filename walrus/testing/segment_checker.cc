#include "walrus/testing/segment_checker.h"

#include <algorithm>

namespace walrus::testing {
namespace {

// Every so many indexes the whole state is compared and looked through.
constexpr cluster::Index kWholeEvery = 64;

std::string name(const cluster::SegmentKey& key) {
    return "segment " + std::to_string(key.topic) + "." + std::to_string(key.segment);
}

}  // namespace

void SegmentChecker::fail(const std::string& what) {
    if (!violation_) violation_ = what;
}

// --- disks ---

const SegmentChecker::State& SegmentChecker::state_of(const cluster::ReplicaId& copy,
                                                      const cluster::SegmentKey& key) const {
    static const State kNothing;
    const auto disk = disks_.find(copy);
    if (disk == disks_.end()) return kNothing;
    const auto found = disk->second.find(key);
    return found == disk->second.end() ? kNothing : found->second.durable;
}

std::size_t SegmentChecker::holders(const cluster::SegmentKey& key,
                                    const std::vector<cluster::ReplicaId>& of, std::uint64_t length,
                                    std::optional<std::uint64_t> epoch) const {
    return static_cast<std::size_t>(std::ranges::count_if(of, [&](const cluster::ReplicaId& copy) {
        const State& state = state_of(copy, key);
        return state.length >= length && (!epoch || state.promised <= *epoch);
    }));
}

void SegmentChecker::submitted(cluster::ReplicaId self, const cluster::DiskWrite& write) {
    Disk& disk = disks_[self][write.key];
    State& after = disk.written;
    after.exists = true;
    if (const auto* store = std::get_if<cluster::StoreBatches>(&write.operation)) {
        if (store->before.length != after.length) fail("I2: " + name(write.key) + " has a gap");
        extend(write.key, *store);
        for (const cluster::Batch& batch : store->batches) after.length += batch.records;
    } else if (const auto* promise = std::get_if<cluster::PromiseEpoch>(&write.operation)) {
        if (promise->epoch.value < after.promised) fail("I4: a promise falls");
        after.promised = promise->epoch.value;
    } else if (const auto* cut = std::get_if<cluster::CutTo>(&write.operation)) {
        after.length = cut->end.length;
    } else {
        after = {};
    }
    disk.pending.push_back({write.ticket, after});
}

void SegmentChecker::durable(cluster::ReplicaId self, const replica_store::Done& done) {
    Disk& disk = disks_[self][done.key];
    while (!disk.pending.empty() && disk.pending.front().ticket <= done.ticket) {
        disk.durable = disk.pending.front().after;
        disk.pending.pop_front();
    }
}

// What was durable is there; what was under way may be there in part, in order.
void SegmentChecker::restored(
    cluster::ReplicaId self,
    const std::map<cluster::SegmentKey, cluster::RestoredReplica>& copies) {
    Copies& disks = disks_[self];
    for (auto& [key, disk] : disks) {
        State least = disk.durable;
        State most = disk.durable;
        for (const Pending& pending : disk.pending) {
            least.length = std::min(least.length, pending.after.length);
            least.promised = std::min(least.promised, pending.after.promised);
            least.exists = least.exists && pending.after.exists;
            most.length = std::max(most.length, pending.after.length);
            most.promised = std::max(most.promised, pending.after.promised);
        }
        const auto found = copies.find(key);
        State now;
        if (found != copies.end()) {
            const cluster::RestoredReplica& copy = found->second;
            now.exists = true;
            now.promised = copy.promised.value;
            now.length = copy.tail.empty() ? copy.trusted.length : copy.tail.back().end.length;
        }
        const bool sound = (now.exists || !least.exists) && now.length >= least.length &&
                           now.length <= most.length && now.promised >= least.promised &&
                           now.promised <= most.promised;
        if (!sound) {
            fail("the disk of node " + std::to_string(self.node) + " forgot of " + name(key) +
                 ": length " + std::to_string(now.length) + " of " + std::to_string(least.length) +
                 ", promised " + std::to_string(now.promised) + " of " +
                 std::to_string(least.promised));
        }
        disk = {.durable = now, .written = now, .pending = {}};
    }
}

void SegmentChecker::lost_disk(cluster::NodeId node) {
    lost_.insert(node);
}

// I2: whoever stores something, it is the next part of the one sequence.
void SegmentChecker::extend(const cluster::SegmentKey& key, const cluster::StoreBatches& store) {
    std::vector<cluster::Mark>& marks = sequences_[key];
    if (marks.empty()) marks.push_back({.chain = cluster::chain_start(key)});
    cluster::Mark mark = store.before;
    auto at = std::ranges::lower_bound(marks, mark.length, {}, &cluster::Mark::length);
    for (std::size_t i = 0;; ++i) {
        if (at == marks.end()) {
            marks.push_back(mark);
            at = marks.end();
        } else if (*at != mark) {
            return fail("I2: " + name(key) + " has two versions of the batch that ends at " +
                        std::to_string(mark.length));
        } else {
            ++at;
        }
        if (i == store.batches.size()) return;
        mark = cluster::mark_after(mark, store.batches[i]);
    }
}

// --- between nodes ---

void SegmentChecker::sent(const SimSegments& node, const cluster::Message& message) {
    if (const auto* append = std::get_if<cluster::AppendRequest>(&message.body)) {
        if (append->recovery) return;
        const cluster::LeaderId leader{node.self().node, node.boot()};
        const auto [found, first] = proposers_.try_emplace(append->key, leader);
        if (found->second != leader) fail("I1: " + name(append->key) + " has two proposers");
    } else if (const auto* reply = std::get_if<cluster::AppendReply>(&message.body)) {
        check_reply(node, *reply);
    } else if (const auto* fence = std::get_if<cluster::FenceReply>(&message.body)) {
        check_reply(node, *fence);
    }
}

void SegmentChecker::check_reply(const SimSegments& node, const cluster::AppendReply& reply) {
    if (reply.status != cluster::AppendStatus::kOk) return;
    const State& disk = state_of(node.self(), reply.key);
    if (reply.durable_length > disk.length) {
        fail("I3: node " + std::to_string(node.self().node) + " answers for " +
             std::to_string(reply.durable_length) + " of " + name(reply.key) + ", its disk has " +
             std::to_string(disk.length));
    }
    if (reply.epoch.value < disk.promised) {
        fail("I4: node " + std::to_string(node.self().node) + " acknowledges epoch " +
             std::to_string(reply.epoch.value) + " of " + name(reply.key) + " after promising " +
             std::to_string(disk.promised));
    }
    if (reply.disk != node.self().disk) fail("I12: an answer for another disk");
}

void SegmentChecker::check_reply(const SimSegments& node, const cluster::FenceReply& reply) {
    if (reply.status != cluster::FenceStatus::kFenced) return;
    const State& disk = state_of(node.self(), reply.key);
    // A copy that is made after the seal stands at its epoch without having been asked: no
    // coordinator needs its answer any more.
    if (disk.promised < reply.epoch.value && !sealed_.contains(reply.key)) {
        fail("I4: node " + std::to_string(node.self().node) + " says it is fenced at " +
             std::to_string(reply.epoch.value) + " of " + name(reply.key) + ", its disk at " +
             std::to_string(disk.promised));
    }
    if (reply.intact.length > disk.length) fail("I3: a fenced length that is not durable");
}

// --- clients ---

void SegmentChecker::acknowledged(const SimSegments& node, const cluster::AppendDone& done) {
    if (done.outcome != cluster::AppendOutcome::kCommitted || !done.offset) return;
    ++acknowledgements_;
    const cluster::Topic* topic = node.state().topic(done.topic);
    if (topic == nullptr) return;
    for (const auto& [number, segment] : topic->segments) {
        const cluster::SegmentKey key{done.topic, number};
        const bool last = number == topic->last().number;
        if (*done.offset < segment.base || (!last && *done.offset >= segment.end())) continue;
        const std::uint64_t first = done.offset->value - segment.base.value;
        const std::vector<cluster::Mark>& marks = sequences_[key];
        const auto end = std::ranges::upper_bound(marks, first, {}, &cluster::Mark::length);
        if (end == marks.end()) return fail("I3: " + name(key) + " acknowledges what nobody has");
        if (segment.state == cluster::SegmentState::kOpen &&
            holders(key, segment.replicas, end->length, {}) < segment.ack_quorum) {
            fail("I3: " + name(key) + " acknowledges " + std::to_string(end->length) +
                 " with too few durable copies");
        }
        const auto sealed = sealed_.find(key);
        if (sealed != sealed_.end() && sealed->second.content.length < end->length) {
            fail("I6: " + name(key) + " acknowledges behind its sealed length");
        }
        std::uint64_t& highest = acked_[key];
        highest = std::max(highest, end->length);
        return;
    }
}

void SegmentChecker::read(const SimSegments& node, cluster::TopicId id, Offset end) {
    const cluster::Topic* topic = node.state().topic(id);
    if (topic == nullptr) return;
    for (const auto& [number, segment] : topic->segments) {
        const cluster::SegmentKey key{id, number};
        const bool here =
            end > segment.base && (number == topic->last().number || end <= segment.end());
        if (!here) continue;
        const std::uint64_t length = end - segment.base;
        const auto sealed = sealed_.find(key);
        const bool covered = sealed != sealed_.end()
                                 ? length <= sealed->second.content.length
                                 : length <= acked_[key] || holders(key, segment.replicas, length,
                                                                    {}) >= segment.ack_quorum;
        if (!covered) fail("I8: " + name(key) + " shows " + std::to_string(length));
        if (sealed == sealed_.end()) acked_[key] = std::max(acked_[key], length);
        return;
    }
}

// --- metadata ---

void SegmentChecker::applied(const SimSegments& node, cluster::TopicId changed) {
    const cluster::ClusterData& data = node.state().data();
    const cluster::Index index = data.applied_index;
    auto& [boot, last] = applied_[node.self().node];
    if (boot == node.boot() && index < last) fail("the applied index falls");
    boot = node.boot();
    last = index;
    const auto [found, first] = history_.try_emplace(index, data.history_hash);
    if (found->second != data.history_hash) {
        return fail("nodes differ after index " + std::to_string(index));
    }
    if (index % kWholeEvery == 0) check_whole(node);
    if (!first || index <= newest_index_) return;
    newest_index_ = index;
    for (const auto& [id, topic] : data.topics) {
        if (id == changed || changed == 0) check_topic(topic);
        if (changed == 0) check_cursors(topic);
    }
}

void SegmentChecker::check_whole(const SimSegments& node) {
    const cluster::Index index = node.state().applied_index();
    const std::uint64_t hash = node.state().state_hash();
    if (states_.try_emplace(index, hash).first->second != hash) {
        fail("nodes have different states after index " + std::to_string(index));
    }
    if (const auto fault = cluster::fault_of(node.state().data())) fail("I9: " + *fault);
}

void SegmentChecker::check_topic(const cluster::Topic& topic) {
    for (auto at = topic.segments.rbegin(); at != topic.segments.rend(); ++at) {
        if (at->second.state != cluster::SegmentState::kSealed) continue;
        check_sealed({topic.id, at->first}, at->second);
    }
}

void SegmentChecker::check_sealed(const cluster::SegmentKey& key, const cluster::Segment& segment) {
    const cluster::Mark content{segment.length, segment.bytes, segment.chain};
    const auto [found, first] = sealed_.try_emplace(key, Sealed{content});
    Sealed& sealed = found->second;
    if (sealed.content != content) return fail("I5: " + name(key) + " is sealed twice");
    if (sealed.version == segment.version) return;
    sealed.version = segment.version;
    const auto acked = acked_.find(key);
    if (acked != acked_.end() && acked->second > content.length) {
        return fail("I6: " + name(key) + " is sealed at " + std::to_string(content.length) +
                    ", acknowledged or read is " + std::to_string(acked->second));
    }
    if (content.length == 0) return;
    const std::vector<cluster::Mark>& marks = sequences_[key];
    if (std::ranges::find(marks, content) == marks.end()) {
        return fail("I2: " + name(key) + " is sealed off its sequence");
    }
    for (const cluster::ReplicaId& copy : segment.replicas) {
        if (lost_.contains(copy.node) || state_of(copy, key).length >= content.length) continue;
        return fail("I7: node " + std::to_string(copy.node) + " is named as a holder of " +
                    name(key) + " and has " + std::to_string(state_of(copy, key).length) + " of " +
                    std::to_string(content.length));
    }
}

void SegmentChecker::check_cursors(const cluster::Topic& topic) {
    for (const auto& [consumer, cursor] : topic.cursors) {
        cluster::Cursor& before = cursors_[{topic.id, consumer}];
        const bool back = cursor.generation < before.generation || cursor.offset < before.offset;
        if (back) fail("I11: a cursor goes back");
        before = cursor;
    }
}

}  // namespace walrus::testing
