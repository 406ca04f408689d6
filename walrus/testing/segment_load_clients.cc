// What clients and operators do with whole nodes.
#include <algorithm>

#include "walrus/cluster/placement.h"
#include "walrus/testing/segment_load.h"

namespace walrus::testing {
namespace {

constexpr std::uint64_t kRetryNs = 1'000 * kMsNs;
constexpr std::uint64_t kGiveUpNs = 3'000 * kMsNs;
constexpr const char* kConsumer = "";  // The shared cursor.

}  // namespace

void SegmentLoad::request(SimHost& host) {
    last_request_ns_ = now_ns();
    host.run([&] {
        auto& node = static_cast<SimSegments&>(host.machine(1));
        create_data_topics(node);
        remove_lost_nodes(node);
        const std::uint64_t kind = random_.below(100);
        if (kind < 35) return produce(node);
        if (kind < 55) return append_plain(node);
        if (kind < 73) return poll(node);
        if (kind < 80) return ask_end(node);
        if (kind < 94) return get(node);
        change_topic(node);
    });
}

const std::string& SegmentLoad::any_topic() {
    return topics_[random_.below(topics_.size())];
}

SimSegments& SegmentLoad::leader_or(SimSegments& node, const std::string& name) {
    const cluster::Topic* topic = node.state().find_topic(name);
    if (topic == nullptr || random_.chance(1, 10)) return node;
    SimSegments* leader = running(topic->last().leader.node);
    return leader != nullptr ? *leader : node;
}

void SegmentLoad::create_data_topics(SimSegments& node) {
    if (now_ns() < create_asked_ns_ + kRetryNs) return;
    for (std::size_t i = 0; i < topics_.size(); ++i) {
        if (node.state().find_topic(topics_[i]) != nullptr) continue;
        const auto next = cluster::place_segment(
            node.state().data(),
            {.config = configs_[i], .spread = i, .wall_ms = clock_->wall_ms()});
        if (!next) return;
        create_asked_ns_ = now_ns();
        node.propose(cluster::CreateTopic{topics_[i], configs_[i], *next});
    }
}

// Refused as long as a copy is recorded there.
void SegmentLoad::remove_lost_nodes(SimSegments& node) {
    if (now_ns() < remove_asked_ns_ + kRetryNs) return;
    remove_asked_ns_ = now_ns();
    for (const auto& [id, member] : node.state().data().nodes) {
        if (!checker_.is_lost(id) || member.state == cluster::NodeState::kRemoved) continue;
        node.propose(cluster::SetNodeState{id, cluster::NodeState::kRemoved, member.version});
        return;
    }
}

// --- producers ---

cluster::Batch SegmentLoad::new_batch(std::string& value) {
    value = "v" + std::to_string(++values_) + ".";
    value.resize(value.size() + random_.below(80), static_cast<char>('a' + values_ % 26));
    return {.records = 1 + static_cast<std::uint32_t>(random_.below(3)),
            .data = cluster::Payload(value)};
}

void SegmentLoad::append_plain(SimSegments& any) {
    const std::string topic = any_topic();
    SimSegments& node = leader_or(any, topic);
    const cluster::Topic* known = node.state().find_topic(topic);
    if (known == nullptr) return;
    AppendEvent event{.topic = topic};
    cluster::Batch batch = new_batch(event.value);
    event.records = batch.records;
    const std::uint64_t request = ++requests_;
    attempts_[request] = {history_.append(std::move(event)), nullptr};
    node.append(request, known->id, std::move(batch));
}

void SegmentLoad::produce(SimSegments& any) {
    Producer& producer = producers_[random_.below(producers_.size())];
    SimSegments& node = leader_or(any, producer.topic);
    if (producer.id == 0) {
        if (now_ns() < producer.asked_ns + kRetryNs) return;
        producer.asked_ns = now_ns();
        producer.init = node.propose(cluster::InitProducer{producer.name});
        return;
    }
    if (producer.batch) {
        const bool waits = producer.request != 0 && now_ns() < producer.asked_ns + kRetryNs;
        if (!waits) produce_again(node, producer);
        return;
    }
    AppendEvent event{.topic = producer.topic};
    producer.batch = new_batch(event.value);
    producer.batch->producer = {producer.id, producer.epoch, producer.sequence};
    event.records = producer.batch->records;
    producer.event = history_.append(std::move(event));
    produce_again(node, producer);
}

void SegmentLoad::produce_again(SimSegments& node, Producer& producer) {
    const cluster::Topic* topic = node.state().find_topic(producer.topic);
    if (topic == nullptr) return;
    producer.request = ++requests_;
    producer.asked_ns = now_ns();
    attempts_[producer.request] = {producer.event, &producer};
    node.append(producer.request, topic->id, *producer.batch);
}

void SegmentLoad::append_done(const SimSegments& node, const cluster::AppendDone& done) {
    using cluster::AppendOutcome;
    checker_.acknowledged(node, done);
    const auto found = attempts_.find(done.request);
    if (found == attempts_.end()) return;
    const Attempt attempt = found->second;
    attempts_.erase(found);
    AppendEvent& event = history_.append_of(attempt.event);
    Producer* producer = attempt.producer;
    const bool present =
        done.outcome == AppendOutcome::kCommitted || done.outcome == AppendOutcome::kDuplicate;
    if (present) {
        const bool earlier = event.outcome == ClientOutcome::kOk;
        event.outcome = ClientOutcome::kOk;
        if (done.offset) event.offset = done.offset->value;
        if (!earlier) event.completed_ns = now_ns();
        last_ack_ns_[event.topic] = now_ns();
    } else if (producer == nullptr) {
        if (done.outcome != AppendOutcome::kOutcomeUnknown) event.outcome = ClientOutcome::kFailed;
        return;
    }
    // Only of what is under way; an answer to an earlier attempt may come late.
    if (producer == nullptr || !producer->batch || producer->event != attempt.event) return;
    if (present) {
        producer->sequence += producer->batch->records;
        producer->batch.reset();
    } else if (done.outcome == AppendOutcome::kOutOfOrder ||
               done.outcome == AppendOutcome::kProducerFenced) {
        checker_.fail("I10: node " + std::to_string(node.self().node) + " answers " +
                      (done.outcome == AppendOutcome::kOutOfOrder ? "out of order" : "fenced") +
                      " to producer " + producer->name + " with one batch under way, sequence " +
                      std::to_string(producer->sequence));
    }
    if (present || done.request == producer->request) producer->request = 0;
}

// --- consumers ---

void SegmentLoad::poll(SimSegments& node) {
    auto& [name, next] = readers_[random_.below(readers_.size())];
    const cluster::Topic* topic = node.state().find_topic(name);
    if (topic == nullptr) return;
    PollEvent event{.topic = name, .next = next, .log_start = topic->log_start_offset().value};
    // Now and then from an offset that was acknowledged, whoever got it.
    if (random_.chance(1, 2) && history_.appends() > 0) {
        const AppendEvent& any = history_.append_of(random_.below(history_.appends()));
        if (any.topic == name && any.offset) event.next = *any.offset;
    }
    const std::uint64_t from = std::max(event.next, event.log_start);
    const auto batches = node.read(topic->id, Offset{from}, 1 + random_.below(2'000));
    if (!batches) return;
    std::uint64_t end = from;
    for (const SimBatch& batch : *batches) {
        event.seen.push_back({batch.offset.value, batch.records, std::string(batch.data.text())});
        end = batch.offset.value + batch.records;
    }
    if (event.next == next || next < event.log_start) next = std::max(next, end);
    if (end > from) checker_.read(node, topic->id, Offset{end});
    history_.poll(std::move(event));
}

void SegmentLoad::ask_end(SimSegments& any) {
    const std::string name = any_topic();
    SimSegments& node = leader_or(any, name);
    const cluster::Topic* topic = node.state().find_topic(name);
    if (topic == nullptr) return;
    const std::uint64_t request = ++requests_;
    ends_[request] = {name, now_ns()};
    node.confirm_read(request, topic->id);
}

void SegmentLoad::read_done(const SimSegments&, const cluster::ReadDone& done) {
    const auto found = ends_.find(done.request);
    if (found == ends_.end()) return;
    if (done.confirmed) {
        ++result_.ends;
        history_.end_seen({found->second.topic, found->second.began_ns, done.end.value});
    }
    ends_.erase(found);
}

// Commit first, then hand out: what upstream's GET promises.
void SegmentLoad::get(SimSegments& any) {
    const std::string& name = topics_.front();
    SimSegments& node = leader_or(any, name);
    const cluster::Topic* topic = node.state().find_topic(name);
    if (topic == nullptr) return;
    const auto open = gets_.find(node.self().node);
    if (open != gets_.end() && now_ns() < open->second.began_ns + kGiveUpNs &&
        open->second.command.client == node.boot()) {
        return;
    }
    Get get{.command = {}, .event = {}, .began_ns = now_ns()};
    const auto cursor = topic->cursors.find(kConsumer);
    const cluster::LeaderId self{node.self().node, node.boot()};
    if (cursor == topic->cursors.end() || cursor->second.owner != self) {
        const bool known = cursor != topic->cursors.end();
        get.command = node.propose(cluster::AcquireCursor{
            topic->id, kConsumer, self, known ? cursor->second.generation : 0, {}});
    } else {
        const Offset from = std::max(cursor->second.offset, topic->log_start_offset());
        const auto batches = node.read(topic->id, from, 1 + random_.below(300));
        if (!batches || batches->empty()) return;
        const Offset to = batches->back().offset + batches->back().records;
        checker_.read(node, topic->id, to);
        get.event = history_.get({.topic = name, .from = from.value, .to = to.value});
        get.command = node.propose(
            cluster::CommitCursors{{{topic->id, kConsumer, cursor->second.generation, to}}});
    }
    gets_[node.self().node] = get;
}

// --- operators ---

void SegmentLoad::change_topic(SimSegments& node) {
    const std::string name = "m" + std::to_string(random_.below(3));
    const cluster::Topic* topic = node.state().find_topic(name);
    TopicEvent event{.began_ns = now_ns()};
    cluster::CommandBody body;
    if (topic == nullptr || random_.chance(1, 6)) {
        const auto next = cluster::place_segment(
            node.state().data(),
            {.config = configs_[0], .spread = random_.next(), .wall_ms = clock_->wall_ms()});
        if (!next) return;
        body = cluster::CreateTopic{name, configs_[0], *next};
    } else {
        event.topic = topic->id;
        event.expect_version = topic->version;
        event.op = random_.chance(1, 2) ? TopicOp::kUpdate : TopicOp::kDelete;
        if (event.op == TopicOp::kUpdate) {
            cluster::TopicConfig config = configs_[0];
            config.limits.max_records += random_.below(10);
            body = cluster::UpdateTopic{topic->id, topic->version, config};
        } else {
            body = cluster::DeleteTopic{topic->id, topic->version};
        }
    }
    std::vector<TopicEvent>& events = topic_events_[name];
    events.push_back(event);
    const std::size_t number = events.size() - 1;
    const cluster::CommandId id = node.propose(std::move(body));
    topic_commands_[id] = {name, number};
}

void SegmentLoad::topic_changed(const cluster::CommandId& id,
                                const cluster::CommandResult& result) {
    using cluster::Outcome;
    const auto found = topic_commands_.find(id);
    if (found == topic_commands_.end()) return;
    TopicEvent& event = topic_events_[found->second.first][found->second.second];
    topic_commands_.erase(found);
    ++result_.topic_operations;
    event.ended_ns = now_ns();
    event.result_topic = result.topic;
    event.result_version = result.index;
    const bool exists = event.op == TopicOp::kCreate && result.outcome == Outcome::kAlreadyExists;
    const bool changed =
        event.op != TopicOp::kCreate &&
        (result.outcome == Outcome::kStaleVersion || result.outcome == Outcome::kNotFound);
    if (result.applied()) {
        event.outcome = ClientOutcome::kOk;
    } else if (exists || changed) {
        event.outcome = ClientOutcome::kFailed;
    } else {
        // Refused for what it asked, which says nothing about the topic: as if unknown.
        event.ended_ns = TopicEvent{}.ended_ns;
    }
}

}  // namespace walrus::testing
