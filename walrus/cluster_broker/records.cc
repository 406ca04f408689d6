#include "walrus/cluster_broker/records.h"

#include <algorithm>
#include <utility>

#include "walrus/broker/batch_check.h"
#include "walrus/cluster_broker/outcomes.h"
#include "walrus/cluster_broker/topic_names.h"

namespace walrus::cluster_broker {

namespace {

constexpr std::uint64_t kGetRetryMs = 20;
constexpr std::uint64_t kMostReadBytes = 16 << 20;

using Got = Result<std::optional<std::string>>;

Got get_answer(const Result<std::string>& bytes) {
    auto answer = bytes ? decode_get_answer(*bytes) : bytes.error();
    if (!answer) return Error{Errc::kTimeout, "get: " + answer.error().message};
    if (answer->error) return *std::move(answer->error);
    return std::move(answer->value);
}

std::optional<Error> error_of(const Status& status) {
    return status ? std::nullopt : std::optional<Error>(status.error());
}

// No record was given up, so asking again does no harm.
bool is_harmless(Errc code) {
    return code == Errc::kNotLeader || code == Errc::kFenced || code == Errc::kBusy ||
           code == Errc::kResourceExhausted || code == Errc::kNotFound;
}

}  // namespace

// A GET on its way.
struct ClusterRecords::Getting {
    std::uint64_t number = 0;
    cluster::TopicId topic = 0;
    std::string name = {};
    net::TimerId retry = 0;
    net::TimerId patience = 0;
    Error last = {Errc::kTimeout, "get: the topic's leader did not answer in time"};
    broker::RecordCallback done = {};
};

ClusterRecords::ClusterRecords(Core& core, broker::OffsetStore& offsets, FindPartition find)
    : core_(core), find_partition_(std::move(find)), cursors_(offsets, core.loop) {}

const cluster::Topic* ClusterRecords::find(std::string_view name) const {
    const auto place = parse_cluster_topic(name);  // Other partitions have no name of their own.
    return place && place->partition == 0 ? core_.state().find_topic(name) : nullptr;
}

void ClusterRecords::with_topic(std::string_view name, Known done) {
    if (core_.member == nullptr) return done(broker_closed());
    if (const cluster::Topic* topic = find(name)) return done(topic->id);
    core_.member->read_barrier(
        [this, name = std::string(name), done = std::move(done)](const Status& status) {
            if (core_.member == nullptr) return done(broker_closed());
            const cluster::Topic* topic = find(name);
            if (topic != nullptr) return done(topic->id);
            if (status) return done(no_topic(name));
            done(Error{Errc::kBusy, "topic " + name +
                                        ": not known here, and the cluster's metadata "
                                        "cannot be reached: " +
                                        status.error().message});
        });
}

// --- PUT ---

void ClusterRecords::put(std::string_view topic, Bytes value, broker::StatusCallback done) {
    // The usual case allocates nothing for a topic that is known.
    const cluster::Topic* known = core_.member == nullptr ? nullptr : find(topic);
    PutQueue* queue = known == nullptr ? nullptr : queue_of(known->id);
    if (queue != nullptr) return queue->put(value, std::move(done));
    with_topic(topic, [this, value = std::string(as_text(value)),
                       done = std::move(done)](const Result<cluster::TopicId>& id) {
        if (!id) return done(id.error());
        PutQueue* found = queue_of(*id);
        if (found == nullptr) return done(no_topic("that was deleted"));
        found->put(as_bytes(value), done);
    });
}

PutQueue* ClusterRecords::queue_of(cluster::TopicId topic) {
    const auto found = queues_.find(topic);
    if (found != queues_.end()) return found->second.get();
    ClusterPartition* partition = find_partition_(topic);
    if (partition == nullptr) return nullptr;
    auto producers = [this](bool fresh, std::function<void(Result<cluster::ProducerId>)> done) {
        give_producer(fresh, std::move(done));
    };
    auto queue = std::make_unique<PutQueue>(core_, *partition, std::move(producers));
    return queues_.emplace(topic, std::move(queue)).first->second.get();
}

void ClusterRecords::give_producer(bool fresh,
                                   std::function<void(Result<cluster::ProducerId>)> done) {
    if (core_.member == nullptr) return done(broker_closed());
    if (!fresh && producer_ != 0) return done(producer_);
    core_.member->propose(
        cluster::InitProducer{},
        [this, done = std::move(done)](const Result<cluster::CommandResult>& result) {
            if (!result) return done(result.error());
            if (!result->applied()) return done(command_error("producer", result->outcome));
            producer_ = result->producer;
            done(result->producer);
        });
}

// --- GET ---

void ClusterRecords::get(std::string_view topic, broker::RecordCallback done) {
    with_topic(topic, [this, name = std::string(topic),
                       done = std::move(done)](const Result<cluster::TopicId>& id) {
        if (!id) return done(id.error());
        auto getting = std::make_shared<Getting>();
        getting->number = ++last_getting_;
        getting->topic = *id;
        getting->name = name;
        getting->patience = core_.loop.after_ms(
            core_.options.patience_ms, [this, getting] { finish(getting, getting->last); });
        getting->done = done;
        gettings_.emplace(getting->number, getting);
        try_get(getting);
    });
}

void ClusterRecords::try_get(const std::shared_ptr<Getting>& getting) {
    if (core_.member == nullptr) return;  // close() has answered.
    const cluster::Topic* topic = core_.topic(getting->topic);
    if (topic == nullptr) return on_got(getting, no_topic(getting->name));
    const cluster::NodeId leader = core_.leader_of(*topic);
    if (leader == cluster::kNobody)
        return on_got(getting, Error{Errc::kNotLeader, "get: no node leads the topic now"});
    if (leader == core_.self())
        return get_here(getting->topic,
                        [this, getting](Got record) { on_got(getting, std::move(record)); });
    core_.member->call(
        leader, encode_call(GetCall{getting->topic}), core_.options.call_timeout_ms,
        [this, getting](const Result<std::string>& bytes) { on_got(getting, get_answer(bytes)); });
}

void ClusterRecords::on_got(const std::shared_ptr<Getting>& getting, Got record) {
    if (!gettings_.contains(getting->number)) return;
    const bool is_gone = core_.topic(getting->topic) == nullptr;
    if (record || !is_harmless(record.error().code) || is_gone)
        return finish(getting, std::move(record));
    getting->last = record.error();
    getting->retry = core_.loop.after_ms(kGetRetryMs, [this, getting] {
        getting->last = {Errc::kTimeout, "get: the topic's leader did not answer in time"};
        try_get(getting);
    });
}

void ClusterRecords::finish(const std::shared_ptr<Getting>& getting, Got record) {
    core_.loop.cancel(getting->retry);
    core_.loop.cancel(getting->patience);
    gettings_.erase(getting->number);
    getting->done(std::move(record));
}

void ClusterRecords::get_here(cluster::TopicId id, broker::RecordCallback done) {
    ClusterPartition* partition = find_partition_(id);
    const cluster::Topic* topic = core_.topic(id);
    if (partition == nullptr || topic == nullptr)
        return done(Error{Errc::kNotFound, "get: the topic is not known here"});
    if (!core_.leads(*topic)) return done(not_leader(topic->name));
    cursors_.of(topic->name, *partition).get(std::move(done));
}

// --- for other nodes ---

void ClusterRecords::on_call(std::string_view request,
                             std::function<void(std::string)> answer_with) {
    const Result<Call> call = decode_call(request);
    if (!call) {
        // Whatever was asked: all kinds of answers to it say so in the same way.
        return answer_with(encode_answer(AppendAnswer{.error = call.error()}));
    }
    std::visit([&](const auto& body) { answer(body, answer_with); }, *call);
}

void ClusterRecords::answer(const AppendCall& call, const std::function<void(std::string)>& done) {
    const auto fail = [&](Error error) {
        done(encode_answer(AppendAnswer{.error = std::move(error)}));
    };
    ClusterPartition* partition = find_partition_(call.topic);
    if (partition == nullptr) return fail({Errc::kNotFound, "append: the topic is not known here"});
    const auto checked =
        broker::check_batch(as_bytes(call.batch.data.text()), core_.options.max_batch_bytes);
    if (!checked) return fail(checked.error());
    if (checked->records != call.batch.records)
        return fail({Errc::kInvalidArgument, "append: the batch has another number of records"});
    partition->append_checked(call.batch, [done](const broker::AppendResult& result) {
        done(encode_answer(
            AppendAnswer{result.outcome, error_of(result.status), result.base_offset}));
    });
}

void ClusterRecords::answer(const GetCall& call, const std::function<void(std::string)>& done) {
    get_here(call.topic, [done](Got record) {
        GetAnswer answer;
        if (record)
            answer.value = *std::move(record);
        else
            answer.error = record.error();
        done(encode_answer(answer));
    });
}

void ClusterRecords::answer(const ReadCall& call, const std::function<void(std::string)>& done) {
    if (core_.member == nullptr) return done(encode_answer(ReadAnswer{.error = broker_closed()}));
    core_.member->read(call.topic, call.from, std::min(call.max_bytes, kMostReadBytes),
                       [done](Result<std::vector<member::ReadBatch>> batches) {
                           ReadAnswer answer;
                           if (batches)
                               answer.batches = *std::move(batches);
                           else
                               answer.error = batches.error();
                           done(encode_answer(answer));
                       });
}

// --- what goes on ---

void ClusterRecords::topic_changed(cluster::TopicId topic) {
    const auto found = queues_.find(topic);
    if (found == queues_.end()) return;
    found->second->changed();
    if (core_.topic(topic) != nullptr) return;
    found->second->close();
    retired_.push_back(std::move(found->second));
    queues_.erase(found);
}

void ClusterRecords::close() {
    for (const auto& [topic, queue] : queues_) queue->close();
    for (const auto& [number, getting] : std::exchange(gettings_, {})) {
        core_.loop.cancel(getting->retry);
        core_.loop.cancel(getting->patience);
        getting->done(broker_closed());
    }
}

}  // namespace walrus::cluster_broker
