#include "walrus/client/kafka_groups.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "walrus/client/api_versions.h"
#include "walrus/client/kafka_admin_parts.h"

namespace walrus::client {
namespace {

constexpr std::int16_t kDeleteGroupsApi = 42;

using RdDeleteGroup = std::unique_ptr<rd_kafka_DeleteGroup_t, RdFree<rd_kafka_DeleteGroup_destroy>>;
using RdGroupOffsets = std::unique_ptr<rd_kafka_ListConsumerGroupOffsets_t,
                                       RdFree<rd_kafka_ListConsumerGroupOffsets_destroy>>;

const char* or_empty(const char* text) {
    return text == nullptr ? "" : text;
}

Error of(const rd_kafka_error_t* error, std::string_view what) {
    return rd_error(rd_kafka_error_code(error), what, rd_kafka_error_string(error));
}

GroupMember member_info(const rd_kafka_MemberDescription_t* member) {
    GroupMember info{.id = or_empty(rd_kafka_MemberDescription_consumer_id(member)),
                     .client_id = or_empty(rd_kafka_MemberDescription_client_id(member)),
                     .host = or_empty(rd_kafka_MemberDescription_host(member)),
                     .partitions = {}};
    const auto* assignment = rd_kafka_MemberDescription_assignment(member);
    const auto* partitions =
        assignment == nullptr ? nullptr : rd_kafka_MemberAssignment_partitions(assignment);
    for (int i = 0; partitions != nullptr && i < partitions->cnt; ++i)
        info.partitions.emplace_back(partitions->elems[i].topic, partitions->elems[i].partition);
    return info;
}

// Nothing when the server had no error for a group of that name and yet knows none.
bool is_unknown(const GroupDescription& group) {
    return group.members.empty() && group.positions.empty() &&
           (group.state == "Dead" || group.state == "Unknown");
}

// Of a topic that a group reads, a partition in which it has committed nothing is all unread; a
// reader that stopped early may not have come to it.
void add_unread_partitions(std::vector<GroupPosition>& positions, const ClusterInfo& cluster) {
    std::set<std::pair<std::string, std::int32_t>> known;
    for (const GroupPosition& at : positions) known.emplace(at.topic, at.partition);
    for (const TopicInfo& topic : cluster.topics) {
        const auto first = known.lower_bound({topic.name, 0});
        if (first == known.end() || first->first != topic.name) continue;
        for (const PartitionInfo& partition : topic.partitions) {
            if (!known.contains({topic.name, partition.id}))
                positions.push_back({.topic = topic.name, .partition = partition.id, .member = ""});
        }
    }
}

}  // namespace

std::int64_t GroupPosition::lag() const {
    return std::max<std::int64_t>(0, end - std::max(start, committed.value_or(start)));
}

Result<std::vector<GroupListing>> KafkaGroups::list() {
    const auto& parts = *admin_.parts_;
    const auto request = parts.request(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS);
    rd_kafka_ListConsumerGroups(parts.handle.get(), request.get(), parts.queue.get());
    const auto event = parts.answer("cannot list the groups");
    if (!event) return event.error();

    const auto* result = rd_kafka_event_ListConsumerGroups_result(event->get());
    std::size_t count = 0;
    const auto** errors = rd_kafka_ListConsumerGroups_result_errors(result, &count);
    if (count > 0) return of(errors[0], "cannot list the groups");
    const auto** groups = rd_kafka_ListConsumerGroups_result_valid(result, &count);
    std::vector<GroupListing> listed;
    for (std::size_t i = 0; i < count; ++i)
        listed.push_back({.name = rd_kafka_ConsumerGroupListing_group_id(groups[i]),
                          .state = rd_kafka_consumer_group_state_name(
                              rd_kafka_ConsumerGroupListing_state(groups[i]))});
    std::ranges::sort(listed, {}, &GroupListing::name);
    return listed;
}

Result<GroupDescription> KafkaGroups::describe_members(const std::string& name) {
    const std::string what = "cannot describe group " + name;
    const auto& parts = *admin_.parts_;
    const auto request = parts.request(RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
    const char* names[] = {name.c_str()};
    rd_kafka_DescribeConsumerGroups(parts.handle.get(), names, 1, request.get(), parts.queue.get());
    const auto event = parts.answer(what);
    if (!event) return event.error();

    std::size_t count = 0;
    const auto* result = rd_kafka_event_DescribeConsumerGroups_result(event->get());
    const auto** groups = rd_kafka_DescribeConsumerGroups_result_groups(result, &count);
    if (count != 1) return Error{Errc::kIo, what + ": the server's answer names no group"};
    const rd_kafka_ConsumerGroupDescription_t* group = groups[0];
    if (const auto* error = rd_kafka_ConsumerGroupDescription_error(group);
        error != nullptr && rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return of(error, what);
    GroupDescription info;
    info.name = name;
    info.state = rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupDescription_state(group));
    info.assignor = or_empty(rd_kafka_ConsumerGroupDescription_partition_assignor(group));
    if (const auto* node = rd_kafka_ConsumerGroupDescription_coordinator(group))
        info.coordinator = rd_kafka_Node_id(node);
    for (std::size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(group); ++i)
        info.members.push_back(member_info(rd_kafka_ConsumerGroupDescription_member(group, i)));
    std::ranges::sort(info.members, {}, &GroupMember::id);
    return info;
}

Result<std::vector<GroupPosition>> KafkaGroups::committed(const std::string& name,
                                                          const ClusterInfo& cluster) {
    const std::string what = "cannot read the offsets of group " + name;
    // Every partition by name: "all that it has" is not in the oldest versions of the request.
    RdPartitions all(rd_kafka_topic_partition_list_new(16));
    for (const TopicInfo& topic : cluster.topics)
        for (const PartitionInfo& partition : topic.partitions)
            rd_kafka_topic_partition_list_add(all.get(), topic.name.c_str(), partition.id);
    if (all->cnt == 0) return std::vector<GroupPosition>{};

    const auto& parts = *admin_.parts_;
    const auto request = parts.request(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    const RdGroupOffsets asked(rd_kafka_ListConsumerGroupOffsets_new(name.c_str(), all.get()));
    rd_kafka_ListConsumerGroupOffsets_t* groups[] = {asked.get()};
    rd_kafka_ListConsumerGroupOffsets(parts.handle.get(), groups, 1, request.get(),
                                      parts.queue.get());
    const auto event = parts.answer(what);
    if (!event) return event.error();
    std::size_t count = 0;
    const auto* result = rd_kafka_event_ListConsumerGroupOffsets_result(event->get());
    const auto** results = rd_kafka_ListConsumerGroupOffsets_result_groups(result, &count);
    if (count != 1) return Error{Errc::kIo, what + ": the server's answer names no group"};
    if (const auto* error = rd_kafka_group_result_error(results[0])) return of(error, what);
    const auto* list = rd_kafka_group_result_partitions(results[0]);
    std::vector<GroupPosition> positions;
    for (int i = 0; list != nullptr && i < list->cnt; ++i) {
        const rd_kafka_topic_partition_t& partition = list->elems[i];
        if (partition.offset < 0) continue;
        GroupPosition& position = positions.emplace_back();
        position.topic = partition.topic;
        position.partition = partition.partition;
        position.committed = partition.offset;
    }
    return positions;
}

Status KafkaGroups::fill_ends(std::vector<GroupPosition>& positions, const ClusterInfo& cluster) {
    std::map<std::string, std::vector<PartitionOffsets>> known;
    for (GroupPosition& position : positions) {
        const auto topic = std::ranges::find(cluster.topics, position.topic, &TopicInfo::name);
        if (topic == cluster.topics.end()) continue;  // Deleted under the group's feet.
        if (!known.contains(position.topic)) {
            auto offsets = admin_.offsets(*topic);
            if (!offsets) return std::move(offsets).error();
            known[position.topic] = std::move(*offsets);
        }
        const auto& offsets = known[position.topic];
        const auto found =
            std::ranges::find(offsets, position.partition, &PartitionOffsets::partition);
        if (found == offsets.end()) continue;
        position.start = found->start;
        position.end = found->end;
    }
    return {};
}

Result<GroupDescription> KafkaGroups::describe(const std::string& name) {
    auto group = describe_members(name);
    if (!group) return group;
    const auto cluster = admin_.cluster();
    if (!cluster) return cluster.error();
    auto positions = committed(name, *cluster);
    if (!positions) return std::move(positions).error();
    group->positions = std::move(*positions);
    add_unread_partitions(group->positions, *cluster);

    for (const GroupMember& member : group->members) {
        for (const auto& [topic, partition] : member.partitions) {
            auto found = std::ranges::find_if(group->positions, [&](const GroupPosition& at) {
                return at.topic == topic && at.partition == partition;
            });
            if (found == group->positions.end()) {
                group->positions.push_back({.topic = topic, .partition = partition, .member = ""});
                found = group->positions.end() - 1;
            }
            found->member = member.id;
        }
    }
    WALRUS_RETURN_IF_ERROR(fill_ends(group->positions, *cluster));
    std::ranges::sort(group->positions, {},
                      [](const GroupPosition& at) { return std::tie(at.topic, at.partition); });
    if (is_unknown(*group))
        return Error{Errc::kNotFound, "group " + name + ": there is none of that name"};
    return group;
}

Status KafkaGroups::remove(const std::string& name) {
    const std::string what = "cannot delete group " + name;
    const auto& parts = *admin_.parts_;
    const auto offered = server_offers(parts.options, kDeleteGroupsApi);
    if (!offered) return offered.error();
    if (!*offered) return Error{Errc::kUnsupported, what + ": the server has no request for it"};
    const auto request = parts.request(RD_KAFKA_ADMIN_OP_DELETEGROUPS);
    const RdDeleteGroup asked(rd_kafka_DeleteGroup_new(name.c_str()));
    rd_kafka_DeleteGroup_t* groups[] = {asked.get()};
    rd_kafka_DeleteGroups(parts.handle.get(), groups, 1, request.get(), parts.queue.get());
    const auto event = parts.answer(what);
    if (!event) return event.error();
    std::size_t count = 0;
    const auto* result = rd_kafka_event_DeleteGroups_result(event->get());
    const auto** results = rd_kafka_DeleteGroups_result_groups(result, &count);
    if (count != 1) return Error{Errc::kIo, what + ": the server's answer names no group"};
    if (const auto* error = rd_kafka_group_result_error(results[0])) return of(error, what);
    return {};
}

}  // namespace walrus::client
