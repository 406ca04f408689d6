// CreateTopics, DeleteTopics, DescribeConfigs.
#include <algorithm>
#include <set>

#include "walrus/node/kafka/requests.h"
#include "walrus/node/kafka/waiting_answer.h"

namespace walrus::node::kafka {

using namespace protocol::kafka;

namespace {

constexpr std::int8_t kTopicResource = 2;
constexpr std::int8_t kBrokerResource = 4;
// Who set a config, as Kafka counts.
constexpr std::int8_t kSetForTopic = 1;
constexpr std::int8_t kSetForBroker = 4;
constexpr std::int8_t kDefault = 5;

struct Refusal {
    ErrorCode error = ErrorCode::kNone;
    std::string message = {};
};

// Partitions by hand: each on this broker, numbered from 0.  A cluster chooses by itself.
Refusal check_assignments(const Context& context, const CreatableTopic& topic) {
    const broker::ClusterDescription cluster = context.broker.cluster();
    const std::int32_t self = cluster.self;
    if (cluster.brokers.size() > 1)
        return {ErrorCode::kInvalidReplicaAssignment,
                "this cluster places partitions by itself; give numbers instead"};
    std::set<std::int32_t> seen;
    for (const CreateTopicAssignment& assignment : topic.assignments) {
        if (assignment.broker_ids != std::vector{self})
            return {ErrorCode::kInvalidReplicaAssignment,
                    "every partition must be on broker " + std::to_string(self) + " alone"};
        seen.insert(assignment.partition_index);
    }
    const auto count = static_cast<std::int32_t>(topic.assignments.size());
    if (seen.size() != topic.assignments.size() || *seen.begin() != 0 ||
        *seen.rbegin() != count - 1)
        return {ErrorCode::kInvalidReplicaAssignment, "partitions must be numbered from 0"};
    if (topic.num_partitions != -1 || topic.replication_factor != -1)
        return {ErrorCode::kInvalidRequest, "give assignments, or numbers, and not both"};
    return {};
}

Refusal make_spec(const Context& context, const CreatableTopic& topic, broker::TopicSpec& spec) {
    spec.name = topic.name;
    if (!is_topic_name(topic.name))
        return {ErrorCode::kInvalidTopicException,
                "a name has 1 to 249 of a-z, A-Z, 0-9, '.', '_' and '-'"};
    if (context.broker.describe(topic.name))
        return {ErrorCode::kTopicAlreadyExists, "the topic exists"};
    for (const CreateTopicConfig& config : topic.configs)
        if (config.value) spec.configs.push_back({config.name, *config.value});
    if (!topic.assignments.empty()) {
        spec.partitions = static_cast<std::uint32_t>(topic.assignments.size());
        return check_assignments(context, topic);
    }
    if (topic.num_partitions == 0 || topic.num_partitions < -1)
        return {ErrorCode::kInvalidPartitions, "there must be a partition"};
    spec.partitions = topic.num_partitions == -1 ? context.options.default_partitions
                                                 : static_cast<std::uint32_t>(topic.num_partitions);
    const std::size_t brokers = context.broker.cluster().brokers.size();
    const std::int16_t factor = topic.replication_factor;
    if (factor == -1) return {};  // As the broker thinks best.
    if (factor < 1 || static_cast<std::size_t>(factor) > brokers)
        return {ErrorCode::kInvalidReplicationFactor, "the replication factor must be 1 to " +
                                                          std::to_string(brokers) +
                                                          ", the number of brokers"};
    spec.replication_factor = static_cast<std::uint32_t>(factor);
    return {};
}

std::set<std::string> names_given_twice(const CreateTopicsRequest& request) {
    std::set<std::string> seen;
    std::set<std::string> twice;
    for (const CreatableTopic& topic : request.topics)
        if (!seen.insert(topic.name).second) twice.insert(topic.name);
    return twice;
}

DescribedConfig described(const broker::ConfigEntry& entry, std::int8_t set_by, bool read_only) {
    return {.name = entry.name,
            .value = entry.value,
            .is_read_only = read_only,
            .is_default = entry.is_default,
            .source = entry.is_default ? kDefault : set_by};
}

DescribedResource describe_resource(const Context& context, const ConfigResource& asked) {
    DescribedResource resource{.type = asked.type, .name = asked.name};
    const auto wanted = [&](const broker::ConfigEntry& entry) {
        return !asked.config_names ||
               std::find(asked.config_names->begin(), asked.config_names->end(), entry.name) !=
                   asked.config_names->end();
    };
    if (asked.type == kTopicResource) {
        const Result<broker::TopicDescription> topic = context.broker.describe(asked.name);
        if (!topic) {
            resource.error = ErrorCode::kUnknownTopicOrPartition;
            resource.error_message = "no such topic";
            return resource;
        }
        for (const broker::ConfigEntry& entry : topic->spec.configs)
            if (wanted(entry)) resource.configs.push_back(described(entry, kSetForTopic, false));
    } else if (asked.type == kBrokerResource) {
        const std::string self = std::to_string(context.broker.cluster().self);
        if (!asked.name.empty() && asked.name != self) {
            resource.error = ErrorCode::kInvalidRequest;
            resource.error_message = "this is broker " + self + "; ask the one that is meant";
            return resource;
        }
        for (const broker::ConfigEntry& entry : context.options.broker_configs)
            if (wanted(entry)) resource.configs.push_back(described(entry, kSetForBroker, true));
    } else {
        resource.error = ErrorCode::kInvalidRequest;
        resource.error_message = "topics (2) and brokers (4) have configs";
    }
    return resource;
}

}  // namespace

bool is_topic_name(std::string_view name) {
    if (name.empty() || name.size() > 249 || name == "." || name == "..") return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    });
}

