// Group: one consumer group, as a state machine.
//
//   Empty -> PreparingRebalance -> CompletingRebalance -> Stable
//              ^   (joins)           | (leader syncs)       |
//              +---- somebody joins, leaves or is not heard of any more
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>

#include "walrus/base/random.h"
#include "walrus/broker/group_types.h"
#include "walrus/net/loop.h"

namespace walrus::broker {

// What the groups of a coordinator share.
struct GroupWorld {
    net::Loop& loop;
    Random& random;
    const GroupOptions options;
    // Answers to be given when the state machine is at rest: they may lead to the next request.
    std::deque<std::function<void()>> answers = {};
    bool answering = false;
    // A group that comes again under its name goes on here: a generation means one thing.
    std::int32_t first_generation = 0;

    void give_answers();
};

// On the loop only.  Every callback is called once, also when the group is destroyed with its
// members (then with kCoordinatorNotAvailable).
//
// Invariants: member ids are unique, and so are instance ids; the leader is a member; a generation
// never comes twice in a group's life; in kStable every member of the generation has exactly the
// assignment its leader gave it.
class Group {
public:
    Group(GroupWorld& world, std::string name);
    ~Group();
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;

    void join(JoinRequest request, JoinCallback done);
    void sync(SyncRequest request, SyncCallback done);
    ErrorCode heartbeat(const MemberIdentity& who);
    ErrorCode leave(const std::string& member_id);
    // May it commit offsets?  That it speaks counts as a heartbeat.
    ErrorCode check_commit(const MemberIdentity& who);
    GroupDescription describe() const;
    // Nobody is in it, and nobody is expected.
    bool unused() const { return members_.empty() && pending_.empty(); }

private:
    struct Member {
        std::optional<std::string> instance_id = {};
        std::string client_id = {};
        std::string client_host = {};
        std::uint64_t session_timeout_ms = 0;
        std::uint64_t rebalance_timeout_ms = 0;
        std::vector<GroupProtocol> protocols = {};
        std::string assignment = {};
        JoinCallback join = {};  // Set: it waits for the rebalance.
        SyncCallback sync = {};  // Set: it waits for its assignment.
        bool is_new = true;      // Was in no generation yet.
        bool has_synced = false;
        std::uint64_t deadline_ms = 0;  // It must be heard of before, unless it waits for us.
        std::uint64_t timer_due_ms = 0;
        net::TimerId timer = 0;
    };
    using Members = std::map<std::string, Member>;

    // --- joining ---
    void join_first(JoinRequest request, JoinCallback done);
    void join_again(JoinRequest request, JoinCallback done);
    void replace_static(JoinRequest request, JoinCallback done);
    void add(std::string id, JoinRequest request, JoinCallback done);
    void update(Member& member, JoinRequest& request, JoinCallback done);
    bool has_protocols_of(const JoinRequest& request) const;
    bool is_full() const;
    std::string new_member_id(const JoinRequest& request);
    JoinAnswer joined(const std::string& id) const;

    // --- rebalancing ---
    void prepare_rebalance();
    void on_initial_delay();
    void complete_join_if_all_are_here();
    void complete_join();
    void next_generation();
    void on_sync_timeout();
    void become_empty();
    std::uint64_t rebalance_timeout_ms() const;
    std::string vote() const;
    std::string metadata_of(const Member& member) const;

    // --- members ---
    ErrorCode find(const MemberIdentity& who, Members::iterator& found);
    void remove(Members::iterator member, ErrorCode why);
    void heard_of(const std::string& id, Member& member);
    void arm(const std::string& id, Member& member, std::uint64_t delay_ms);
    void on_member_timer(const std::string& id);
    void restart_timer(std::uint64_t delay_ms, void (Group::*then)());
    void stop_timer();
    void answer(JoinCallback& done, JoinAnswer answer);
    void answer(SyncCallback& done, SyncAnswer answer);

    GroupWorld& world_;
    const std::string name_;
    GroupState state_ = GroupState::kEmpty;
    std::int32_t generation_;
    std::string protocol_type_;
    std::string protocol_;
    std::string leader_;  // Invariant: "" or a member.
    Members members_;
    std::map<std::string, std::string> static_ids_;  // Instance -> member.
    std::map<std::string, net::TimerId> pending_;    // Ids that were given out and not used yet.

    net::TimerId timer_ = 0;      // Of the state.
    bool initial_delay_ = false;  // In kPreparingRebalance: more members may come.
    bool somebody_came_ = false;  // Since the initial delay began.
    std::uint64_t initial_left_ms_ = 0;
};

}  // namespace walrus::broker
