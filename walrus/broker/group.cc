#include "walrus/broker/group.h"

#include <algorithm>
#include <utility>

#include "walrus/base/assert.h"

namespace walrus::broker {

std::string_view group_state_name(GroupState state) {
    switch (state) {
        case GroupState::kEmpty: return "Empty";
        case GroupState::kPreparingRebalance: return "PreparingRebalance";
        case GroupState::kCompletingRebalance: return "CompletingRebalance";
        case GroupState::kStable: return "Stable";
    }
    return "Dead";
}

void GroupWorld::give_answers() {
    if (answering) return;  // The loop below goes on.
    answering = true;
    while (!answers.empty()) {
        const std::function<void()> next = std::move(answers.front());
        answers.pop_front();
        next();
    }
    answering = false;
}

Group::Group(GroupWorld& world, std::string name)
    : world_(world), name_(std::move(name)), generation_(world.first_generation) {}

Group::~Group() {
    world_.first_generation = std::max(world_.first_generation, generation_);
    stop_timer();
    for (auto& [id, timer] : pending_) world_.loop.cancel(timer);
    for (auto& [id, member] : members_) {
        world_.loop.cancel(member.timer);
        answer(member.join, {.error = ErrorCode::kCoordinatorNotAvailable});
        answer(member.sync, {.error = ErrorCode::kCoordinatorNotAvailable});
    }
}

// --- joining ---

void Group::join(JoinRequest request, JoinCallback done) {
    if (!has_protocols_of(request))
        return answer(
            done, {.error = ErrorCode::kInconsistentGroupProtocol, .member_id = request.member_id});
    if (request.member_id.empty()) return join_first(std::move(request), std::move(done));
    join_again(std::move(request), std::move(done));
}

// There must be a protocol that everybody speaks.
bool Group::has_protocols_of(const JoinRequest& request) const {
    if (request.protocol_type.empty() || request.protocols.empty()) return false;
    const bool is_alone =
        members_.empty() || (members_.size() == 1 && members_.contains(request.member_id));
    if (is_alone) return true;
    if (request.protocol_type != protocol_type_) return false;
    return std::any_of(
        request.protocols.begin(), request.protocols.end(), [&](const GroupProtocol& offered) {
            return std::all_of(members_.begin(), members_.end(), [&](const auto& entry) {
                const auto& known = entry.second.protocols;
                return entry.first == request.member_id ||
                       std::any_of(known.begin(), known.end(), [&](const GroupProtocol& other) {
                           return other.name == offered.name;
                       });
            });
        });
}

bool Group::is_full() const {
    return members_.size() + pending_.size() >= world_.options.max_group_members;
}

std::string Group::new_member_id(const JoinRequest& request) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string id = request.instance_id.value_or(request.client_id);
    id.resize(std::min<std::size_t>(id.size(), 255));
    id += '-';
    for (int half = 0; half < 2; ++half) {
        std::uint64_t random = world_.random.next();
        for (int i = 0; i < 16; ++i, random >>= 4) id += kDigits[random & 15];
    }
    // A random number that comes again would be two members with one name.
    return members_.contains(id) || pending_.contains(id) ? new_member_id(request) : id;
}

void Group::join_first(JoinRequest request, JoinCallback done) {
    if (request.instance_id && static_ids_.contains(*request.instance_id))
        return replace_static(std::move(request), std::move(done));
    if (is_full()) return answer(done, {.error = ErrorCode::kGroupMaxSizeReached});
    std::string id = new_member_id(request);
    if (!request.needs_member_id || request.instance_id)
        return add(std::move(id), std::move(request), std::move(done));
    pending_[id] = world_.loop.after_ms(request.session_timeout_ms, [this, id] {
        pending_.erase(id);
        complete_join_if_all_are_here();
        world_.give_answers();
    });
    answer(done, {.error = ErrorCode::kMemberIdRequired, .member_id = id});
}

