// What clients and operators ask of a simulated cluster.
#include <algorithm>
#include <string>

#include "walrus/testing/sim_cluster.h"

namespace walrus::testing {
namespace {

constexpr std::size_t kMaxAsked = 16;

}  // namespace

void SimCluster::schedule_request() {
    const std::uint64_t mean_ns = kSecondNs / options_.requests_per_s;
    schedule_.after(random_.below(2 * mean_ns + 1), [this] {
        schedule_request();
        request();
    });
}

void SimCluster::request() {
    if (quiet_) return;
    Member& member = any_member();
    if (!member.host->running()) return;
    const std::uint64_t kind = random_.below(10);
    if (kind < 7 && options_.load == nullptr) return propose(member);
    if (kind < 9 && options_.load != nullptr) return options_.load->request(*member.host);
    if (kind < 9) {
        member.host->run([&] {
            SimRaft& machine = raft_of(member);
            const raft::ReadId id = machine.next_read_id();
            checker_.read_began(member.host->address(), id);
            static_cast<void>(machine.raft().read_index(id));
            machine.work();
        });
        return;
    }
    ask_outcomes();
}

void SimCluster::propose(Member& member) {
    std::string text = "c" + std::to_string(++proposed_);
    text.resize(text.size() + random_.below(60), '.');
    member.host->run([&] {
        SimRaft& machine = raft_of(member);
        const auto proposed = machine.raft().propose(raft::Payload(std::move(text)));
        machine.work();
        if (!proposed || proposed->forwarded) return;
        if (proposals_.size() == kMaxAsked) proposals_.erase(proposals_.begin());
        proposals_.push_back({member.host->address(), proposed->index, proposed->term});
    });
}

void SimCluster::ask_outcomes() {
    for (const Proposal& proposal : proposals_) {
        Member& member = members_.at(proposal.node);
        if (!member.host->running()) continue;
        checker_.proposal_outcome(
            proposal.index, proposal.term,
            raft_of(member).raft().proposal_outcome(proposal.index, proposal.term));
    }
}

// Starts who is down.  Brings the successor of a wiped node into the group: as a learner, and when
// it has caught up as a voter in the place of the wiped one.
void SimCluster::operate() {
    // Not in step with the leader's CheckQuorum, which for a moment takes everybody for silent.
    schedule_.after(kSecondNs * 47 / 100, [this] { operate(); });
    for (const raft::NodeId id : ids()) {
        if (!members_.at(id).host->up()) start_later(id);
    }
    Member* const leads = leader();
    if (leads == nullptr || wiped_ == raft::kNobody) return;
    leads->host->run([&] {
        SimRaft& machine = raft_of(*leads);
        raft::Raft& raft = machine.raft();
        const raft::ConfState& conf = raft.conf();
        if (!conf.joint() && !conf.contains(wiped_) && conf.is_voter(successor_) &&
            raft.conf_at(raft.log().commit_index()) == conf) {
            wiped_ = raft::kNobody;
            ++result_.replaced;
            return;
        }
        raft::ConfChange change;
        if (!conf.contains(successor_)) {
            change.steps = {{raft::ConfChangeKind::kAddLearner, successor_}};
        } else {
            const std::vector<raft::NodeId> ready = raft.promotable_learners();
            if (std::find(ready.begin(), ready.end(), successor_) == ready.end()) return;
            change.steps = {{raft::ConfChangeKind::kAddVoter, successor_},
                            {raft::ConfChangeKind::kRemove, wiped_}};
        }
        static_cast<void>(raft.propose_conf_change(change));
        machine.work();
    });
}

}  // namespace walrus::testing
