// The requests that need no more than the broker and the coordinator: one function each.
//
// Produce and Fetch are in produce.h and fetch.h.
#pragma once

#include "walrus/node/kafka/context.h"
#include "walrus/protocol/kafka/admin_messages.h"
#include "walrus/protocol/kafka/cluster_messages.h"
#include "walrus/protocol/kafka/fetch_messages.h"
#include "walrus/protocol/kafka/group_messages.h"
#include "walrus/protocol/kafka/offset_messages.h"
#include "walrus/protocol/kafka/produce_messages.h"

namespace walrus::node::kafka {

namespace wire = protocol::kafka;

// cluster_requests.cc
void handle(const Context& context, wire::ApiVersionsRequest request, Call call);
void handle(const Context& context, wire::MetadataRequest request, Call call);
void handle(const Context& context, wire::FindCoordinatorRequest request, Call call);
void handle(const Context& context, wire::InitProducerIdRequest request, Call call);
// To a client that asks for versions in one that we do not know: in version 0, what we have.
void answer_unsupported_api_versions(Call call);

// offset_requests.cc
void handle(const Context& context, wire::ListOffsetsRequest request, Call call);
void handle(const Context& context, wire::OffsetForLeaderEpochRequest request, Call call);
void handle(const Context& context, wire::DeleteRecordsRequest request, Call call);

// topic_requests.cc
void handle(const Context& context, wire::CreateTopicsRequest request, Call call);
void handle(const Context& context, wire::DeleteTopicsRequest request, Call call);
void handle(const Context& context, wire::DescribeConfigsRequest request, Call call);

// group_requests.cc
// These two wait for other members; who answers the call first has answered it.
void handle(const Context& context, const Client& client, wire::JoinGroupRequest request,
            const SharedCall& call);
void handle(const Context& context, wire::SyncGroupRequest request, const SharedCall& call);
void handle(const Context& context, wire::HeartbeatRequest request, Call call);
void handle(const Context& context, wire::LeaveGroupRequest request, Call call);
void handle(const Context& context, wire::OffsetCommitRequest request, Call call);
void handle(const Context& context, wire::OffsetFetchRequest request, Call call);
void handle(const Context& context, wire::DescribeGroupsRequest request, Call call);
void handle(const Context& context, wire::ListGroupsRequest request, Call call);

// Kafka's rule, which the broker has too; here a broken one has an error code of its own.
bool is_topic_name(std::string_view name);

}  // namespace walrus::node::kafka
