// Every request and response we know, for tests that go through all of them.
#pragma once

#include <cstdlib>

#include "walrus/protocol/kafka/admin_messages.h"
#include "walrus/protocol/kafka/cluster_messages.h"
#include "walrus/protocol/kafka/fetch_messages.h"
#include "walrus/protocol/kafka/frame.h"
#include "walrus/protocol/kafka/group_messages.h"
#include "walrus/protocol/kafka/offset_messages.h"
#include "walrus/protocol/kafka/produce_messages.h"

namespace walrus::protocol::kafka {

// Calls visit.template operator()<Request, Response>() with the types of `key`.
decltype(auto) with_types(ApiKey key, auto&& visit) {
    switch (key) {
        case ApiKey::kProduce: return visit.template operator()<ProduceRequest, ProduceResponse>();
        case ApiKey::kFetch: return visit.template operator()<FetchRequest, FetchResponse>();
        case ApiKey::kListOffsets:
            return visit.template operator()<ListOffsetsRequest, ListOffsetsResponse>();
        case ApiKey::kMetadata:
            return visit.template operator()<MetadataRequest, MetadataResponse>();
        case ApiKey::kOffsetCommit:
            return visit.template operator()<OffsetCommitRequest, OffsetCommitResponse>();
        case ApiKey::kOffsetFetch:
            return visit.template operator()<OffsetFetchRequest, OffsetFetchResponse>();
        case ApiKey::kFindCoordinator:
            return visit.template operator()<FindCoordinatorRequest, FindCoordinatorResponse>();
        case ApiKey::kJoinGroup:
            return visit.template operator()<JoinGroupRequest, JoinGroupResponse>();
        case ApiKey::kHeartbeat:
            return visit.template operator()<HeartbeatRequest, HeartbeatResponse>();
        case ApiKey::kLeaveGroup:
            return visit.template operator()<LeaveGroupRequest, LeaveGroupResponse>();
        case ApiKey::kSyncGroup:
            return visit.template operator()<SyncGroupRequest, SyncGroupResponse>();
        case ApiKey::kDescribeGroups:
            return visit.template operator()<DescribeGroupsRequest, DescribeGroupsResponse>();
        case ApiKey::kListGroups:
            return visit.template operator()<ListGroupsRequest, ListGroupsResponse>();
        case ApiKey::kApiVersions:
            return visit.template operator()<ApiVersionsRequest, ApiVersionsResponse>();
        case ApiKey::kCreateTopics:
            return visit.template operator()<CreateTopicsRequest, CreateTopicsResponse>();
        case ApiKey::kDeleteTopics:
            return visit.template operator()<DeleteTopicsRequest, DeleteTopicsResponse>();
        case ApiKey::kDeleteRecords:
            return visit.template operator()<DeleteRecordsRequest, DeleteRecordsResponse>();
        case ApiKey::kInitProducerId:
            return visit.template operator()<InitProducerIdRequest, InitProducerIdResponse>();
        case ApiKey::kOffsetForLeaderEpoch:
            return visit
                .template operator()<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>();
        case ApiKey::kDescribeConfigs:
            return visit.template operator()<DescribeConfigsRequest, DescribeConfigsResponse>();
    }
    std::abort();
}

}  // namespace walrus::protocol::kafka
