#include "walrus/broker/groups.h"

#include <algorithm>
#include <utility>

#include "walrus/broker/group.h"

namespace walrus::broker {
namespace {

std::size_t bytes_of(const JoinRequest& request) {
    std::size_t bytes = request.protocol_type.size() + request.client_id.size();
    for (const GroupProtocol& protocol : request.protocols)
        bytes += protocol.name.size() + protocol.metadata.size();
    return bytes;
}

}  // namespace

GroupCoordinator::GroupCoordinator(net::Loop& loop, Random& random, OffsetStore& offsets,
                                   GroupOptions options)
    : offsets_(offsets), world_(new GroupWorld{loop, random, options}) {}

GroupCoordinator::~GroupCoordinator() {
    forget_members();
}

void GroupCoordinator::forget_members() {
    groups_.clear();
    world_->give_answers();
}

ErrorCode GroupCoordinator::refusal() const {
    const Status status = offsets_.coordinates();
    if (status) return ErrorCode::kNone;
    if (status.error().code == Errc::kNotLeader) return ErrorCode::kNotCoordinator;
    return status.error().code == Errc::kBusy ? ErrorCode::kCoordinatorLoadInProgress
                                              : ErrorCode::kCoordinatorNotAvailable;
}

Group* GroupCoordinator::find(std::string_view name) const {
    const auto found = groups_.find(name);
    return found == groups_.end() ? nullptr : found->second.get();
}

// Groups fall empty by timers of their own, so they are not dropped where that happens.
void GroupCoordinator::drop_unused() {
    std::erase_if(groups_, [](const auto& entry) { return entry.second->unused(); });
}

ErrorCode GroupCoordinator::check(const JoinRequest& request) const {
    const GroupOptions& options = world_->options;
    if (request.group.empty() || request.group.size() > options.max_id_bytes)
        return ErrorCode::kInvalidGroupId;
    if (request.member_id.size() > options.max_id_bytes) return ErrorCode::kUnknownMemberId;
    if (request.session_timeout_ms < options.min_session_timeout_ms ||
        request.session_timeout_ms > options.max_session_timeout_ms)
        return ErrorCode::kInvalidSessionTimeout;
    if (bytes_of(request) > options.max_member_bytes) return ErrorCode::kInvalidRequest;
    if (request.instance_id && request.instance_id->size() > options.max_id_bytes)
        return ErrorCode::kInvalidRequest;
    return ErrorCode::kNone;
}

void GroupCoordinator::join(JoinRequest request, JoinCallback done) {
    ErrorCode error = refusal();
    if (error == ErrorCode::kNone) error = check(request);
    Group* group = find(request.group);
    if (error == ErrorCode::kNone && group == nullptr) {
        if (!request.member_id.empty()) {
            error = ErrorCode::kUnknownMemberId;
        } else {
            if (groups_.size() >= world_->options.max_groups) drop_unused();
            if (groups_.size() >= world_->options.max_groups)
                error = ErrorCode::kCoordinatorNotAvailable;
        }
    }
    if (error != ErrorCode::kNone) return done({.error = error, .member_id = request.member_id});
    if (group == nullptr)
        group = groups_.emplace(request.group, std::make_unique<Group>(*world_, request.group))
                    .first->second.get();
    request.rebalance_timeout_ms = std::clamp<std::uint64_t>(
        request.rebalance_timeout_ms, 1, world_->options.max_session_timeout_ms);
    group->join(std::move(request), std::move(done));
    world_->give_answers();
}

void GroupCoordinator::sync(SyncRequest request, SyncCallback done) {
    if (const ErrorCode error = refusal(); error != ErrorCode::kNone) return done({.error = error});
    Group* group = find(request.member.group);
    if (group == nullptr) return done({.error = ErrorCode::kUnknownMemberId});
    for (const auto& [member, assignment] : request.assignments)
        if (assignment.size() > world_->options.max_member_bytes)
            return done({.error = ErrorCode::kInvalidRequest});
    group->sync(std::move(request), std::move(done));
    world_->give_answers();
}

ErrorCode GroupCoordinator::heartbeat(const MemberIdentity& who) {
    if (const ErrorCode error = refusal(); error != ErrorCode::kNone) return error;
    Group* group = find(who.group);
    return group == nullptr ? ErrorCode::kUnknownMemberId : group->heartbeat(who);
}

ErrorCode GroupCoordinator::leave(std::string_view name, const std::string& member_id) {
    if (const ErrorCode error = refusal(); error != ErrorCode::kNone) return error;
    Group* group = find(name);
    if (group == nullptr) return ErrorCode::kUnknownMemberId;
    const ErrorCode error = group->leave(member_id);
    if (group->unused() && !world_->answering) groups_.erase(groups_.find(name));
    world_->give_answers();
    return error;
}

void GroupCoordinator::commit(const MemberIdentity& who, std::vector<OffsetCommit> offsets,
                              std::function<void(ErrorCode)> done) {
    if (who.group.empty() || who.group.size() > world_->options.max_id_bytes)
        return done(ErrorCode::kInvalidGroupId);
    Group* group = find(who.group);
    ErrorCode error = refusal();
    if (error != ErrorCode::kNone) return done(error);
    if (group != nullptr && !group->unused())
        error = group->check_commit(who);
    else if (who.generation >= 0)
        error = ErrorCode::kIllegalGeneration;
    if (error != ErrorCode::kNone) return done(error);
    offsets_.commit(who.group, std::move(offsets),
                    [done = std::move(done)](const Status& status) { done(commit_error(status)); });
}

std::optional<GroupDescription> GroupCoordinator::describe(std::string_view name) {
    Group* group = find(name);
    if (group != nullptr && !group->unused()) return group->describe();
    if (name.empty() || offsets_.of_group(name).empty()) return std::nullopt;
    return GroupDescription{.group = std::string(name)};
}

std::vector<std::pair<std::string, std::string>> GroupCoordinator::list() {
    drop_unused();
    std::map<std::string, std::string> types;
    for (std::string& name : offsets_.groups())
        if (!name.empty()) types.emplace(std::move(name), "");  // "": the text protocol's.
    for (const auto& [name, group] : groups_) types[name] = group->describe().protocol_type;
    return {types.begin(), types.end()};
}

ErrorCode commit_error(const Status& status) {
    if (status) return ErrorCode::kNone;
    switch (status.error().code) {
        case Errc::kTooLarge: return ErrorCode::kInvalidCommitOffsetSize;
        case Errc::kInvalidArgument: return ErrorCode::kInvalidRequest;
        // Try again: with these a client looks for its coordinator and sends the commit anew.
        case Errc::kNoSpace:
        case Errc::kResourceExhausted:
        case Errc::kTimeout:
        case Errc::kBusy:
        case Errc::kClosed: return ErrorCode::kCoordinatorNotAvailable;
        case Errc::kNotLeader:
        case Errc::kFenced: return ErrorCode::kNotCoordinator;
        case Errc::kNotFound: return ErrorCode::kUnknownTopicOrPartition;
        case Errc::kAlreadyExists:
        case Errc::kOutOfRange:
        case Errc::kIo:
        case Errc::kCorruption:
        case Errc::kUnsupported:
        case Errc::kPoisoned: return ErrorCode::kUnknownServerError;
    }
    return ErrorCode::kUnknownServerError;
}

}  // namespace walrus::broker
