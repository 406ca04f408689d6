#include "walrus/cluster/test_nodes.h"

#include <utility>

#include "walrus/cluster/test_cluster_state.h"

namespace walrus::cluster {
namespace {

RestoredReplica restore(const SegmentKey& key, const TestDisk::Copy& copy) {
    RestoredReplica restored{.promised = copy.promised};
    Mark end{.chain = chain_start(key)};
    restored.trusted = end;
    if (!copy.batches.empty() && copy.batches.front().preamble.size() > 0) {
        restored.producers = *ProducerTable::decode(as_bytes(copy.batches.front().preamble.text()));
    }
    for (const Batch& batch : copy.batches) {
        end = mark_after(end, batch);
        restored.tail.push_back({batch.records, batch.producer, end});
    }
    return restored;
}

}  // namespace

TestNodes::TestNodes(NodeId count) : state_(std::make_unique<ClusterState>()) {
    for (NodeId id = 1; id <= count; ++id) start(id);
    members_.at(1).node->set_controller(true);
}

void TestNodes::start(NodeId id) {
    Member& member = members_[id];
    const BootId before = member.boot;
    member.boot = before == 0 ? 100 + id : before + 1000;
    std::map<SegmentKey, RestoredReplica> restored;
    for (const auto& [key, copy] : member.disk.copies) restored.emplace(key, restore(key, copy));
    const SegmentNodeOptions options{.id = id, .boot = member.boot, .disk = copy_on(id).disk};
    member.node = std::make_unique<SegmentNode>(options, *state_, std::move(restored));
    apply(upsert(id, member.boot, before));
    member.node->metadata_replaced();
    settle();
}

CommandResult TestNodes::apply(CommandBody body) {
    const CommandResult result =
        state_->apply(state_->applied_index() + 1, Command{.body = std::move(body)});
    if (!result.applied() || result.topic == 0) return result;
    for (auto& [id, member] : members_) {
        if (member.node) member.node->metadata_changed(result.topic);
    }
    return result;
}

TopicId TestNodes::create_topic(NodeId leader, TopicConfig config) {
    NextSegment next = TestState::next_on(leader);
    next.leader.boot = state_->node(leader)->boot;
    const TopicId topic = apply(CreateTopic{"t", config, next}).topic;
    settle();
    return topic;
}

std::uint64_t TestNodes::append(TopicId topic, Batch batch) {
    const std::uint64_t request = next_request_++;
    const NodeId leader = last(topic).leader.node;
    if (is_up(leader)) node(leader).append(request, topic, std::move(batch));
    settle();
    return request;
}

std::optional<AppendDone> TestNodes::done(std::uint64_t request) const {
    const auto found = appends_.find(request);
    return found == appends_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<ReadDone> TestNodes::read_done(std::uint64_t request) const {
    const auto found = reads_.find(request);
    return found == reads_.end() ? std::nullopt : std::optional(found->second);
}

void TestNodes::run(int ticks) {
    for (int i = 0; i < ticks; ++i) {
        for (auto& [id, member] : members_) {
            if (member.node) member.node->tick(wall_ms);
        }
        settle();
    }
}

void TestNodes::settle() {
    for (bool busy = true; busy;) {
        busy = false;
        for (auto& [id, member] : members_) busy = collect(id) || busy;
        while (!network_.empty()) {
            const Message message = std::move(network_.front());
            network_.pop_front();
            const bool lost = lose && lose(message);
            if (!lost && members_.contains(message.to) && is_up(message.to)) {
                node(message.to).step(message);
            }
            busy = true;
        }
    }
}

bool TestNodes::collect(NodeId id) {
    if (!is_up(id) || !node(id).has_output()) return false;
    Output out = node(id).take_output();
    for (Message& message : out.messages) network_.push_back(std::move(message));
    for (const DiskWrite& operation : out.writes) write(id, operation);
    for (const DiskRead& operation : out.reads) read(id, operation);
    for (const AppendDone& done : out.appends) appends_[done.request] = done;
    for (const ReadDone& done : out.reads_done) reads_[done.request] = done;
    for (CommandBody& body : out.proposals) apply(std::move(body));
    return true;
}

void TestNodes::write(NodeId id, const DiskWrite& write) {
    TestDisk::Copy& copy = disk(id).copies[write.key];
    if (const auto* promise = std::get_if<PromiseEpoch>(&write.operation)) {
        copy.promised = promise->epoch;
    } else if (const auto* store = std::get_if<StoreBatches>(&write.operation)) {
        copy.batches.insert(copy.batches.end(), store->batches.begin(), store->batches.end());
    } else if (const auto* cut = std::get_if<CutTo>(&write.operation)) {
        std::uint64_t length = 0;
        std::size_t kept = 0;
        while (kept < copy.batches.size() && length < cut->end.length) {
            length += copy.batches[kept++].records;
        }
        copy.batches.resize(kept);
    } else {
        disk(id).copies.erase(write.key);
    }
    node(id).persisted(write.key, write.ticket);
}

void TestNodes::read(NodeId id, const DiskRead& read) {
    DiskReadDone done{.request = read, .ok = true};
    Mark mark{.chain = chain_start(read.key)};
    for (const Batch& batch : disk(id).copies.at(read.key).batches) {
        if (mark.length == read.first) done.prev_chain = mark.chain;
        if (mark.length >= read.first) done.batches.push_back(batch);
        mark = mark_after(mark, batch);
    }
    node(id).read_done(std::move(done));
}

std::vector<std::string> TestNodes::read_all(TopicId topic) {
    run(1);  // News of the high watermark travels.
    std::vector<std::string> records;
    for (const auto& [number, segment] : state_->topic(topic)->segments) {
        const SegmentKey key{topic, number};
        NodeId best = kNobody;
        for (auto& [id, member] : members_) {
            if (!member.node) continue;
            const bool more = best == kNobody ||
                              member.node->readable_length(key) > node(best).readable_length(key);
            if (more) best = id;
        }
        std::uint64_t length = 0;
        const std::uint64_t readable = best == kNobody ? 0 : node(best).readable_length(key);
        for (const Batch& batch : disk(best).copies[key].batches) {
            length += batch.records;
            if (length <= readable) records.emplace_back(batch.data.text());
        }
    }
    return records;
}

}  // namespace walrus::cluster