void Group::join_again(JoinRequest request, JoinCallback done) {
    const auto pending = pending_.find(request.member_id);
    if (pending != pending_.end() && !request.instance_id) {
        world_.loop.cancel(pending->second);
        pending_.erase(pending);
        std::string id = request.member_id;
        return add(std::move(id), std::move(request), std::move(done));
    }
    Members::iterator found;
    const ErrorCode error =
        find({.group = name_, .member_id = request.member_id, .instance_id = request.instance_id},
             found);
    if (error != ErrorCode::kNone)
        return answer(done, {.error = error, .member_id = request.member_id});
    Member& member = found->second;
    const bool same = member.protocols == request.protocols;
    const bool wants_rebalance = !same || found->first == leader_;
    // A member that did not hear the answer asks again.
    if ((state_ == GroupState::kCompletingRebalance && same) ||
        (state_ == GroupState::kStable && !wants_rebalance)) {
        heard_of(found->first, member);
        return answer(done, joined(found->first));
    }
    update(member, request, std::move(done));
    if (state_ == GroupState::kPreparingRebalance) return complete_join_if_all_are_here();
    prepare_rebalance();
}

// A static member came back under the same name: the old one is fenced, and if it would have had
// nothing new to say, nobody else needs to notice.
void Group::replace_static(JoinRequest request, JoinCallback done) {
    std::string& id = static_ids_[*request.instance_id];
    auto node = members_.extract(id);
    WALRUS_ASSERT(!node.empty());
    Member& member = node.mapped();
    answer(member.join, {.error = ErrorCode::kFencedInstanceId, .member_id = id});
    answer(member.sync, {.error = ErrorCode::kFencedInstanceId});
    world_.loop.cancel(std::exchange(member.timer, 0));
    const bool was_leader = leader_ == id;
    node.key() = id = new_member_id(request);
    if (was_leader) leader_ = id;
    const auto found = members_.insert(std::move(node)).position;
    const bool same = member.protocols == request.protocols;
    if (state_ == GroupState::kStable && same && !was_leader) {
        heard_of(found->first, member);
        return answer(done, joined(found->first));
    }
    update(member, request, std::move(done));
    if (state_ == GroupState::kPreparingRebalance) return complete_join_if_all_are_here();
    prepare_rebalance();
}

void Group::add(std::string id, JoinRequest request, JoinCallback done) {
    Member& member = members_[id];
    member.instance_id = request.instance_id;
    if (request.instance_id) static_ids_[*request.instance_id] = id;
    if (leader_.empty()) leader_ = id;
    somebody_came_ = true;
    update(member, request, std::move(done));
    arm(id, member, world_.options.new_member_timeout_ms);
    if (state_ == GroupState::kPreparingRebalance) return complete_join_if_all_are_here();
    prepare_rebalance();
}

void Group::update(Member& member, JoinRequest& request, JoinCallback done) {
    // Asked twice: the first question is answered so that its asker asks again if it is alive.
    answer(member.join, {.error = ErrorCode::kRebalanceInProgress});
    protocol_type_ = std::move(request.protocol_type);  // Another one only if it is alone.
    member.client_id = std::move(request.client_id);
    member.client_host = std::move(request.client_host);
    member.session_timeout_ms = request.session_timeout_ms;
    member.rebalance_timeout_ms = request.rebalance_timeout_ms;
    member.protocols = std::move(request.protocols);
    member.join = std::move(done);
}

JoinAnswer Group::joined(const std::string& id) const {
    JoinAnswer answer{
        .generation = generation_, .protocol = protocol_, .leader = leader_, .member_id = id};
    if (id != leader_) return answer;
    for (const auto& [other_id, other] : members_)
        answer.members.push_back({other_id, other.instance_id, metadata_of(other)});
    return answer;
}

// --- rebalancing ---

