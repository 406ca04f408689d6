// Consumer groups.  Metadata and assignments are the clients' own; the server only carries them.
#pragma once

#include "walrus/protocol/kafka/api.h"
#include "walrus/protocol/kafka/error_code.h"
#include "walrus/protocol/kafka/wire.h"

namespace walrus::protocol::kafka {

struct FindCoordinatorRequest {
    static constexpr ApiKey kKey = ApiKey::kFindCoordinator;
    std::string key = {};
    std::int8_t key_type = 0;  // 0 a group, 1 a transaction.

    static void fields(auto& io, auto& m) {
        io(m.key);
        if (io.version() >= 1) io(m.key_type);
    }
};

struct FindCoordinatorResponse {
    static constexpr ApiKey kKey = ApiKey::kFindCoordinator;
    std::int32_t throttle_time_ms = 0;
    ErrorCode error = ErrorCode::kNone;
    std::optional<std::string> error_message = {};
    std::int32_t node_id = -1;
    std::string host = {};
    std::int32_t port = -1;

    static void fields(auto& io, auto& m) {
        if (io.version() >= 1) io(m.throttle_time_ms);
        io(m.error);
        if (io.version() >= 1) io(m.error_message);
        io(m.node_id, m.host, m.port);
    }
};

struct JoinGroupProtocol {
    std::string name = {};
    Bytes metadata = {};

    static void fields(auto& io, auto& m) { io(m.name, m.metadata); }
};

struct JoinGroupRequest {
    static constexpr ApiKey kKey = ApiKey::kJoinGroup;
    std::string group_id = {};
    std::int32_t session_timeout_ms = 0;
    std::int32_t rebalance_timeout_ms = -1;
    std::string member_id = {};
    std::optional<std::string> group_instance_id = {};
    std::string protocol_type = {};
    std::vector<JoinGroupProtocol> protocols = {};

    static void fields(auto& io, auto& m) {
        io(m.group_id, m.session_timeout_ms);
        if (io.version() >= 1) io(m.rebalance_timeout_ms);
        io(m.member_id);
        if (io.version() >= 5) io(m.group_instance_id);
        io(m.protocol_type, m.protocols);
    }
};

struct JoinGroupMember {
    std::string member_id = {};
    std::optional<std::string> group_instance_id = {};
    Bytes metadata = {};

    static void fields(auto& io, auto& m) {
        io(m.member_id);
        if (io.version() >= 5) io(m.group_instance_id);
        io(m.metadata);
    }
};

struct JoinGroupResponse {
    static constexpr ApiKey kKey = ApiKey::kJoinGroup;
    std::int32_t throttle_time_ms = 0;
    ErrorCode error = ErrorCode::kNone;
    std::int32_t generation_id = -1;
    std::string protocol_name = {};
    std::string leader = {};
    std::string member_id = {};
    std::vector<JoinGroupMember> members = {};

    static void fields(auto& io, auto& m) {
        if (io.version() >= 2) io(m.throttle_time_ms);
        io(m.error, m.generation_id, m.protocol_name, m.leader, m.member_id, m.members);
    }
};

struct SyncGroupAssignment {
    std::string member_id = {};
    Bytes assignment = {};

    static void fields(auto& io, auto& m) { io(m.member_id, m.assignment); }
};

struct SyncGroupRequest {
    static constexpr ApiKey kKey = ApiKey::kSyncGroup;
    std::string group_id = {};
    std::int32_t generation_id = 0;
    std::string member_id = {};
    std::optional<std::string> group_instance_id = {};
    std::vector<SyncGroupAssignment> assignments = {};

    static void fields(auto& io, auto& m) {
        io(m.group_id, m.generation_id, m.member_id);
        if (io.version() >= 3) io(m.group_instance_id);
        io(m.assignments);
    }
};

struct SyncGroupResponse {
    static constexpr ApiKey kKey = ApiKey::kSyncGroup;
    std::int32_t throttle_time_ms = 0;
    ErrorCode error = ErrorCode::kNone;
    Bytes assignment = {};

