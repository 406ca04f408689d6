// Snapshots: compaction, and the chunked transfer to followers that are too far behind ([D] 5).
#include <utility>

#include "walrus/raft/mutants.h"
#include "walrus/raft/raft.h"

namespace walrus::raft {

void Raft::snapshot_saved(const SnapshotMeta& meta) {
    WALRUS_ASSERT(!meta.conf.voters.empty());
    log_.compact(meta, options_.trailing_entries);
    confs_.compact(log_.snapshot().index);
}

// Leader side.

void Raft::flush_snapshot(NodeId to, Progress& progress) {
    SnapshotTransfer& transfer = progress.transfer();
    if (transfer.chunk_in_flight) return;
    transfer.chunk_in_flight = true;
    transfer.idle_ticks = 0;
    next_.snapshot_reads.push_back(
        {to, transfer.meta.index, transfer.offset, options_.snapshot_chunk_bytes});
}

// The progress a driver's answer belongs to, or null when the transfer has moved on.
Progress* Raft::transfer_of(const SnapshotRead& read) {
    const auto found = progress_.find(read.to);
    if (role_ != Role::kLeader || found == progress_.end()) return nullptr;
    Progress& progress = found->second;
    if (progress.state() != ProgressState::kSnapshot) return nullptr;
    const SnapshotTransfer& transfer = progress.transfer();
    const bool same = transfer.meta.index == read.snapshot_index && transfer.offset == read.offset;
    return same ? &progress : nullptr;
}

void Raft::provide_chunk(const SnapshotRead& read, Payload data, bool done) {
    Progress* progress = transfer_of(read);
    if (progress == nullptr) return;
    SnapshotTransfer& transfer = progress->transfer();
    if (done) transfer.end = read.offset + data.size();
    send(read.to,
         SnapshotChunk{
             .meta = transfer.meta, .offset = read.offset, .done = done, .data = std::move(data)});
}

void Raft::chunk_unavailable(const SnapshotRead& read) {
    Progress* progress = transfer_of(read);
    if (progress == nullptr) return;
    progress->begin_snapshot(log_.snapshot());
    dirty_ = true;
}

void Raft::on(const Message& message, const SnapshotReply& reply) {
    const auto found = progress_.find(message.from);
    if (role_ != Role::kLeader || found == progress_.end()) return;
    Progress& progress = found->second;
    progress.recent_active = true;
    SnapshotTransfer& transfer = progress.transfer();
    if (progress.state() != ProgressState::kSnapshot) return;
    if (transfer.meta.index != reply.snapshot_index) return;
    // Wanting what is under way is a duplicate's wish; answering it would double all that follows.
    if (transfer.chunk_in_flight && reply.next_offset == transfer.offset) return;
    transfer.offset = reply.next_offset;
    transfer.idle_ticks = 0;
    // After the last chunk the follower installs; its AppendReply ends the transfer.
    transfer.chunk_in_flight = transfer.end == reply.next_offset;
    dirty_ = true;
}

// A chunk or its answer may be lost, and the follower may have restarted: ask again.
void Raft::tick_transfers() {
    for (auto& [id, progress] : progress_) {
        if (progress.state() != ProgressState::kSnapshot) continue;
        SnapshotTransfer& transfer = progress.transfer();
        if (++transfer.idle_ticks < options_.election_ticks) continue;
        transfer.chunk_in_flight = false;
        dirty_ = true;
    }
}

// Follower side.

// A snapshot of what is here already is not installed: it would only lose what follows it (trap 9).
bool Raft::already_has(const SnapshotMeta& meta, NodeId from) {
    if (meta.index <= log_.commit_index() && !mutant_on(Mutant::kOldSnapshotInstalled)) {
        promise(from, AppendReply{.accepted = true, .match_index = log_.commit_index()});
        return true;
    }
    if (log_.matches(meta.index, meta.term) && !mutant_on(Mutant::kSnapshotDropsSuffix)) {
        commit_to(meta.index);
        promise(from, AppendReply{.accepted = true, .match_index = meta.index});
        return true;
    }
    return false;
}

void Raft::on(const Message& message, const SnapshotChunk& chunk) {
    if (already_has(chunk.meta, message.from)) {
        incoming_.reset();
        return;
    }
    // Two leaders' snapshots of one index need not be equal byte by byte.
    const bool continues = incoming_ && incoming_->from == message.from &&
                           incoming_->term == term_ && incoming_->meta == chunk.meta;
    if (!continues) incoming_ = Incoming{.from = message.from, .term = term_, .meta = chunk.meta};
    if (!incoming_->complete && chunk.offset == incoming_->next_offset) {
        incoming_->next_offset += chunk.data.size();
        incoming_->complete = chunk.done;
        next_.snapshot_pieces.push_back({chunk.meta, chunk.offset, chunk.done, chunk.data});
    }
    send(message.from,
         SnapshotReply{.snapshot_index = chunk.meta.index, .next_offset = incoming_->next_offset});
}

void Raft::snapshot_received(const SnapshotMeta& meta, bool intact) {
    if (!incoming_ || !incoming_->complete || incoming_->meta != meta) return;
    const Incoming done = *std::exchange(incoming_, std::nullopt);
    // Elections may have passed meanwhile; the log is then no longer that leader's to replace.
    if (done.term != term_ || role_ != Role::kFollower) return;
    if (!intact) {
        send(done.from, SnapshotReply{.snapshot_index = meta.index, .next_offset = 0});
        return;
    }
    if (already_has(meta, done.from)) return;
    ConfState conf = mutant_on(Mutant::kSnapshotForgetsConf) ? this->conf() : meta.conf;
    log_.install(meta);
    confs_.reset(meta.index, std::move(conf));
    next_.install = meta;
    promise(done.from, AppendReply{.accepted = true, .match_index = meta.index});
}

}  // namespace walrus::raft
