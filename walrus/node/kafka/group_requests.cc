// JoinGroup, SyncGroup, Heartbeat, LeaveGroup, OffsetCommit, OffsetFetch and the two that look at
// groups.
#include <algorithm>
#include <set>

#include "walrus/node/kafka/requests.h"

namespace walrus::node::kafka {

using namespace protocol::kafka;

namespace {

// An answer that describes groups ends here: their members' metadata may be large.
constexpr std::size_t kMaxDescribedBytes = 64 << 20;
// From this version on a member is given an id before it joins.
constexpr std::int16_t kMemberIdFirst = 4;

std::string text(Bytes bytes) {
    return std::string(as_text(bytes));
}

std::uint64_t milliseconds(std::int32_t value) {
    return value < 0 ? 0 : static_cast<std::uint64_t>(value);
}

broker::MemberIdentity identity(auto& request) {
    return {.group = std::move(request.group_id),
            .generation = request.generation_id,
            .member_id = std::move(request.member_id),
            .instance_id = std::move(request.group_instance_id)};
}

DescribedGroup described(const broker::GroupDescription& group) {
    DescribedGroup out{.group_id = group.group,
                       .state = std::string(broker::group_state_name(group.state)),
                       .protocol_type = group.protocol_type,
                       .protocol_data = group.protocol};
    for (const broker::MemberDescription& member : group.members)
        out.members.push_back({.member_id = member.member_id,
                               .group_instance_id = member.instance_id,
                               .client_id = member.client_id,
                               .client_host = member.client_host,
                               .metadata = as_bytes(member.metadata),
                               .assignment = as_bytes(member.assignment)});
    return out;
}

std::size_t size_of(const broker::GroupDescription& group) {
    std::size_t size = 0;
    for (const broker::MemberDescription& member : group.members)
        size += member.metadata.size() + member.assignment.size() + member.member_id.size();
    return size;
}

}  // namespace

void handle(const Context& context, const Client& client, JoinGroupRequest request,
            const SharedCall& call) {
    broker::JoinRequest join{.group = std::move(request.group_id),
                             .member_id = std::move(request.member_id),
                             .instance_id = std::move(request.group_instance_id),
                             .client_id = client.id,
                             .client_host = client.host,
                             .protocol_type = std::move(request.protocol_type)};
    for (JoinGroupProtocol& protocol : request.protocols)
        join.protocols.push_back({std::move(protocol.name), text(protocol.metadata)});
    join.session_timeout_ms = milliseconds(request.session_timeout_ms);
    join.rebalance_timeout_ms =
        call->version == 0 ? join.session_timeout_ms : milliseconds(request.rebalance_timeout_ms);
    join.needs_member_id = call->version >= kMemberIdFirst;
    context.groups.join(std::move(join), [call](broker::JoinAnswer joined) {
        if (!call->slot) return;
        JoinGroupResponse response{.error = joined.error,
                                   .generation_id = joined.generation,
                                   .protocol_name = std::move(joined.protocol),
                                   .leader = std::move(joined.leader),
                                   .member_id = std::move(joined.member_id)};
        for (const broker::JoinedMember& member : joined.members)
            response.members.push_back(
                {member.member_id, member.instance_id, as_bytes(member.metadata)});
        call->answer(response);
    });
}

void handle(const Context& context, SyncGroupRequest request, const SharedCall& call) {
    broker::SyncRequest sync{.member = identity(request)};
    for (SyncGroupAssignment& assignment : request.assignments)
        sync.assignments.emplace_back(std::move(assignment.member_id), text(assignment.assignment));
    context.groups.sync(std::move(sync), [call](const broker::SyncAnswer& synced) {
        if (!call->slot) return;
        call->answer(
            SyncGroupResponse{.error = synced.error, .assignment = as_bytes(synced.assignment)});
    });
}

void handle(const Context& context, HeartbeatRequest request, Call call) {
    call.answer(HeartbeatResponse{.error = context.groups.heartbeat(identity(request))});
}

void handle(const Context& context, LeaveGroupRequest request, Call call) {
    call.answer(
        LeaveGroupResponse{.error = context.groups.leave(request.group_id, request.member_id)});
}

void handle(const Context& context, OffsetCommitRequest request, Call call) {
    OffsetCommitResponse response;
    std::vector<broker::OffsetCommit> offsets;
    for (OffsetCommitTopic& asked : request.topics) {
        OffsetCommitTopicResponse& topic = response.topics.emplace_back();
        for (OffsetCommitPartition& part : asked.partitions) {
            ErrorCode error = ErrorCode::kNone;
            std::string metadata = std::move(part.metadata).value_or("");
            if (context.broker.find(asked.name, part.index) == nullptr)
                error = ErrorCode::kUnknownTopicOrPartition;
            else if (part.committed_offset < 0)
                error = ErrorCode::kInvalidRequest;
            else if (metadata.size() > context.options.max_offset_metadata_bytes)
                error = ErrorCode::kOffsetMetadataTooLarge;
            topic.partitions.push_back({part.index, error});
            if (error != ErrorCode::kNone) continue;
            offsets.push_back(
                {.topic = asked.name,
                 .partition = part.index,
                 .committed = {.offset = Offset{static_cast<std::uint64_t>(part.committed_offset)},
                               .leader_epoch = part.leader_epoch,
                               .metadata = std::move(metadata),
                               .commit_time_ms = context.loop.wall_ms()}});
        }
        topic.name = std::move(asked.name);
    }
    context.groups.commit(
        identity(request), std::move(offsets),
        [call = share(std::move(call)), response = std::move(response)](ErrorCode error) mutable {
            for (OffsetCommitTopicResponse& topic : response.topics)
                for (OffsetCommitPartitionResponse& part : topic.partitions)
                    if (part.error == ErrorCode::kNone) part.error = error;
            call->answer(response);
        });
}

void handle(const Context& context, OffsetFetchRequest request, Call call) {
    OffsetFetchResponse response;
    // The group "" is the shared cursor of the text protocol.
    response.error =
        request.group_id.empty() ? ErrorCode::kInvalidGroupId : context.groups.refusal();
    const auto fill = [&](OffsetFetchTopicResponse& topic, std::int32_t index,
                          std::optional<broker::CommittedOffset> found) {
        OffsetFetchPartitionResponse& part = topic.partitions.emplace_back();
        part.index = index;
        part.metadata = "";
        part.error = response.error;
        if (!found || response.error != ErrorCode::kNone) return;
        part.committed_offset = static_cast<std::int64_t>(found->offset.value);
        part.leader_epoch = found->leader_epoch;
        part.metadata = std::move(found->metadata);
    };
    const broker::OffsetStore& offsets = context.offsets;
    if (request.topics) {
        for (const OffsetFetchTopic& asked : *request.topics) {
            OffsetFetchTopicResponse& topic = response.topics.emplace_back();
            topic.name = asked.name;
            for (const std::int32_t index : asked.partitions)
                fill(topic, index, offsets.committed(request.group_id, asked.name, index));
        }
    } else if (response.error == ErrorCode::kNone) {
        for (broker::OffsetCommit& known : offsets.of_group(request.group_id)) {
            if (response.topics.empty() || response.topics.back().name != known.topic)
                response.topics.emplace_back().name = known.topic;
            fill(response.topics.back(), known.partition, std::move(known.committed));
        }
    }
    call.answer(response);
}

void handle(const Context& context, DescribeGroupsRequest request, Call call) {
    const std::set<std::string> names(request.groups.begin(), request.groups.end());
    std::vector<broker::GroupDescription> groups;  // The response looks into it.
    groups.reserve(names.size());
    DescribeGroupsResponse response;
    std::size_t size = 0;
    for (const std::string& name : names) {
        if (const ErrorCode refusal = context.groups.refusal(); refusal != ErrorCode::kNone) {
            response.groups.push_back({.error = refusal, .group_id = name});
            continue;
        }
        std::optional<broker::GroupDescription> group = context.groups.describe(name);
        // What Kafka calls a group that it does not know.
        if (!group) {
            response.groups.push_back({.group_id = name, .state = "Dead"});
            continue;
        }
        size += size_of(*group);
        if (size > kMaxDescribedBytes) {
            response.groups.push_back({.error = ErrorCode::kInvalidRequest, .group_id = name});
            continue;
        }
        groups.push_back(*std::move(group));
        response.groups.push_back(described(groups.back()));
    }
    call.answer(response);
}

void handle(const Context& context, ListGroupsRequest, Call call) {
    // Every broker is asked, and each tells the groups that it coordinates.
    ListGroupsResponse response;
    if (context.groups.refusal() != ErrorCode::kNone) return call.answer(response);
    for (auto& [name, type] : context.groups.list())
        response.groups.push_back({std::move(name), std::move(type)});
    call.answer(response);
}

}  // namespace walrus::node::kafka
