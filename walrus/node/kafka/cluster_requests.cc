// ApiVersions, Metadata, FindCoordinator, InitProducerId: what a client asks before it works.
#include <algorithm>
#include <set>

#include "walrus/node/kafka/requests.h"
#include "walrus/node/kafka/waiting_answer.h"

namespace walrus::node::kafka {

using namespace protocol::kafka;

namespace {

std::vector<ApiVersionRange> all_versions() {
    std::vector<ApiVersionRange> ranges;
    for (const Api& api : kApis)
        ranges.push_back({static_cast<std::int16_t>(api.key), Api::kMinVersion, api.max_version});
    return ranges;
}

MetadataTopicResponse describe_topic(const Context& context, const std::string& name) {
    MetadataTopicResponse topic{.name = name};
    const Result<broker::TopicDescription> found = context.broker.describe(name);
    if (!found) {
        topic.error = is_topic_name(name) ? ErrorCode::kUnknownTopicOrPartition
                                          : ErrorCode::kInvalidTopicException;
        return topic;
    }
    for (const broker::PartitionInfo& info : found->partitions)
        topic.partitions.push_back(
            {.error = info.leader < 0 ? ErrorCode::kLeaderNotAvailable : ErrorCode::kNone,
             .index = info.index,
             .leader_id = info.leader,
             .leader_epoch = info.leader_epoch,
             .replica_nodes = info.replicas,
             .isr_nodes = info.in_sync});
    return topic;
}

void describe_cluster(const Context& context, MetadataResponse& response) {
    broker::ClusterDescription cluster = context.broker.cluster();
    response.cluster_id = std::move(cluster.cluster_id);
    response.controller_id = cluster.controller;
    for (broker::BrokerAddress& address : cluster.brokers)
        response.brokers.push_back({.node_id = address.id,
                                    .host = std::move(address.kafka_host),
                                    .port = address.kafka_port});
}

// The names that are asked for, each once.
std::vector<std::string> asked_topics(const Context& context, const MetadataRequest& request,
                                      std::int16_t version) {
    const bool all = !request.topics || (version == 0 && request.topics->empty());
    if (all) return context.broker.topic_names();
    std::set<std::string> names;
    for (const MetadataTopic& topic : *request.topics) names.insert(topic.name);
    return {names.begin(), names.end()};
}

}  // namespace

void handle(const Context&, ApiVersionsRequest, Call call) {
    call.answer(ApiVersionsResponse{.api_keys = all_versions()});
}

void answer_unsupported_api_versions(Call call) {
    call.version = 0;
    call.answer(
        ApiVersionsResponse{.error = ErrorCode::kUnsupportedVersion, .api_keys = all_versions()});
}

void handle(const Context& context, MetadataRequest request, Call call) {
    const bool may_create = context.options.auto_create_topics && request.allow_auto_topic_creation;
    const std::vector<std::string> names = asked_topics(context, request, call.version);
    auto answer = make_waiting_answer<MetadataResponse>(std::move(call));
    describe_cluster(context, answer->response);
    answer->response.topics.resize(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
        answer->response.topics[i] = describe_topic(context, names[i]);
        const bool missing =
            answer->response.topics[i].error == ErrorCode::kUnknownTopicOrPartition;
        if (!missing || !may_create || !request.topics) continue;
        broker::TopicSpec spec{.name = names[i], .partitions = context.options.default_partitions};
        context.broker.create_topic(std::move(spec), false,
                                    [context, answer, i, name = names[i]](const Status& status) {
                                        MetadataTopicResponse& topic = answer->response.topics[i];
                                        if (status || status.error().code == Errc::kAlreadyExists)
                                            topic = describe_topic(context, name);
                                        else
                                            topic.error = admin_error(status);
                                    });
    }
}

void handle(const Context& context, FindCoordinatorRequest request, Call call) {
    FindCoordinatorResponse response;
    if (request.key_type != 0) {
        // The code that a transactional producer takes for final.
        response.error = ErrorCode::kTransactionalIdAuthorizationFailed;
        response.error_message = "transactions are not supported; set no transactional.id";
        return call.answer(response);
    }
    const broker::ClusterDescription cluster = context.broker.cluster();
    // Of all groups: who leads the metadata, which has their offsets.
    const auto coordinator = std::find_if(
        cluster.brokers.begin(), cluster.brokers.end(),
        [&](const broker::BrokerAddress& address) { return address.id == cluster.controller; });
    if (coordinator == cluster.brokers.end()) {
        response.error = ErrorCode::kCoordinatorNotAvailable;
    } else {
        response.node_id = coordinator->id;
        response.host = coordinator->kafka_host;
        response.port = coordinator->kafka_port;
    }
    call.answer(response);
}

void handle(const Context& context, InitProducerIdRequest request, Call call) {
    if (request.transactional_id)
        return call.answer(
            InitProducerIdResponse{.error = ErrorCode::kTransactionalIdAuthorizationFailed});
    context.broker.new_producer_id([call = share(std::move(call))](const Result<std::int64_t>& id) {
        if (!id) return call->answer(InitProducerIdResponse{.error = admin_error(id.error())});
        call->answer(InitProducerIdResponse{.producer_id = *id, .producer_epoch = 0});
    });
}

}  // namespace walrus::node::kafka
