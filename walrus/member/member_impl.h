// ClusterMember::Impl: the parts of a member and the turn of its loop.
//
// Calls and frames only feed the machines; one turn for all that came does the rest: Raft, then
// segments, until both are at rest, then whoever waits is told.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "walrus/member/admission.h"
#include "walrus/member/calls.h"
#include "walrus/member/departure.h"
#include "walrus/member/jobs.h"
#include "walrus/member/member.h"
#include "walrus/member/member_file.h"
#include "walrus/member/proposals.h"
#include "walrus/member/raft_host.h"
#include "walrus/member/segment_host.h"
#include "walrus/member/wake.h"

namespace walrus::member {

class ClusterMember::Impl final : public StateMachine {
public:
    Impl(MemberOptions options, net::Loop& loop, net::Transport& transport, MemberWatcher& watcher);
    ~Impl() override;

    Status open(MemberFile file);
    Status close();

    // --- StateMachine ---
    void apply(const raft::Entry& command) override;
    std::string snapshot() const override { return state_.snapshot(); }
    Status restore(Bytes snapshot) override;

private:
    friend class ClusterMember;

    bool running() const { return !closed_ && !failed_; }
    Status open_hosts();
    void make_parts();
    void stop_listening();
    void start_timer();
    void tick();
    void turn();
    Status work(SegmentEffects& effects);
    void tell(SegmentEffects& effects);
    void notice_leader();
    void receive(net::PeerId from, std::uint8_t channel, std::string_view frame);
    void register_self();
    void fail(const Error& error);

    // Peers: what the state says about the nodes, for the transport and the file.
    void notice_nodes();
    void drop_departed();
    void write_file();

    const MemberOptions options_;
    net::Loop& loop_;
    net::Transport& transport_;
    MemberWatcher& watcher_;
    MemberFile file_;
    cluster::BootId boot_ = 0;
    cluster::ClusterState state_;
    const std::shared_ptr<Wake> wake_;
    Jobs jobs_;
    std::unique_ptr<RaftHost> raft_;
    std::unique_ptr<SegmentHost> segments_;
    std::optional<Calls> calls_;
    std::optional<Proposals> proposals_;
    std::optional<Admission> admission_;
    std::optional<Departure> departure_;

    net::TimerId timer_ = 0;
    std::uint64_t ticks_ = 0;
    bool closed_ = false;
    bool failed_ = false;
    bool registered_ = false;   // This run, as far as applied here.
    bool registering_ = false;  // Proposed.
    bool leads_ = false;
    raft::NodeId leader_ = raft::kNobody;
    raft::Term leader_term_ = 0;
    std::map<cluster::NodeId, std::uint64_t> departing_;  // Removed ones, since which tick.
    bool nodes_changed_ = true;
    bool file_busy_ = false;
    bool file_stale_ = false;

    // To be told at the end of the turn.
    std::set<cluster::TopicId> changed_topics_;
    bool state_replaced_ = false;
    bool controller_changed_ = false;
    std::vector<std::function<void()>> answers_;

    std::set<net::PeerId> accused_;  // Peers whose bad frames were logged.
};

}  // namespace walrus::member