    static void fields(auto& io, auto& m) {
        if (io.version() >= 1) io(m.throttle_time_ms);
        io(m.error, m.assignment);
    }
};

struct HeartbeatRequest {
    static constexpr ApiKey kKey = ApiKey::kHeartbeat;
    std::string group_id = {};
    std::int32_t generation_id = 0;
    std::string member_id = {};
    std::optional<std::string> group_instance_id = {};

    static void fields(auto& io, auto& m) {
        io(m.group_id, m.generation_id, m.member_id);
        if (io.version() >= 3) io(m.group_instance_id);
    }
};

struct HeartbeatResponse {
    static constexpr ApiKey kKey = ApiKey::kHeartbeat;
    std::int32_t throttle_time_ms = 0;
    ErrorCode error = ErrorCode::kNone;

    static void fields(auto& io, auto& m) {
        if (io.version() >= 1) io(m.throttle_time_ms);
        io(m.error);
    }
};

struct LeaveGroupRequest {
    static constexpr ApiKey kKey = ApiKey::kLeaveGroup;
    std::string group_id = {};
    std::string member_id = {};

    static void fields(auto& io, auto& m) { io(m.group_id, m.member_id); }
};

struct LeaveGroupResponse {
    static constexpr ApiKey kKey = ApiKey::kLeaveGroup;
    std::int32_t throttle_time_ms = 0;
    ErrorCode error = ErrorCode::kNone;

    static void fields(auto& io, auto& m) {
        if (io.version() >= 1) io(m.throttle_time_ms);
        io(m.error);
    }
};

struct DescribeGroupsRequest {
    static constexpr ApiKey kKey = ApiKey::kDescribeGroups;
    std::vector<std::string> groups = {};
    bool include_authorized_operations = false;

    static void fields(auto& io, auto& m) {
        io(m.groups);
        if (io.version() >= 3) io(m.include_authorized_operations);
    }
};

struct DescribedMember {
    std::string member_id = {};
    std::optional<std::string> group_instance_id = {};
    std::string client_id = {};
    std::string client_host = {};
    Bytes metadata = {};
    Bytes assignment = {};

    static void fields(auto& io, auto& m) {
        io(m.member_id);
        if (io.version() >= 4) io(m.group_instance_id);
        io(m.client_id, m.client_host, m.metadata, m.assignment);
    }
};

struct DescribedGroup {
    ErrorCode error = ErrorCode::kNone;
    std::string group_id = {};
    std::string state = {};
    std::string protocol_type = {};
    std::string protocol_data = {};
    std::vector<DescribedMember> members = {};
    std::int32_t authorized_operations = kNoAuthorizedOperations;

    static void fields(auto& io, auto& m) {
        io(m.error, m.group_id, m.state, m.protocol_type, m.protocol_data, m.members);
        if (io.version() >= 3) io(m.authorized_operations);
    }
};

struct DescribeGroupsResponse {
    static constexpr ApiKey kKey = ApiKey::kDescribeGroups;
    std::int32_t throttle_time_ms = 0;
    std::vector<DescribedGroup> groups = {};

    static void fields(auto& io, auto& m) {
        if (io.version() >= 1) io(m.throttle_time_ms);
        io(m.groups);
    }
};

struct ListGroupsRequest {
    static constexpr ApiKey kKey = ApiKey::kListGroups;

    static void fields(auto& /*io*/, auto& /*m*/) {}
};

struct ListedGroup {
    std::string group_id = {};
    std::string protocol_type = {};

    static void fields(auto& io, auto& m) { io(m.group_id, m.protocol_type); }
};

struct ListGroupsResponse {
    static constexpr ApiKey kKey = ApiKey::kListGroups;
    std::int32_t throttle_time_ms = 0;
    ErrorCode error = ErrorCode::kNone;
    std::vector<ListedGroup> groups = {};

    static void fields(auto& io, auto& m) {
        if (io.version() >= 1) io(m.throttle_time_ms);
        io(m.error, m.groups);
    }
};

}  // namespace walrus::protocol::kafka
