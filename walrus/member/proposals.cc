#include "walrus/member/proposals.h"

#include <utility>

#include "walrus/cluster/command_codec.h"

namespace walrus::member {
namespace {

constexpr std::uint64_t kAgainTicks = 10;

}  // namespace

void Proposals::add(cluster::CommandBody body, std::uint64_t deadline_ms, ProposeCallback done) {
    const cluster::Command command{{client_, ++sequence_}, std::move(body)};
    Open open;
    open.command = raft::Payload(cluster::encode(command));
    open.deadline_ms = deadline_ms;
    open.done = std::move(done);
    open_.emplace(sequence_, std::move(open));
    any_due_ = true;
}

void Proposals::propose_once(raft::Raft& raft, cluster::CommandBody body) {
    const cluster::Command command{{client_, ++sequence_}, std::move(body)};
    static_cast<void>(raft.propose(raft::Payload(cluster::encode(command))));
}

void Proposals::make(raft::Raft& raft) {
    if (!std::exchange(any_due_, false)) return;
    for (auto at = open_.begin(); at != open_.end();) {
        const auto here = at++;
        Open& open = here->second;
        if (!open.due) continue;
        const Result<raft::Proposed> made = raft.propose(open.command);
        if (made) {
            open.due = false;
            open.made = *made;
            open.made_tick = ticks_;
        } else if (made.error().code == Errc::kTooLarge) {
            decide(here, made.error());
        }
        // Else there is no leader, or it has too much to do: at the next tick.
    }
}

void Proposals::make_all_again() {
    for (auto& [sequence, open] : open_) open.due = true;
    any_due_ = !open_.empty();
}

void Proposals::applied(const raft::Entry& entry, const cluster::CommandResult& result) {
    if (open_.empty()) return;
    const auto command = cluster::decode_command(as_bytes(entry.data.text()));
    if (!command || command->id.client != client_) return;
    const auto found = open_.find(command->id.sequence);
    if (found != open_.end()) decide(found, result);
}

// A forwarded proposal that a busy leader refused, or the network lost, leaves no trace.
bool Proposals::is_lost(const Open& open, const raft::Raft& raft) const {
    if (open.made.forwarded) return ticks_ - open.made_tick >= kAgainTicks;
    const raft::ProposalOutcome outcome = raft.proposal_outcome(open.made.index, open.made.term);
    return outcome == raft::ProposalOutcome::kLost || outcome == raft::ProposalOutcome::kUnknown;
}

void Proposals::tick(std::uint64_t now_ms, const raft::Raft& raft) {
    ++ticks_;
    for (auto at = open_.begin(); at != open_.end();) {
        const auto here = at++;
        Open& open = here->second;
        if (now_ms >= open.deadline_ms) {
            decide(here, Error{Errc::kTimeout,
                               "metadata: the command was not applied in time; its outcome is "
                               "unknown: look, and ask again"});
            continue;
        }
        if (!open.due && is_lost(open, raft)) open.due = true;
        any_due_ |= open.due;
    }
}

void Proposals::decide(std::map<std::uint64_t, Open>::iterator which,
                       Result<cluster::CommandResult> result) {
    decided_.push_back(
        [done = std::move(which->second.done), result = std::move(result)] { done(result); });
    open_.erase(which);
}

std::vector<std::function<void()>> Proposals::take_decided() {
    return std::exchange(decided_, {});
}

}  // namespace walrus::member
