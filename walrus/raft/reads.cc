// Linearizable reads through ReadIndex ([D] 6.4); see read_index.h.
#include <string>

#include "walrus/raft/mutants.h"
#include "walrus/raft/quorum.h"
#include "walrus/raft/raft.h"

namespace walrus::raft {

Status Raft::read_index(ReadId id) {
    if (role_ == Role::kLeader) return admit_read(id, options_.id);
    if (leader_ == kNobody) return Error{Errc::kNotLeader, "raft: no leader is known"};
    send(leader_, ReadRequest{id});
    return {};
}

Status Raft::admit_read(ReadId id, NodeId from) {
    // Until its own first entry commits, a leader may not know how far its predecessors got (trap
    // 8).
    if (!committed_in_this_term() && !mutant_on(Mutant::kReadBeforeNoop)) {
        return Error{Errc::kBusy, "raft: nothing of this term is committed yet"};
    }
    if (reads_.size() >= options_.max_pending_reads) {
        return Error{Errc::kResourceExhausted,
                     "raft: " + std::to_string(reads_.size()) + " reads are pending"};
    }
    if (mutant_on(Mutant::kReadWithoutQuorum)) {
        finish_read({.id = id, .from = from, .index = log_.commit_index()}, true);
        return {};
    }
    reads_.add(id, from, log_.commit_index());
    return {};
}

void Raft::on(const Message& message, const ReadRequest& request) {
    const bool admitted =
        role_ == Role::kLeader && admit_read(request.id, message.from).has_value();
    if (!admitted) send(message.from, ReadReply{.id = request.id, .confirmed = false});
}

void Raft::on(const Message&, const ReadReply& reply) {
    if (reply.confirmed) {
        next_.reads.push_back({reply.id, reply.index});
    } else {
        next_.failed_reads.push_back(reply.id);
    }
}

void Raft::confirm_reads() {
    const std::uint64_t round = quorum_reached(conf(), [this](NodeId id) {
        if (id == options_.id) return reads_.current_round();
        const auto found = progress_.find(id);
        return found == progress_.end() ? 0 : found->second.read_round;
    });
    for (const PendingRead& read : reads_.confirm(round)) finish_read(read, true);
}

void Raft::finish_read(const PendingRead& read, bool confirmed) {
    if (read.from != options_.id) {
        send(read.from, ReadReply{.id = read.id, .confirmed = confirmed, .index = read.index});
    } else if (confirmed) {
        next_.reads.push_back({read.id, read.index});
    } else {
        next_.failed_reads.push_back(read.id);
    }
}

}  // namespace walrus::raft
