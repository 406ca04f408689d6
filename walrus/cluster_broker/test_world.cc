#include "walrus/cluster_broker/test_world.h"

#include <algorithm>
#include <utility>

#include "walrus/base/assert.h"
#include "walrus/broker/batch_cursor.h"
#include "walrus/protocol/record_reader.h"

namespace walrus::cluster_broker {

World::~World() {
    for (const cluster::NodeId id : running()) kill(id);
    loop_.run();
}

void World::make(std::size_t count) {
    for (cluster::NodeId id = 1; id <= count; ++id) {
        enter(id);
        start(id);
    }
    const bool live = wait_for_live(count);
    WALRUS_ASSERT(live);
}

// Makes the member, as the first of the cluster or by asking the first.
void World::enter(cluster::NodeId id) {
    Node& node = nodes_[id];
    node.random = std::make_unique<SeededRandom>(seed_ * 1000 + id);
    node.options.directory = "member";
    node.options.id = id;
    node.options.peer_address = address_of(id);
    node.options.text_address = address_of(id) + ":8080";
    node.options.kafka_address = address_of(id) + ":9092";
    node.options.ring_size_bytes = node.options.log_file_bytes = 1 << 20;
    node.options.backend = wal::Backend::kDirect;
    node.options.threading = wal::Threading::kInline;
    node.options.env = &node.disk;
    node.options.clock = &clock_;
    node.options.random = node.random.get();
    if (id == 1) {
        const Status made = member::ClusterMember::bootstrap(node.options);
        WALRUS_ASSERT(made.has_value());
        return;
    }
    node.transport = network_.attach(id, node.options.peer_address);
    const Status joined = wait_for<Status>([&](auto done) {
        member::ClusterMember::join(node.options, address_of(1), loop_, *node.transport, done);
    });
    WALRUS_ASSERT(joined.has_value());
    node.transport.reset();
}

void World::start(cluster::NodeId id) {
    Node& node = nodes_.at(id);
    node.transport = network_.attach(id, node.options.peer_address);
    node.broker = *ClusterBroker::open({}, loop_);
    auto opened =
        member::ClusterMember::open(node.options, loop_, *node.transport, node.broker->watcher());
    WALRUS_ASSERT(opened.has_value());
    node.member = *std::move(opened);
    node.broker->start(*node.member);
}

void World::kill(cluster::NodeId id) {
    Node& node = nodes_.at(id);
    node.broker->close();
    node.member.reset();
    node.transport.reset();
    killed_.push_back(std::move(node.broker));
}

std::vector<cluster::NodeId> World::running() const {
    std::vector<cluster::NodeId> ids;
    for (const auto& [id, node] : nodes_)
        if (node.member != nullptr) ids.push_back(id);
    return ids;
}

bool World::run_until(const std::function<bool()>& done, std::uint64_t ms) {
    constexpr std::uint64_t kStepMs = 10;
    loop_.run();
    for (std::uint64_t passed = 0; !done(); passed += kStepMs) {
        if (passed >= ms) return false;
        run_for(kStepMs);
    }
    return true;
}

void World::run_for(std::uint64_t ms) {
    clock_.advance_ms(ms);
    loop_.advance_ms(ms);
}

bool World::wait_for_live(std::size_t count) {
    const auto is_ready = [count](const member::ClusterMember& member) {
        std::size_t live = 0;
        for (const auto& [id, node] : member.state().data().nodes)
            live += node.state == cluster::NodeState::kLive;
        const cluster::Node* self = member.state().node(member.identity().node);
        return live == count && member.metadata_facts().voters.size() == count && self != nullptr &&
               self->boot == member.self().boot;
    };
    return run_until([&] {
        return std::ranges::all_of(running(),
                                   [&](cluster::NodeId id) { return is_ready(member(id)); });
    });
}

template <class Answer>
Answer World::wait_for(const std::function<void(std::function<void(Answer)>)>& ask) {
    const auto answer = std::make_shared<std::optional<Answer>>();
    ask([answer](Answer given) {
        WALRUS_ASSERT(!*answer);  // Answered twice.
        *answer = std::move(given);
    });
    const bool answered = run_until([&] { return answer->has_value(); });
    WALRUS_ASSERT(answered);
    return *std::move(*answer);
}

broker::Partition* World::partition(cluster::NodeId at, const std::string& topic,
                                    std::int32_t index) {
    broker::Partition* found = nullptr;
    const bool is_known = run_until([&] {
        found = (*this)[at].find(topic, index);
        return found != nullptr;
    });
    WALRUS_ASSERT(is_known);
    return found;
}

// --- topics ---

Status World::create(cluster::NodeId at, broker::TopicSpec spec) {
    return wait_for<Status>(
        [&](auto done) { (*this)[at].create_topic(std::move(spec), false, done); });
}

Status World::drop(cluster::NodeId at, const std::string& topic) {
    return wait_for<Status>([&](auto done) { (*this)[at].delete_topic(topic, done); });
}

Status World::configure(cluster::NodeId at, const std::string& topic,
                        std::vector<broker::ConfigEntry> configs) {
    return wait_for<Status>(
        [&](auto done) { (*this)[at].set_configs(topic, std::move(configs), done); });
}

// --- records ---

Status World::put(cluster::NodeId at, const std::string& topic, const std::string& value) {
    return wait_for<Status>([&](auto done) { (*this)[at].put(topic, as_bytes(value), done); });
}

Result<std::optional<std::string>> World::get(cluster::NodeId at, const std::string& topic) {
    using Answer = Result<std::optional<std::string>>;
    return wait_for<Answer>([&](auto done) { (*this)[at].get(topic, done); });
}

broker::AppendResult World::produce(cluster::NodeId at, const std::string& topic,
                                    const std::vector<std::string>& values,
                                    protocol::BatchProducer producer, std::int32_t index) {
    protocol::RecordBatchBuilder builder(producer);
    const auto now = static_cast<std::int64_t>(loop_.wall_ms());
    for (const std::string& value : values)
        builder.add({.timestamp_ms = now, .value = as_bytes(value)});
    const std::string batch = std::move(builder).finish();
    struct Context {
        std::optional<broker::AppendResult> result;
    } context;
    partition(at, topic, index)
        ->append(as_bytes(batch), broker::Acks::kAll,
                 {[](void* where, const broker::AppendResult& result) {
                      static_cast<Context*>(where)->result = result;
                  },
                  &context});
    const bool answered = run_until([&] { return context.result.has_value(); });
    WALRUS_ASSERT(answered);
    return *context.result;
}

broker::FetchedBatches World::fetch(cluster::NodeId at, const std::string& topic, Offset from) {
    return wait_for<broker::FetchedBatches>(
        [&](auto done) { partition(at, topic)->fetch(from, 1 << 20, done); });
}

Status World::commit(cluster::NodeId at, const std::string& group, const std::string& topic,
                     std::uint64_t offset) {
    return wait_for<Status>([&](auto done) {
        std::vector<broker::OffsetCommit> offsets(1);
        offsets[0].topic = topic;
        offsets[0].committed.offset = Offset{offset};
        (*this)[at].offsets().commit(group, std::move(offsets), done);
    });
}

Result<Offset> World::end_offset(cluster::NodeId at, const std::string& topic) {
    return wait_for<Result<Offset>>([&](auto done) { partition(at, topic)->end_offset(done); });
}

Result<Offset> World::offset_at(cluster::NodeId at, const std::string& topic, std::int64_t time) {
    return wait_for<Result<Offset>>(
        [&](auto done) { partition(at, topic)->offset_at(time, done); });
}

// --- who and what ---

cluster::NodeId World::leader(const std::string& topic) {
    cluster::NodeId found = cluster::kNobody;
    const bool is_led = run_until([&] {
        for (const cluster::NodeId id : running()) {
            const cluster::Topic* known = member(id).state().find_topic(topic);
            if (known == nullptr || known->last().state != cluster::SegmentState::kOpen) continue;
            if (known->last().leader == member(id).self()) found = id;
        }
        return found != cluster::kNobody;
    });
    WALRUS_ASSERT(is_led);
    return found;
}

cluster::NodeId World::follower(const std::string& topic) {
    const cluster::NodeId leading = leader(topic);
    for (const cluster::NodeId id : running())
        if (id != leading) return id;
    return cluster::kNobody;
}

cluster::NodeId World::controller() {
    cluster::NodeId found = cluster::kNobody;
    const bool is_led = run_until([&] {
        for (const cluster::NodeId id : running())
            if ((*this)[id].offsets().coordinates()) found = id;
        return found != cluster::kNobody;
    });
    WALRUS_ASSERT(is_led);
    return found;
}

std::vector<Consumed> World::consume(const std::string& topic) {
    std::vector<Consumed> records;
    const cluster::NodeId from = leader(topic);
    const Result<Offset> end = end_offset(from, topic);
    WALRUS_ASSERT(end.has_value());
    Offset next = partition(from, topic)->info().log_start_offset;
    while (next < *end) {
        broker::FetchedBatches fetched = fetch(from, topic, next);
        if (!fetched.status || fetched.size_bytes == 0)
            return records;  // Too few, as will be seen.
        broker::BatchCursor batches(std::move(fetched));
        for (;;) {
            const auto batch = batches.next();
            if (!batch || !*batch) break;
            auto reader = protocol::RecordReader::open(**batch);
            protocol::Record record;
            while (reader && *reader->next(record)) {
                if (record.offset < static_cast<std::int64_t>(next.value)) continue;
                records.push_back({static_cast<std::uint64_t>(record.offset),
                                   std::string(as_text(record.value.value_or(Bytes{})))});
            }
            next = Offset{static_cast<std::uint64_t>((*batch)->last_offset()) + 1};
        }
    }
    return records;
}

}  // namespace walrus::cluster_broker
