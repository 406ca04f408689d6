#include "walrus/testing/segment_load.h"

#include <algorithm>

namespace walrus::testing {
namespace {

// Small numbers: a run of a minute sees what takes production days.
cluster::SegmentNodeOptions node_options(std::uint64_t seed) {
    cluster::SegmentNodeOptions options;
    options.heartbeat_ticks = 4;
    options.heal_ticks = 20;
    options.drain_ticks = 20;
    options.leader.max_unacked_bytes = 4'000;
    options.leader.max_inflight_bytes = seed % 2 == 0 ? 300 : 2'000;
    options.leader.max_message_bytes = seed % 3 == 0 ? 1 : 1'000;
    options.leader.max_window_bytes = seed % 5 == 0 ? 1'000 : 10'000;
    options.controller.suspect_ticks = 20;
    options.controller.monitor_ticks = 40;
    return options;
}

}  // namespace

SegmentLoad::SegmentLoad(std::uint64_t seed) : random_(seed ^ 0x5e95e95e9) {
    options_.node = node_options(seed);
    options_.cluster = 1 + (seed >> 1);
    options_.watcher = this;
    configs_[0].limits.max_records = 30 + 40 * (seed % 4);
    configs_[1].limits.max_records = 60;
    configs_[1].retention.max_records = 400;
    topics_ = {"t0", "t1"};
    for (const std::string& topic : topics_) {
        for (const char* name : {"p", "q"}) {
            producers_.push_back({.topic = topic, .name = name + topic});
            readers_.emplace_back(topic, 0);
        }
    }
}

std::unique_ptr<SimStateMachine> SegmentLoad::make_state() {
    return std::make_unique<SimMetadata>();
}

void SegmentLoad::add_host(SimHost& host) {
    hosts_[host.address()] = &host;
    clock_ = &host.clock();
    host.add_machine([this](SimHost& at, std::uint8_t channel) {
        return SimSegments::start(at, channel, options_);
    });
}

SimSegments* SegmentLoad::running(cluster::NodeId id) {
    const auto found = hosts_.find(id);
    if (found == hosts_.end() || !found->second->running()) return nullptr;
    return static_cast<SimSegments*>(&found->second->machine(1));
}

SimSegments* SegmentLoad::newest() {
    SimSegments* best = nullptr;
    for (const auto& [id, host] : hosts_) {
        SimSegments* node = running(id);
        if (node == nullptr) continue;
        if (best == nullptr || node->state().applied_index() > best->state().applied_index()) {
            best = node;
        }
    }
    return best;
}

// --- what the nodes do ---

void SegmentLoad::restored(cluster::ReplicaId self,
                           const std::map<cluster::SegmentKey, cluster::RestoredReplica>& copies) {
    checker_.restored(self, copies);
}

void SegmentLoad::submitted(cluster::ReplicaId self, const cluster::DiskWrite& write) {
    checker_.submitted(self, write);
}

void SegmentLoad::durable(cluster::ReplicaId self, const replica_store::Done& done) {
    checker_.durable(self, done);
}

void SegmentLoad::sent(const SimSegments& node, const cluster::Message& message) {
    checker_.sent(node, message);
}

void SegmentLoad::applied(SimSegments& node, const cluster::CommandId& id,
                          const cluster::CommandResult& result) {
    const bool whole = result.outcome == cluster::Outcome::kStaleIndex || !result.items.empty();
    checker_.applied(node, whole ? 0 : result.topic);
    if (id.client == 0) return;
    topic_changed(id, result);
    for (Producer& producer : producers_) {
        if (producer.id != 0 || producer.init != id || !result.applied()) continue;
        producer.id = result.producer;
        producer.epoch = result.producer_epoch;
    }
    const auto get = gets_.find(node.self().node);
    if (get == gets_.end() || get->second.command != id) return;
    if (get->second.event) {
        const bool ok = result.items == std::vector{cluster::Outcome::kApplied};
        ++result_.gets;
        history_.get_of(*get->second.event).outcome =
            ok ? ClientOutcome::kOk : ClientOutcome::kFailed;
    }
    gets_.erase(get);
}

std::optional<std::string> SegmentLoad::violation() const {
    return checker_.violation() ? checker_.violation() : history_.violation();
}

SegmentLoadResult SegmentLoad::result() const {
    SegmentLoadResult result = result_;
    result.acknowledged = checker_.acknowledgements();
    result.appends = history_.appends();
    result.sealed = checker_.sealed();
    result.polled = history_.polled();
    return result;
}

// --- disks that are lost ---

// Not while an earlier loss shows anywhere, and not where fewer than two other copies are left to
// rely on.
bool SegmentLoad::may_lose_disk(SimAddress address) {
    SimSegments* node = newest();
    if (node == nullptr || node->state().applied_index() < checker_.newest_index()) return false;
    // A leader that has applied its whole log knows all that was agreed on.
    const auto& raft = static_cast<SimRaft&>(hosts_.at(node->self().node)->machine(0)).raft();
    const bool knows_all = raft.role() == raft::Role::kLeader &&
                           raft.log().last_index() == raft.log().commit_index() &&
                           raft.log().applied_index() == raft.log().commit_index();
    if (!knows_all) return false;
    // Nobody may name a node that was removed, so an earlier loss cannot show again.
    for (const auto& [id, member] : node->state().data().nodes) {
        const bool removed = member.state == cluster::NodeState::kRemoved;
        if (checker_.is_lost(id) && !removed) return false;
    }
    for (const auto& [id, topic] : node->state().data().topics) {
        for (const auto& [number, segment] : topic.segments) {
            const auto others = std::ranges::count_if(
                segment.replicas, [&](const auto& copy) { return copy.node != address; });
            const bool shows = std::ranges::any_of(
                segment.replicas, [&](const auto& copy) { return checker_.is_lost(copy.node); });
            if (shows || others < 2) return false;
        }
    }
    return true;
}

void SegmentLoad::lost_disk(SimAddress address) {
    checker_.lost_disk(address);
}

// --- the end ---

bool SegmentLoad::recovered() {
    if (!healed_ns_) healed_ns_ = now_ns();
    SimSegments* node = newest();
    if (node == nullptr) return false;
    for (const std::string& topic : topics_) {
        if (last_ack_ns_[topic] > *healed_ns_) continue;
        missing_ = topic + " is not writable" + describe(node->state().find_topic(topic));
        return false;
    }
    for (const auto& [id, topic] : node->state().data().topics) {
        if (!topic_works(topic)) return false;
    }
    return true;
}

std::string SegmentLoad::describe(const cluster::Topic* topic) {
    if (topic == nullptr) return ", it is not there";
    const cluster::Segment& last = topic->last();
    const cluster::SegmentKey key{topic->id, last.number};
    constexpr const char* kStates[] = {"open", "sealing", "sealed"};
    std::string text = ": segment " + std::to_string(key.topic) + "." +
                       std::to_string(key.segment) + " is " +
                       kStates[static_cast<std::size_t>(last.state)] + ", leader " +
                       std::to_string(last.leader.node) + ", copies";
    for (const cluster::ReplicaId& copy : last.replicas) {
        text += " " + std::to_string(copy.node);
        SimSegments* node = running(copy.node);
        const cluster::Replica* replica = node != nullptr ? node->node().replica(key) : nullptr;
        if (replica == nullptr) {
            text += " (none)";
            continue;
        }
        text += " (" + std::to_string(replica->durable_length()) + " of " +
                std::to_string(replica->end().length) + " durable, promised " +
                std::to_string(replica->promised().value) +
                (replica->failed()    ? ", failed"
                 : replica->corrupt() ? ", corrupt"
                                      : "") +
                ")";
    }
    SimSegments* leader = running(last.leader.node);
    const cluster::SegmentLeader* leads =
        leader != nullptr ? leader->node().leader(topic->id) : nullptr;
    if (leads == nullptr) return text + ", no reign";
    return text + ", reign of " + std::to_string(leads->key().segment) +
           (leads->admitting() ? " admits" : " stopped") + " at " +
           std::to_string(leads->high_watermark()) + " of " + std::to_string(leads->end().length);
}

bool SegmentLoad::topic_works(const cluster::Topic& topic) {
    const cluster::Segment& last = topic.last();
    missing_ = topic.name + "." + std::to_string(last.number) + " has no leader";
    if (last.state != cluster::SegmentState::kOpen) return false;
    SimSegments* leader = running(last.leader.node);
    if (leader == nullptr || leader->boot() != last.leader.boot) return false;
    const cluster::SegmentLeader* leads = leader->node().leader(topic.id);
    if (leads == nullptr) return false;
    missing_ += " that shows everything";
    const std::uint64_t shown = leader->node().readable_length({topic.id, last.number});
    const bool quiet = now_ns() > last_request_ns_ + 500 * kMsNs;
    if (quiet && shown != leads->high_watermark()) return false;
    // A copy that is gone is trouble, and the next segment does without it.
    missing_ += " and all its copies";
    for (const cluster::ReplicaId& copy : last.replicas) {
        SimSegments* node = running(copy.node);
        if (node == nullptr || node->self() != copy) return false;
    }
    return std::ranges::all_of(topic.segments, [&](const auto& entry) {
        return entry.second.state != cluster::SegmentState::kSealed ||
               segment_is_whole(topic, entry.second);
    });
}

// As many complete copies as the topic wants.
bool SegmentLoad::segment_is_whole(const cluster::Topic& topic, const cluster::Segment& segment) {
    const cluster::SegmentKey key{topic.id, segment.number};
    std::size_t whole = 0;
    missing_ = topic.name + "." + std::to_string(segment.number) + ":";
    for (const cluster::ReplicaId& copy : segment.replicas) {
        SimSegments* node = running(copy.node);
        const cluster::Replica* replica = node != nullptr ? node->node().replica(key) : nullptr;
        const bool complete = replica != nullptr && node->self() == copy && replica->complete();
        missing_ += " node " + std::to_string(copy.node) + (complete ? " whole" : " not whole");
        whole += complete ? 1U : 0U;
    }
    return whole >= topic.config.replication_factor && whole == segment.replicas.size();
}

void SegmentLoad::finish() {
    SimSegments* node = newest();
    if (node == nullptr) return checker_.fail("no node runs in the end");
    for (const std::string& name : topics_) {
        const cluster::Topic* topic = node->state().find_topic(name);
        if (topic == nullptr) return checker_.fail(name + " is gone");
        read_final(*topic);
    }
    if (violation()) return;
    if (const auto anomaly = history_.check()) return checker_.fail(*anomaly);
    for (const auto& [name, events] : topic_events_) {
        if (const auto wrong = check_linearizable(events)) {
            return checker_.fail("not linearizable: " + name + ": " + *wrong);
        }
    }
}

// Once for each copy; the first of an open segment is the leader's.
void SegmentLoad::read_final(const cluster::Topic& topic) {
    for (std::size_t variant = 0; variant < 3; ++variant) {
        FinalLog log{.log_start = topic.log_start_offset().value};
        for (const auto& [number, segment] : topic.segments) {
            if (!read_copy(topic, segment, variant, log)) {
                return checker_.fail("lost-write: segment " + std::to_string(topic.id) + "." +
                                     std::to_string(number) + " is not readable in the end");
            }
        }
        history_.final_log(topic.name, std::move(log));
    }
}

bool SegmentLoad::read_copy(const cluster::Topic& topic, const cluster::Segment& segment,
                            std::size_t variant, FinalLog& log) {
    const bool open = segment.state != cluster::SegmentState::kSealed;
    cluster::NodeId from = segment.replicas[variant % segment.replicas.size()].node;
    if (open && variant == 0) from = segment.leader.node;
    SimSegments* node = running(from);
    missing_ = "node " + std::to_string(from) + " of " + std::to_string(segment.replicas.size()) +
               " copies";
    if (node == nullptr) return false;
    const std::uint64_t length = node->node().readable_length({topic.id, segment.number});
    if (!open && length != segment.length) {
        missing_ = "node " + std::to_string(from) + " shows " + std::to_string(length) + " of " +
                   std::to_string(segment.length);
        return false;
    }
    for (std::uint64_t at = 0; at < length;) {
        const auto batches = node->read(topic.id, segment.base + at, 1 << 20);
        if (!batches || batches->empty()) {
            missing_ = batches ? "no batches" : batches.error().to_string();
            return false;
        }
        for (const SimBatch& batch : *batches) {
            log.batches.push_back(
                {batch.offset.value, batch.records, std::string(batch.data.text())});
            at = batch.offset.value + batch.records - segment.base.value;
        }
    }
    return true;
}

}  // namespace walrus::testing
