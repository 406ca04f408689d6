// Elections: pre-vote, vote, leader stickiness, becoming and ceasing to be leader ([D] 3.4, 9.6).
#include <utility>

#include "walrus/raft/mutants.h"
#include "walrus/raft/quorum.h"
#include "walrus/raft/raft.h"

namespace walrus::raft {

void Raft::reset_election_timer() {
    election_elapsed_ = 0;
    const auto spread = static_cast<std::uint32_t>(random_.get().below(options_.election_ticks));
    election_timeout_ = options_.election_ticks + spread;
}

void Raft::become_follower(Term term, NodeId leader) {
    if (role_ == Role::kLeader) leave_leadership();
    if (term != term_) vote_ = kNobody;
    term_ = term;
    role_ = Role::kFollower;
    leader_ = leader;
    votes_.clear();
    self_vote_batch_ = 0;
    reset_election_timer();
}

void Raft::leave_leadership() {
    progress_.clear();
    transfer_to_ = kNobody;
    uncommitted_bytes_ = 0;
    for (const PendingRead& read : reads_.abandon()) finish_read(read, false);
}

void Raft::campaign() {
    start_campaign(CampaignKind::kPreVote);
}

void Raft::start_campaign(CampaignKind kind) {
    reset_election_timer();
    if (role_ == Role::kLeader || !may_campaign()) return;
    stand(kind);
}

// [D] 4.2.2, Fig. 4.6: a voter whose removal is in its log but not known to be committed must go on
// standing for election: the others may be unable to elect anybody whose log is good enough.
bool Raft::may_campaign() const {
    if (conf().is_voter(options_.id)) return true;
    const Index latest = confs_.latest_index();
    return latest > log_.commit_index() && confs_.at(latest - 1).is_voter(options_.id);
}

// Pre-candidates ask what would be and keep their term; candidates begin a new one.
void Raft::stand(CampaignKind kind) {
    const bool pre_vote = kind == CampaignKind::kPreVote;
    votes_.clear();
    self_vote_batch_ = 0;
    leader_ = kNobody;
    role_ = pre_vote ? Role::kPreCandidate : Role::kCandidate;
    if (!pre_vote) {
        ++term_;
        vote_ = options_.id;
    }
    const VoteRequest request{.pre_vote = pre_vote,
                              .transfer = kind == CampaignKind::kTransfer,
                              .last_index = log_.last_index(),
                              .last_term = log_.last_term()};
    for (const NodeId id : conf().members()) {
        if (id == options_.id || !conf().is_voter(id)) continue;
        if (pre_vote) {
            next_.messages.push_back({options_.id, id, term_ + 1, request});
        } else if (mutant_on(Mutant::kSelfVoteBeforePersist)) {
            send(id, request);
        } else {
            promise(id, request);
        }
    }
    if (pre_vote || mutant_on(Mutant::kSelfVoteBeforePersist)) {
        record_vote(options_.id, true);
    } else {
        // Counted before it is durable, a crash could let this node vote twice in one term.
        self_vote_batch_ = batch_ + 1;
    }
}

void Raft::record_vote(NodeId from, bool granted) {
    if (role_ != Role::kPreCandidate && role_ != Role::kCandidate) return;
    votes_.emplace(from, granted);
    const auto vote_of = [this](NodeId id) {
        const auto vote = votes_.find(id);
        if (vote == votes_.end()) return 0;
        return vote->second ? 1 : -1;
    };
    switch (vote_result(conf(), vote_of)) {
        case VoteResult::kPending: return;
        case VoteResult::kLost: become_follower(term_, kNobody); return;
        case VoteResult::kWon: break;
    }
    if (role_ == Role::kPreCandidate) {
        stand(CampaignKind::kElection);
    } else {
        become_leader();
    }
}

void Raft::become_leader() {
    role_ = Role::kLeader;
    leader_ = options_.id;
    votes_.clear();
    self_vote_batch_ = 0;
    reset_election_timer();
    heartbeat_elapsed_ = 0;
    uncommitted_bytes_ = 0;
    progress_.clear();
    sync_progress();
    // [D] 6.4, [P] 8: only an entry of its own term lets a leader commit what came before.
    log_.append({log_.last_index() + 1, term_, EntryKind::kNoop, {}});
    dirty_ = true;
    maybe_commit();
}

// Whether a leader has been heard from within the shortest election timeout; a leader that passes
// its CheckQuorum counts as hearing itself.
bool Raft::hears_leader() const {
    if (mutant_on(Mutant::kNoLeaderStickiness)) return false;
    return leader_ != kNobody && election_elapsed_ < options_.election_ticks;
}

// A node votes whether or not its own configuration names it or the candidate: its configuration
// may be older than the candidate's ([D] 4.1).
bool Raft::grants(const Message& message, const VoteRequest& request) const {
    if (mutant_on(Mutant::kNonMemberRefusesVotes) && !conf().is_voter(options_.id)) return false;
    const bool free = vote_ == message.from || (vote_ == kNobody && leader_ == kNobody) ||
                      (request.pre_vote && message.term > term_);
    return free && log_.up_to_date(request.last_index, request.last_term);
}

void Raft::on(const Message& message, const VoteRequest& request) {
    const bool granted = grants(message, request);
    if (request.pre_vote) {
        // A grant speaks of the term asked for; a refusal tells the own.
        const Term term = granted ? message.term : term_;
        next_.messages.push_back(
            {options_.id, message.from, term, VoteReply{.pre_vote = true, .granted = granted}});
        return;
    }
    if (granted) {
        vote_ = message.from;
        reset_election_timer();
    }
    promise(message.from, VoteReply{.pre_vote = false, .granted = granted});
}

void Raft::on(const Message& message, const VoteReply& reply) {
    const Role asked_as = reply.pre_vote ? Role::kPreCandidate : Role::kCandidate;
    if (role_ != asked_as) return;
    // A grant of an earlier pre-vote round says nothing about the term asked for now.
    if (reply.pre_vote && reply.granted && message.term != term_ + 1) return;
    record_vote(message.from, reply.granted);
}

void Raft::on(const Message& message, const TimeoutNow&) {
    if (role_ != Role::kFollower || message.from != leader_) return;
    // The leader wants it, so neither pre-vote nor stickiness may object ([D] 3.10).
    const bool ask = mutant_on(Mutant::kTransferUsesPreVote);
    start_campaign(ask ? CampaignKind::kPreVote : CampaignKind::kTransfer);
}

}  // namespace walrus::raft
