// GroupCoordinator: the consumer groups of Kafka's clients.
//
// Who is in a group lives in memory: after a restart members are told that they are unknown and
// join again.  Where a group goes on is kept by an OffsetStore (broker.h).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "walrus/base/random.h"
#include "walrus/broker/broker.h"
#include "walrus/broker/group_types.h"
#include "walrus/net/loop.h"

namespace walrus::broker {

class Group;
struct GroupWorld;

// On the loop only.  Callbacks run once, perhaps before the call returns; when the coordinator is
// destroyed, those that still wait get kCoordinatorNotAvailable.
class GroupCoordinator {
public:
    // All outlive the coordinator.
    GroupCoordinator(net::Loop& loop, Random& random, OffsetStore& offsets, GroupOptions options);
    ~GroupCoordinator();

    // kNone: groups are coordinated here (OffsetStore::coordinates()); else every call says this.
    ErrorCode refusal() const;
    // Forgets who is in which group, as a restart would: this node begins or ends to coordinate.
    void forget_members();

    void join(JoinRequest request, JoinCallback done);
    void sync(SyncRequest request, SyncCallback done);
    ErrorCode heartbeat(const MemberIdentity& who);
    ErrorCode leave(std::string_view group, const std::string& member_id);

    // Offsets of a member of the present generation, or (generation -1) of somebody outside of a
    // group that has no members.
    void commit(const MemberIdentity& who, std::vector<OffsetCommit> offsets,
                std::function<void(ErrorCode)> done);

    // Empty when nobody knows the group.
    std::optional<GroupDescription> describe(std::string_view group);
    // With members or with offsets; the name and the protocol type.
    std::vector<std::pair<std::string, std::string>> list();

private:
    Group* find(std::string_view name) const;
    void drop_unused();
    ErrorCode check(const JoinRequest& request) const;

    OffsetStore& offsets_;
    const std::unique_ptr<GroupWorld> world_;
    std::map<std::string, std::unique_ptr<Group>, std::less<>> groups_;
};

// What a client is told when an offset could not be committed.
ErrorCode commit_error(const Status& status);

}  // namespace walrus::broker