void Group::prepare_rebalance() {
    for (auto& [id, member] : members_) {
        const bool was_waiting = static_cast<bool>(member.sync);
        answer(member.sync, {.error = ErrorCode::kRebalanceInProgress});
        if (was_waiting) heard_of(id, member);
    }
    initial_delay_ = state_ == GroupState::kEmpty;
    state_ = GroupState::kPreparingRebalance;
    if (initial_delay_) {
        const std::uint64_t delay =
            std::min(world_.options.initial_rebalance_delay_ms, rebalance_timeout_ms());
        initial_left_ms_ = rebalance_timeout_ms() - delay;
        somebody_came_ = false;
        return restart_timer(delay, &Group::on_initial_delay);
    }
    restart_timer(rebalance_timeout_ms(), &Group::complete_join);
    complete_join_if_all_are_here();
}

void Group::on_initial_delay() {
    if (std::exchange(somebody_came_, false) && initial_left_ms_ > 0) {
        const std::uint64_t delay =
            std::min(world_.options.initial_rebalance_delay_ms, initial_left_ms_);
        initial_left_ms_ -= delay;
        return restart_timer(delay, &Group::on_initial_delay);
    }
    initial_delay_ = false;
    restart_timer(rebalance_timeout_ms(), &Group::complete_join);
    complete_join_if_all_are_here();
}

void Group::complete_join_if_all_are_here() {
    if (state_ != GroupState::kPreparingRebalance || initial_delay_ || !pending_.empty()) return;
    const bool all = std::all_of(members_.begin(), members_.end(),
                                 [](const auto& entry) { return entry.second.join != nullptr; });
    if (all) complete_join();
}

// The time is over, or everybody is here.
void Group::complete_join() {
    for (auto at = members_.begin(); at != members_.end();) {
        const auto member = at++;
        // A static member is expected back until its session ends.
        if (member->second.join || member->second.instance_id) continue;
        world_.loop.cancel(member->second.timer);
        if (leader_ == member->first) leader_.clear();
        members_.erase(member);
    }
    if (members_.empty()) return become_empty();
    const auto leader = members_.find(leader_);
    if (leader == members_.end() || !leader->second.join) {
        const auto here = std::find_if(members_.begin(), members_.end(), [](const auto& entry) {
            return entry.second.join != nullptr;
        });
        // Nobody is here to lead; sessions end and decide.
        if (here == members_.end())
            return restart_timer(rebalance_timeout_ms(), &Group::complete_join);
        leader_ = here->first;
    }
    next_generation();
}

void Group::next_generation() {
    ++generation_;
    protocol_ = vote();
    state_ = GroupState::kCompletingRebalance;
    restart_timer(rebalance_timeout_ms(), &Group::on_sync_timeout);
    for (auto& [id, member] : members_) {
        member.assignment.clear();
        member.has_synced = false;
        if (!member.join) continue;
        member.is_new = false;
        heard_of(id, member);
        answer(member.join, joined(id));
    }
}