void handle(const Context& context, CreateTopicsRequest request, Call call) {
    const std::set<std::string> twice = names_given_twice(request);
    auto answer = make_waiting_answer<CreateTopicsResponse>(std::move(call));
    answer->response.topics.resize(request.topics.size());
    for (std::size_t i = 0; i < request.topics.size(); ++i) {
        CreateTopicResult& result = answer->response.topics[i];
        result.name = request.topics[i].name;
        broker::TopicSpec spec;
        Refusal refusal = make_spec(context, request.topics[i], spec);
        if (twice.contains(result.name))
            refusal = {ErrorCode::kInvalidRequest, "the topic is named twice in one request"};
        if (refusal.error != ErrorCode::kNone) {
            result.error = refusal.error;
            result.error_message = std::move(refusal.message);
            continue;
        }
        result.error = ErrorCode::kRequestTimedOut;  // Should nobody ever say.
        context.broker.create_topic(
            std::move(spec), request.validate_only, [answer, i](const Status& status) {
                CreateTopicResult& done = answer->response.topics[i];
                done.error = admin_error(status);
                if (!status) done.error_message = status.error().message.substr(0, 1000);
            });
    }
}

void handle(const Context& context, DeleteTopicsRequest request, Call call) {
    auto answer = make_waiting_answer<DeleteTopicsResponse>(std::move(call));
    answer->response.topics.resize(request.topic_names.size());
    for (std::size_t i = 0; i < request.topic_names.size(); ++i) {
        answer->response.topics[i].name = request.topic_names[i];
        answer->response.topics[i].error = ErrorCode::kRequestTimedOut;  // Should nobody ever say.
        context.broker.delete_topic(
            request.topic_names[i],
            [context, answer, i, name = request.topic_names[i]](const Status& status) {
                answer->response.topics[i].error = admin_error(status);
                if (!status) return;
                // Else a topic that comes again under the name would be read from the middle.
                context.offsets.forget_topic(name, [answer, i](const Status& forgotten) {
                    if (!forgotten) answer->response.topics[i].error = admin_error(forgotten);
                });
            });
    }
}

void handle(const Context& context, DescribeConfigsRequest request, Call call) {
    DescribeConfigsResponse response;
    for (const ConfigResource& asked : request.resources)
        response.resources.push_back(describe_resource(context, asked));
    call.answer(response);
}

}  // namespace walrus::node::kafka
