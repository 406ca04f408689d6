#include "walrus/member/admission.h"

#include <utility>

namespace walrus::member {

void Admission::asked(std::string question, std::uint64_t now_ms,
                      std::function<void(std::string)> answer) {
    const auto joining = std::make_shared<Joining>();
    joining->answer = std::move(answer);
    joining->deadline_ms = now_ms + parts_.timeout_ms;
    Result<JoinQuestion> decoded = decode_join_question(question);
    if (!decoded) return refuse(*joining, decoded.error().code, decoded.error().message);
    joining->question = *std::move(decoded);
    joining_.push_back(joining);
    step(joining, now_ms);
}

void Admission::tick(std::uint64_t now_ms) {
    // A step may call back, and that may ask.
    const std::vector<std::shared_ptr<Joining>> open = joining_;
    for (const auto& joining : open) step(joining, now_ms);
    std::erase_if(joining_, [](const auto& joining) { return joining->over; });
    if (leads()) drop_removed_members();
    tick_leaving(now_ms);
}

// --- in ---

void Admission::step(const std::shared_ptr<Joining>& joining, std::uint64_t now_ms) {
    Joining& it = *joining;
    if (it.over) return;
    if (!leads()) return finish(it, redirect());
    if (!may_join(it)) return;
    const cluster::Node* known = parts_.state.node(it.question.node);
    if (it.question.disk == 0) {
        return finish(it, {.kind = JoinAnswer::Kind::kMakeDisk, .cluster = parts_.self.cluster});
    }
    if (known != nullptr) {
        step_registered(it);
    } else if (!std::exchange(it.registering, true)) {
        register_node(joining);
    }
    if (!it.over && now_ms >= it.deadline_ms) {
        finish(it, {.kind = JoinAnswer::Kind::kNotNow,
                    .text = "the cluster did not agree on the change in time"});
    }
}

// False: it was refused.
bool Admission::may_join(Joining& joining) {
    const JoinQuestion& question = joining.question;
    const std::string id = std::to_string(question.node);
    if (question.cluster != 0 && question.cluster != parts_.self.cluster) {
        refuse(joining, Errc::kInvalidArgument,
               "the directory of node " + id + " belongs to another cluster; use an empty one");
        return false;
    }
    if (question.node == cluster::kNobody || question.boot == 0 || question.peer_address.empty()) {
        refuse(joining, Errc::kInvalidArgument, "a node needs an id and a peer address");
        return false;
    }
    const cluster::Node* known = parts_.state.node(question.node);
    const bool removed = known != nullptr && known->state == cluster::NodeState::kRemoved;
    const bool taken = known != nullptr ? known->disk != question.disk
                                        : parts_.raft.conf().contains(question.node);
    if (removed || taken) {
        refuse(joining, Errc::kAlreadyExists,
               "node id " + id + (removed ? " was removed" : " is taken") +
                   "; ids are never used again: choose another");
        return false;
    }
    return true;
}

void Admission::register_node(const std::shared_ptr<Joining>& joining) {
    const JoinQuestion& question = joining->question;
    parts_.propose(
        cluster::UpsertNode{.id = question.node,
                            .boot = question.boot,
                            .disk = question.disk,
                            .peer_address = question.peer_address,
                            .text_address = question.text_address,
                            .kafka_address = question.kafka_address},
        [this, joining](const Result<cluster::CommandResult>& result) {
            joining->registering = false;
            if (joining->over || !result) return;
            using cluster::Outcome;
            if (result->outcome != Outcome::kLimit && result->outcome != Outcome::kInvalid) {
                return;  // The next step looks at what the state says now.
            }
            refuse(*joining, Errc::kResourceExhausted,
                   std::string("the cluster cannot take it in: ") +
                       cluster::outcome_name(result->outcome));
        });
}

// It is known under its disk: make it a learner, and tell it when that is certain.
void Admission::step_registered(Joining& joining) {
    const cluster::NodeId node = joining.question.node;
    if (!parts_.raft.conf().contains(node)) {
        const auto proposed =
            parts_.raft.propose_conf_change({.steps = {{raft::ConfChangeKind::kAddLearner, node}}});
        const bool never = !proposed && proposed.error().code == Errc::kInvalidArgument;
        if (never) refuse(joining, Errc::kResourceExhausted, proposed.error().message);
        return;  // Else it is tried again at the next tick.
    }
    if (!parts_.raft.conf_at(parts_.raft.log().commit_index()).contains(node)) return;
    JoinAnswer answer{.kind = JoinAnswer::Kind::kAccepted, .cluster = parts_.self.cluster};
    for (const auto& [id, each] : parts_.state.data().nodes) {
        if (id == node || each.state == cluster::NodeState::kRemoved) continue;
        answer.peers[id] = each.peer_address;
    }
    finish(joining, std::move(answer));
}

JoinAnswer Admission::redirect() const {
    const cluster::Node* leader = parts_.state.node(parts_.raft.leader());
    if (leader == nullptr || leader->id == parts_.self.node) {
        return {.kind = JoinAnswer::Kind::kNotNow, .text = "the cluster has no leader now"};
    }
    return {.kind = JoinAnswer::Kind::kRedirect, .text = leader->peer_address};
}

void Admission::refuse(Joining& joining, Errc code, std::string text) {
    finish(joining, {.kind = JoinAnswer::Kind::kRefused, .code = code, .text = std::move(text)});
}

void Admission::finish(Joining& joining, JoinAnswer answer) {
    joining.over = true;
    joining.answer(encode(answer));
}

// --- out ---

void Admission::remove(cluster::NodeId node, std::uint64_t now_ms,
                       std::function<void(Status)> done) {
    if (const Status may = may_remove(node); !may) return done(may);
    Leaving& leaving = leaving_[node];
    leaving.done.push_back(std::move(done));
    leaving.deadline_ms = now_ms + parts_.timeout_ms;
    const cluster::Node& known = *parts_.state.node(node);
    if (known.state == cluster::NodeState::kRemoved) return;
    parts_.propose(cluster::SetNodeState{node, cluster::NodeState::kRemoved, known.version},
                   [this, node](const Result<cluster::CommandResult>& result) {
                       if (result && result->applied())
                           return;  // Until it is out of the configuration.
                       const auto found = leaving_.extract(node);
                       if (found.empty()) return;
                       Error why =
                           result ? Error{Errc::kBusy, std::string("remove: ") +
                                                           cluster::outcome_name(result->outcome) +
                                                           ": drain the node first, then try again"}
                                  : result.error();
                       for (const auto& each : found.mapped().done) each(why);
                   });
}

Status Admission::may_remove(cluster::NodeId node) const {
    const std::string id = std::to_string(node);
    if (!leads()) {
        return Error{Errc::kNotLeader, "remove: node " + std::to_string(parts_.raft.leader()) +
                                           " leads the metadata; ask it"};
    }
    if (parts_.state.node(node) == nullptr) {
        return Error{Errc::kNotFound, "remove: there is no node " + id};
    }
    const raft::ConfState& conf = parts_.raft.conf();
    if (conf.voters.size() == 1 && conf.is_voter(node)) {
        return Error{Errc::kInvalidArgument,
                     "remove: node " + id + " is the last voter; stop the cluster instead"};
    }
    return {};
}

// One at a time; refused now means tried again at the next tick.
void Admission::drop_removed_members() {
    for (const cluster::NodeId id : parts_.raft.conf().members()) {
        const cluster::Node* node = parts_.state.node(id);
        if (node == nullptr || node->state != cluster::NodeState::kRemoved) continue;
        static_cast<void>(
            parts_.raft.propose_conf_change({.steps = {{raft::ConfChangeKind::kRemove, id}}}));
        return;
    }
}

bool Admission::is_out(cluster::NodeId node) const {
    const cluster::Node* known = parts_.state.node(node);
    return known != nullptr && known->state == cluster::NodeState::kRemoved &&
           !parts_.raft.conf().contains(node) &&
           !parts_.raft.conf_at(parts_.raft.log().commit_index()).contains(node);
}

void Admission::tick_leaving(std::uint64_t now_ms) {
    std::vector<std::pair<std::function<void(Status)>, Status>> over;
    for (auto at = leaving_.begin(); at != leaving_.end();) {
        const bool out = is_out(at->first);
        if (!out && now_ms < at->second.deadline_ms) {
            ++at;
            continue;
        }
        Status status;
        if (!out) {
            status = Error{Errc::kTimeout, "remove: not agreed on in time; look, and ask again"};
        }
        for (auto& done : at->second.done) over.emplace_back(std::move(done), status);
        at = leaving_.erase(at);
    }
    for (const auto& [done, status] : over) done(status);
}

}  // namespace walrus::member
