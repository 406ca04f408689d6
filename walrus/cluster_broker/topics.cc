// Topics are made, dropped and configured: one command per partition, in an order that shows a
// topic only when it is whole (topic_names.h).
#include <algorithm>
#include <utility>

#include "walrus/broker/topic_config.h"
#include "walrus/cluster/placement.h"
#include "walrus/cluster_broker/cluster_broker_impl.h"
#include "walrus/cluster_broker/outcomes.h"
#include "walrus/cluster_broker/topic_names.h"

namespace walrus::cluster_broker {

using cluster::Outcome;

// A creation, deletion or configuration, shared by the callbacks of its parts.
struct ClusterBrokerImpl::Change {
    broker::TopicSpec spec;
    cluster::TopicConfig config = {};
    broker::StatusCallback done;
    std::size_t parts_left = 1;  // And who makes the parts.
    Status status = {};
    std::function<void()> then = {};  // When all parts have ended well.

    void end_part(Status ended = {}) {
        if (status && !ended) status = std::move(ended);
        if (--parts_left > 0) return;
        if (status && then) return std::exchange(then, {})();
        done(std::move(status));
    }
};

std::uint32_t ClusterBrokerImpl::node_count() const {
    const auto counts = [](const auto& entry) {
        return entry.second.state == cluster::NodeState::kLive ||
               entry.second.state == cluster::NodeState::kDown;
    };
    return static_cast<std::uint32_t>(std::ranges::count_if(core_.state().data().nodes, counts));
}

Result<cluster::TopicConfig> ClusterBrokerImpl::check_new(const broker::TopicSpec& spec) const {
    if (core_.member == nullptr) return broker_closed();
    WALRUS_RETURN_IF_ERROR(broker::check_topic_name(spec.name));
    if (find(spec.name, 0) != nullptr)
        return Error{Errc::kAlreadyExists, "topic " + spec.name + ": exists already"};
    if (spec.partitions == 0 || spec.partitions > core_.options.max_partitions)
        return Error{Errc::kInvalidArgument, "topic " + spec.name + ": needs 1 to " +
                                                 std::to_string(core_.options.max_partitions) +
                                                 " partitions"};
    const std::string last =
        cluster_topic_name(spec.name, static_cast<std::int32_t>(spec.partitions) - 1);
    if (last.size() > cluster::kMaxNameBytes)
        return Error{Errc::kInvalidArgument,
                     "topic " + spec.name + ": its name is too long for so many partitions"};
    return core_.configs.of_new_topic(spec.replication_factor, node_count(), spec.configs);
}

// --- making ---

void ClusterBrokerImpl::create_topic(broker::TopicSpec spec, bool validate_only,
                                     broker::StatusCallback done) {
    Result<cluster::TopicConfig> config = check_new(spec);
    if (!config) return done(config.error());
    if (validate_only) return done({});
    const auto change = std::make_shared<Change>();
    change->spec = std::move(spec);
    change->config = *config;
    change->done = std::move(done);
    make_partitions(change);
}

// All but the first, then the first.  Partitions that an earlier creation left behind were never
// seen by anybody, so they are empty: they are taken, or dropped if there are too many.
void ClusterBrokerImpl::make_partitions(const std::shared_ptr<Change>& change) {
    const auto wanted = static_cast<std::int32_t>(change->spec.partitions);
    change->then = [this, change = std::weak_ptr<Change>(change)] {
        const auto kept = change.lock();
        kept->parts_left = 1;
        make_partition(kept, 0);
    };
    std::vector<cluster::TopicId> surplus;
    if (const auto left = topics_.find(change->spec.name); left != topics_.end())
        for (const ClusterPartition* partition : left->second)
            if (partition != nullptr && partition->place().index >= wanted)
                surplus.push_back(partition->place().topic);
    change->parts_left += surplus.size() + static_cast<std::size_t>(wanted - 1);
    for (const cluster::TopicId id : surplus) drop_partition(change, id);
    for (std::int32_t index = wanted - 1; index > 0; --index) make_partition(change, index);
    change->end_part();
}

void ClusterBrokerImpl::make_partition(const std::shared_ptr<Change>& change, std::int32_t index) {
    // Leaders go round; many partitions are made at once, so it does not follow from the state.
    auto make = [this, change, index, spread = spread_++]() -> Result<cluster::CommandBody> {
        const cluster::ClusterData& data = core_.state().data();
        auto next = cluster::place_segment(
            data, {.config = change->config, .spread = spread, .wall_ms = core_.loop.wall_ms()});
        if (!next)
            return Error{Errc::kResourceExhausted,
                         "topic " + change->spec.name + ": fewer nodes are live than the " +
                             std::to_string(change->config.min_ack) + " that it needs"};
        return cluster::CommandBody(cluster::CreateTopic{
            cluster_topic_name(change->spec.name, index), change->config, *std::move(next)});
    };
    proposer_.propose(
        std::move(make), [this, change, index](const Result<cluster::CommandResult>& result) {
            if (!result) return change->end_part(result.error());
            if (result->applied()) return change->end_part();
            if (result->outcome == Outcome::kAlreadyExists && index > 0)
                return adopt_partition(change, result->topic);
            change->end_part(command_error("topic " + change->spec.name, result->outcome));
        });
}

void ClusterBrokerImpl::adopt_partition(const std::shared_ptr<Change>& change,
                                        cluster::TopicId id) {
    const cluster::Topic* topic = core_.topic(id);
    if (topic == nullptr || topic->config == change->config) return change->end_part();
    proposer_.propose(
        [this, change, id]() -> Result<cluster::CommandBody> {
            const cluster::Topic* now = core_.topic(id);
            return cluster::CommandBody(
                cluster::UpdateTopic{id, now == nullptr ? 0 : now->version, change->config});
        },
        [change](const Result<cluster::CommandResult>& result) {
            if (!result) return change->end_part(result.error());
            const bool done = result->applied() || result->outcome == Outcome::kNotFound;
            change->end_part(done ? Status() : command_error("topic", result->outcome));
        });
}

// --- dropping ---

void ClusterBrokerImpl::drop_partition(const std::shared_ptr<Change>& change, cluster::TopicId id) {
    proposer_.propose(
        [this, id]() -> Result<cluster::CommandBody> {
            const cluster::Topic* topic = core_.topic(id);
            return cluster::CommandBody(
                cluster::DeleteTopic{id, topic == nullptr ? 0 : topic->version});
        },
        [change](const Result<cluster::CommandResult>& result) {
            if (!result) return change->end_part(result.error());
            const bool gone = result->applied() || result->outcome == Outcome::kNotFound;
            change->end_part(gone ? Status() : command_error("topic", result->outcome));
        });
}

// The first partition goes last, so that what is left after a crash is still a topic, which can be
// dropped again: no records are left behind under a name that may come back.
void ClusterBrokerImpl::delete_topic(std::string_view name, broker::StatusCallback done) {
    if (core_.member == nullptr) return done(broker_closed());
    const auto found = topics_.find(name);
    if (found == topics_.end() || count(found->second) == 0) return done(no_topic(name));
    const auto change = std::make_shared<Change>();
    change->done = std::move(done);
    const cluster::TopicId first = found->second.front()->place().topic;
    change->then = [this, first, change = std::weak_ptr<Change>(change)] {
        const auto kept = change.lock();
        kept->parts_left = 1;
        drop_partition(kept, first);
    };
    std::vector<cluster::TopicId> others;
    for (const ClusterPartition* partition : found->second)
        if (partition != nullptr && partition->place().index > 0)
            others.push_back(partition->place().topic);
    change->parts_left += others.size();
    for (const cluster::TopicId id : others) drop_partition(change, id);
    change->end_part();
}

// --- configuring ---

void ClusterBrokerImpl::set_configs(std::string_view name, std::vector<broker::ConfigEntry> configs,
                                    broker::StatusCallback done) {
    if (core_.member == nullptr) return done(broker_closed());
    const auto found = topics_.find(name);
    if (found == topics_.end() || count(found->second) == 0) return done(no_topic(name));
    const auto change = std::make_shared<Change>();
    change->done = std::move(done);
    std::vector<cluster::TopicId> ids;
    for (std::size_t i = 0; i < count(found->second); ++i)
        ids.push_back(found->second[i]->place().topic);
    change->parts_left += ids.size();
    for (const cluster::TopicId id : ids)
        proposer_.propose(
            [this, id, configs]() -> Result<cluster::CommandBody> {
                const cluster::Topic* topic = core_.topic(id);
                if (topic == nullptr) return Error{Errc::kNotFound, "topic: it was deleted"};
                auto config = core_.configs.changed(topic->config, configs);
                if (!config) return std::move(config).error();
                return cluster::CommandBody(cluster::UpdateTopic{id, topic->version, *config});
            },
            [change](const Result<cluster::CommandResult>& result) {
                if (!result) return change->end_part(result.error());
                change->end_part(result->applied() ? Status()
                                                   : command_error("topic", result->outcome));
            });
    change->end_part();
}

void ClusterBrokerImpl::new_producer_id(std::function<void(Result<std::int64_t>)> done) {
    proposer_.propose(
        []() -> Result<cluster::CommandBody> {
            return cluster::CommandBody(cluster::InitProducer{});
        },
        [done = std::move(done)](const Result<cluster::CommandResult>& result) {
            if (!result) return done(result.error());
            if (!result->applied()) return done(command_error("producer", result->outcome));
            done(static_cast<std::int64_t>(result->producer));
        });
}

}  // namespace walrus::cluster_broker
