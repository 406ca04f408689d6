// Admission: takes nodes into the cluster and out of it, on the node that leads the metadata log.
//
// Who comes in is first registered under its disk id, so that no other process can come under the
// same id, and then made a learner; Raft promotes it when it has caught up.  Who goes is first
// marked as removed, which is refused while it holds copies, and then taken out of the
// configuration; a leader that finds a removed node in its configuration finishes what another
// began.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "walrus/cluster/cluster_state.h"
#include "walrus/member/join_message.h"
#include "walrus/member/member.h"
#include "walrus/raft/raft.h"

namespace walrus::member {

// All on the loop.
class Admission {
public:
    // What it needs of the member; all outlive it.
    struct Parts {
        MemberIdentity self;
        std::uint64_t timeout_ms = 0;
        const cluster::ClusterState& state;
        raft::Raft& raft;
        std::function<void(cluster::CommandBody, ProposeCallback)> propose;
    };
    explicit Admission(Parts parts) : parts_(std::move(parts)) {}

    // A question of join(); `answer` is called once, perhaps later.
    void asked(std::string question, std::uint64_t now_ms, std::function<void(std::string)> answer);
    void remove(cluster::NodeId node, std::uint64_t now_ms, std::function<void(Status)> done);
    // Goes on with what is open.
    void tick(std::uint64_t now_ms);

private:
    struct Joining {
        JoinQuestion question;
        std::uint64_t deadline_ms = 0;
        std::function<void(std::string)> answer;
        bool registering = false;
        bool over = false;
    };
    struct Leaving {
        std::uint64_t deadline_ms = 0;
        std::vector<std::function<void(Status)>> done;
    };

    bool leads() const { return parts_.raft.role() == raft::Role::kLeader; }
    void step(const std::shared_ptr<Joining>& joining, std::uint64_t now_ms);
    void step_registered(Joining& joining);
    void register_node(const std::shared_ptr<Joining>& joining);
    void refuse(Joining& joining, Errc code, std::string text);
    void finish(Joining& joining, JoinAnswer answer);
    JoinAnswer redirect() const;
    bool may_join(Joining& joining);
    void drop_removed_members();
    Status may_remove(cluster::NodeId node) const;
    bool is_out(cluster::NodeId node) const;
    void tick_leaving(std::uint64_t now_ms);

    const Parts parts_;
    std::vector<std::shared_ptr<Joining>> joining_;
    std::map<cluster::NodeId, Leaving> leaving_;
};

}  // namespace walrus::member
