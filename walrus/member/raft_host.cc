#include "walrus/member/raft_host.h"

#include <utility>

#include "walrus/raft/codec.h"

namespace walrus::member {

Result<std::unique_ptr<RaftHost>> RaftHost::open(RaftHostOptions options, StateMachine& machine,
                                                 net::Transport& transport, Jobs& jobs,
                                                 Random& random) {
    std::unique_ptr<RaftHost> host(new RaftHost(std::move(options), machine, transport, jobs));
    WALRUS_RETURN_IF_ERROR(host->open_all(random));
    return host;
}

Status RaftHost::open_all(Random& random) {
    Result<std::unique_ptr<raft_storage::Storage>> store =
        raft_storage::Storage::open(options_.store);
    if (!store) return std::move(store).error();
    store_ = *std::move(store);
    const raft::Restored restored = store_->restored();
    if (restored.snapshot.index > 0) {
        WALRUS_RETURN_IF_ERROR(restore(store_->open_snapshot(), restored.snapshot.index));
    }
    raft::Options options = options_.raft;
    options.id = options_.store.node;
    options.max_payload_bytes = store_->max_payload_bytes();
    Result<raft::Raft> raft = raft::Raft::open(options, restored, random);
    if (!raft) return std::move(raft).error();
    raft_.emplace(*std::move(raft));
    // Nobody else can lead: no reason to wait.
    const raft::ConfState& conf = raft_->conf();
    if (!conf.joint() && conf.voters.size() == 1 && conf.is_voter(options.id)) raft_->campaign();
    return {};
}

void RaftHost::tick() {
    ++ticks_;
    raft_->tick();
    tick_reads();
}

Status RaftHost::receive(net::PeerId from, std::string_view frame) {
    Result<raft::Message> message = raft::decode_message(as_bytes(frame));
    if (!message) return message.error();
    if (message->from != from) {
        return Error{Errc::kCorruption,
                     "raft: a message in the name of node " + std::to_string(message->from)};
    }
    return raft_->step(*std::move(message));
}

Status RaftHost::work() {
    WALRUS_RETURN_IF_ERROR(submit_waiting());
    ask_reads();
    for (;;) {
        if (failed_) return *failed_;
        WALRUS_RETURN_IF_ERROR(store_->status());
        release_promises();
        if (!raft_->has_ready()) break;
        WALRUS_RETURN_IF_ERROR(take(raft_->ready()));
    }
    settle_reads();
    return maybe_snapshot();
}

Status RaftHost::take(raft::Ready ready) {
    send(ready.messages);
    if (ready.install) {
        WALRUS_ASSERT(received_ && received_->meta == *ready.install);
        WALRUS_RETURN_IF_ERROR(restore(store_->open_snapshot(*received_), ready.install->index));
    }
    apply(ready.committed);
    for (const raft::ReadState& read : ready.reads) {
        if (const auto found = reads_.find(read.id); found != reads_.end()) {
            found->second.index = read.index;
        }
    }
    for (const raft::ReadId id : ready.failed_reads) {
        if (auto found = reads_.extract(id)) unasked_.push_back(std::move(found.mapped()));
    }
    for (const raft::SnapshotRead& read : ready.snapshot_reads) {
        WALRUS_RETURN_IF_ERROR(answer(read));
    }
    for (const raft::SnapshotPiece& piece : ready.snapshot_pieces) {
        WALRUS_RETURN_IF_ERROR(receive_piece(piece));
    }
    if (ready.batch == 0) return {};
    waiting_.push_back(std::move(ready));
    return submit_waiting();
}

Status RaftHost::submit_waiting() {
    while (!waiting_.empty()) {
        raft::Ready& ready = waiting_.front();
        const Status submitted = store_->submit(ready);
        if (!submitted) return unless_full(submitted);
        if (ready.must_sync) submitted_ = ready.batch;
        promises_.push_back({ready.batch, std::move(ready.messages_after_persist)});
        waiting_.pop_front();
    }
    return {};
}

void RaftHost::release_promises() {
    const std::uint64_t durable = store_->durable_batch();
    if (durable == persisted_) return;
    persisted_ = durable;
    raft_->persisted(durable);
    while (!promises_.empty() && promises_.front().batch <= durable) {
        send(promises_.front().messages);
        promises_.pop_front();
    }
}

void RaftHost::send(const std::vector<raft::Message>& messages) {
    for (const raft::Message& message : messages) {
        transport_.send(message.to, kRaftChannel, raft::encode(message));
    }
}

void RaftHost::apply(const std::vector<raft::Entry>& entries) {
    for (const raft::Entry& entry : entries) {
        WALRUS_ASSERT(entry.index == applied_ + 1);
        applied_ = entry.index;
        if (entry.kind == raft::EntryKind::kCommand) machine_.apply(entry);
    }
    if (!entries.empty()) raft_->applied(applied_);
}

Status RaftHost::flush() {
    return unless_full(store_->flush());
}

Status RaftHost::unless_full(const Status& status) {
    if (status || status.error().code == Errc::kNoSpace) return {};
    return status;
}

void RaftHost::hand_over() {
    if (!leads()) return;
    raft::NodeId best = raft::kNobody;
    raft::Index best_match = 0;
    for (const auto& [id, progress] : raft_->progress()) {
        const bool better = best == raft::kNobody || progress.match() > best_match;
        if (!raft_->conf().is_voter(id) || !progress.recent_active || !better) continue;
        best = id;
        best_match = progress.match();
    }
    // Refused only when a hand-over is under way.
    if (best != raft::kNobody) static_cast<void>(raft_->transfer_leader(best));
}

}  // namespace walrus::member