// Each votes for what it likes best of what all speak.
std::string Group::vote() const {
    const auto all_speak = [&](const std::string& name) {
        return std::all_of(members_.begin(), members_.end(), [&](const auto& entry) {
            const auto& known = entry.second.protocols;
            return std::any_of(known.begin(), known.end(),
                               [&](const GroupProtocol& other) { return other.name == name; });
        });
    };
    std::map<std::string, std::size_t> votes;
    for (const auto& [id, member] : members_) {
        const auto best =
            std::find_if(member.protocols.begin(), member.protocols.end(),
                         [&](const GroupProtocol& protocol) { return all_speak(protocol.name); });
        WALRUS_ASSERT(best != member.protocols.end());
        ++votes[best->name];
    }
    return std::max_element(votes.begin(), votes.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->first;
}

std::string Group::metadata_of(const Member& member) const {
    for (const GroupProtocol& protocol : member.protocols)
        if (protocol.name == protocol_) return protocol.metadata;
    return {};
}

std::uint64_t Group::rebalance_timeout_ms() const {
    std::uint64_t longest = 0;
    for (const auto& [id, member] : members_)
        longest = std::max(longest, member.rebalance_timeout_ms);
    return longest;
}

void Group::become_empty() {
    stop_timer();
    state_ = GroupState::kEmpty;
    initial_delay_ = false;
    ++generation_;
    protocol_.clear();
    leader_.clear();
}

// --- assignments ---

void Group::sync(SyncRequest request, SyncCallback done) {
    Members::iterator found;
    ErrorCode error = find(request.member, found);
    if (error == ErrorCode::kNone && request.member.generation != generation_)
        error = ErrorCode::kIllegalGeneration;
    if (error == ErrorCode::kNone && state_ == GroupState::kPreparingRebalance)
        error = ErrorCode::kRebalanceInProgress;
    if (error != ErrorCode::kNone) return answer(done, {.error = error});

    Member& member = found->second;
    heard_of(found->first, member);
    member.has_synced = true;
    if (state_ == GroupState::kStable) return answer(done, {.assignment = member.assignment});
    answer(member.sync, {.error = ErrorCode::kRebalanceInProgress});  // Asked twice.
    member.sync = std::move(done);
    if (found->first != leader_) return;

    for (auto& [id, assignment] : request.assignments) {
        const auto assigned = members_.find(id);
        if (assigned != members_.end()) assigned->second.assignment = std::move(assignment);
    }
    state_ = GroupState::kStable;
    for (auto& [id, waiting] : members_) {
        if (!waiting.sync) continue;
        heard_of(id, waiting);
        answer(waiting.sync, {.assignment = waiting.assignment});
    }
}

// Who joined and does not ask for its part holds up the others' partitions.
void Group::on_sync_timeout() {
    bool dropped = false;
    for (auto at = members_.begin(); at != members_.end();) {
        const auto member = at++;
        if (member->second.has_synced || member->second.instance_id) continue;
        world_.loop.cancel(member->second.timer);
        if (leader_ == member->first) leader_.clear();
        members_.erase(member);
        dropped = true;
    }
    if (members_.empty()) return become_empty();
    if (!dropped && state_ == GroupState::kStable) return;
    if (leader_.empty()) leader_ = members_.begin()->first;
    prepare_rebalance();
}

// --- members ---

ErrorCode Group::find(const MemberIdentity& who, Members::iterator& found) {
    if (who.instance_id) {
        const auto known = static_ids_.find(*who.instance_id);
        if (known == static_ids_.end()) return ErrorCode::kUnknownMemberId;
        if (known->second != who.member_id) return ErrorCode::kFencedInstanceId;
    }
    found = members_.find(who.member_id);
    return found == members_.end() ? ErrorCode::kUnknownMemberId : ErrorCode::kNone;
}

ErrorCode Group::heartbeat(const MemberIdentity& who) {
    Members::iterator found;
    const ErrorCode error = find(who, found);
    if (error != ErrorCode::kNone) return error;
    if (who.generation != generation_) return ErrorCode::kIllegalGeneration;
    heard_of(found->first, found->second);
    return state_ == GroupState::kPreparingRebalance ? ErrorCode::kRebalanceInProgress
                                                     : ErrorCode::kNone;
}

ErrorCode Group::leave(const std::string& member_id) {
    const auto pending = pending_.find(member_id);
    if (pending != pending_.end()) {
        world_.loop.cancel(pending->second);
        pending_.erase(pending);
        complete_join_if_all_are_here();
        return ErrorCode::kNone;
    }
    const auto member = members_.find(member_id);
    if (member == members_.end()) return ErrorCode::kUnknownMemberId;
    remove(member, ErrorCode::kUnknownMemberId);
    return ErrorCode::kNone;
}

ErrorCode Group::check_commit(const MemberIdentity& who) {
    // Somebody who manages partitions without the group; only while it has no members.
    if (who.generation < 0 && members_.empty()) return ErrorCode::kNone;
    Members::iterator found;
    const ErrorCode error = find(who, found);
    if (error != ErrorCode::kNone) return error;
    if (who.generation != generation_) return ErrorCode::kIllegalGeneration;
    if (state_ == GroupState::kCompletingRebalance) return ErrorCode::kRebalanceInProgress;
    heard_of(found->first, found->second);
    return ErrorCode::kNone;
}

void Group::remove(Members::iterator at, ErrorCode why) {
    Member& member = at->second;
    answer(member.join, {.error = why, .member_id = at->first});
    answer(member.sync, {.error = why});
    world_.loop.cancel(member.timer);
    if (member.instance_id) static_ids_.erase(*member.instance_id);
    const bool was_leader = leader_ == at->first;
    members_.erase(at);
    if (was_leader) leader_ = members_.empty() ? "" : members_.begin()->first;
    if (members_.empty() && pending_.empty()) return become_empty();
    if (state_ == GroupState::kPreparingRebalance) return complete_join_if_all_are_here();
    prepare_rebalance();
}

void Group::heard_of(const std::string& id, Member& member) {
    const std::uint64_t deadline = world_.loop.now_ms() + member.session_timeout_ms;
    // A timer that runs looks at the deadline; only one that would run too late is set anew.
    if (member.timer == 0 || member.timer_due_ms > deadline)
        return arm(id, member, member.session_timeout_ms);
    member.deadline_ms = deadline;
}

void Group::arm(const std::string& id, Member& member, std::uint64_t delay_ms) {
    world_.loop.cancel(member.timer);
    member.deadline_ms = member.timer_due_ms = world_.loop.now_ms() + delay_ms;
    member.timer = world_.loop.after_ms(delay_ms, [this, id] {
        on_member_timer(id);
        world_.give_answers();
    });
}

void Group::on_member_timer(const std::string& id) {
    const auto found = members_.find(id);
    WALRUS_ASSERT(found != members_.end());
    Member& member = found->second;
    member.timer = 0;
    const std::uint64_t now = world_.loop.now_ms();
    // It waits for us, so it cannot be expected to speak; but a new one may be long gone.
    const bool waits = (member.join && !member.is_new) || member.sync;
    if (waits) return arm(id, member, member.session_timeout_ms);
    if (now < member.deadline_ms) return arm(id, member, member.deadline_ms - now);
    remove(found, ErrorCode::kUnknownMemberId);
}

void Group::restart_timer(std::uint64_t delay_ms, void (Group::*then)()) {
    stop_timer();
    timer_ = world_.loop.after_ms(delay_ms, [this, then] {
        timer_ = 0;
        (this->*then)();
        world_.give_answers();
    });
}

void Group::stop_timer() {
    world_.loop.cancel(std::exchange(timer_, 0));
}

void Group::answer(JoinCallback& done, JoinAnswer answer) {
    if (!done) return;
    world_.answers.emplace_back([done = std::move(done), answer = std::move(answer)]() mutable {
        done(std::move(answer));
    });
    done = nullptr;
}

void Group::answer(SyncCallback& done, SyncAnswer answer) {
    if (!done) return;
    world_.answers.emplace_back([done = std::move(done), answer = std::move(answer)]() mutable {
        done(std::move(answer));
    });
    done = nullptr;
}

GroupDescription Group::describe() const {
    GroupDescription description{.group = name_,
                                 .state = state_,
                                 .generation = generation_,
                                 .protocol_type = protocol_type_,
                                 .protocol = protocol_,
                                 .leader = leader_};
    for (const auto& [id, member] : members_)
        description.members.push_back({id, member.instance_id, member.client_id, member.client_host,
                                       metadata_of(member), member.assignment});
    return description;
}

}  // namespace walrus::broker
