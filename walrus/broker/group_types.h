// What the coordinator of consumer groups is told and tells.
//
// Metadata and assignments are the clients' own; here they are bytes.  Error codes are Kafka's,
// because a group is a thing of Kafka's clients: what they do next depends on the code.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "walrus/protocol/kafka/error_code.h"

namespace walrus::broker {

using protocol::kafka::ErrorCode;

struct GroupOptions {
    // How long a group that was empty waits for more members; again as long as some came, at most
    // as long as a rebalance may take.  Kafka's default is 3 s; see spec/decisions.md.
    std::uint64_t initial_rebalance_delay_ms = 100;
    std::uint64_t min_session_timeout_ms = 6'000;
    std::uint64_t max_session_timeout_ms = 1'800'000;
    // A member that never was in a generation is dropped when it has waited that long: its client
    // may be gone, and nobody would know.
    std::uint64_t new_member_timeout_ms = 300'000;
    std::size_t max_group_members = 1'000;
    std::size_t max_groups = 10'000;
    std::size_t max_member_bytes = 1 << 20;  // Of all that a member gives or is given.
    std::size_t max_id_bytes = 1'024;        // Of a group or a member.
};

struct GroupProtocol {
    std::string name;
    std::string metadata;
    bool operator==(const GroupProtocol&) const = default;
};

struct JoinRequest {
    std::string group = {};
    std::string member_id = {};  // "" at first.
    std::optional<std::string> instance_id = {};
    std::string client_id = {};
    std::string client_host = {};
    std::string protocol_type = {};
    std::vector<GroupProtocol> protocols = {};  // What the member likes best comes first.
    std::uint64_t session_timeout_ms = 0;
    std::uint64_t rebalance_timeout_ms = 0;
    // A member without an id gets one, and joins when it comes again with it.
    bool needs_member_id = false;
};

struct JoinedMember {
    std::string member_id;
    std::optional<std::string> instance_id;
    std::string metadata;
};

struct JoinAnswer {
    ErrorCode error = ErrorCode::kNone;
    std::int32_t generation = -1;
    std::string protocol = {};
    std::string leader = {};
    std::string member_id = {};
    std::vector<JoinedMember> members = {};  // For the leader, who gives each its part.
};
using JoinCallback = std::function<void(JoinAnswer)>;

// Who speaks, for everything but joining.
struct MemberIdentity {
    std::string group = {};
    std::int32_t generation = -1;
    std::string member_id = {};
    std::optional<std::string> instance_id = {};
};

struct SyncRequest {
    MemberIdentity member = {};
    std::vector<std::pair<std::string, std::string>> assignments = {};  // By member; the leader's.
};

struct SyncAnswer {
    ErrorCode error = ErrorCode::kNone;
    std::string assignment = {};
};
using SyncCallback = std::function<void(SyncAnswer)>;

enum class GroupState {
    kEmpty,
    kPreparingRebalance,   // Waits for its members to join.
    kCompletingRebalance,  // Waits for the leader's assignments.
    kStable,
};

// Kafka's, e.g. "PreparingRebalance".
std::string_view group_state_name(GroupState state);

struct MemberDescription {
    std::string member_id;
    std::optional<std::string> instance_id;
    std::string client_id;
    std::string client_host;
    std::string metadata;  // Of the protocol that was chosen.
    std::string assignment;
};

struct GroupDescription {
    std::string group = {};
    GroupState state = GroupState::kEmpty;
    std::int32_t generation = 0;
    std::string protocol_type = {};
    std::string protocol = {};
    std::string leader = {};
    std::vector<MemberDescription> members = {};
};

}  // namespace walrus::broker
