#include "walrus/testing/sim_raft.h"

#include <utility>

#include "walrus/raft/codec.h"

namespace walrus::testing {
namespace {

constexpr std::uint64_t kFnvPrime = 0x100000001b3;
// Long enough for several chunks; the state machine's own bytes follow.
constexpr std::size_t kSnapshotBytes = 600;

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
    hash ^= value;
    hash *= kFnvPrime;
    return hash ^ (hash >> 29);
}

raft_storage::Options store_options(SimHost& host, const SimRaftOptions& options) {
    raft_storage::Options store;
    store.directory = "raft";
    store.cluster = options.cluster;
    store.node = host.address();
    store.file_size_bytes = 64 << 10;
    store.backend = wal::Backend::kDirect;
    store.threading = wal::Threading::kInline;
    store.env = &host.disk();
    store.clock = &host.clock();
    store.random = &host.random();
    return store;
}

}  // namespace

std::uint64_t hash_entry(std::uint64_t before, const raft::Entry& entry) {
    std::uint64_t hash = mix(mix(before, entry.index), entry.term);
    hash = mix(hash, static_cast<std::uint64_t>(entry.kind));
    for (const char c : entry.data.text()) hash = mix(hash, static_cast<unsigned char>(c));
    return hash;
}

Status SimRaft::format(SimHost& host, const SimRaftOptions& options, const raft::ConfState& conf) {
    return raft_storage::Storage::format(store_options(host, options), conf);
}

Result<std::unique_ptr<SimMachine>> SimRaft::start(SimHost& host, std::uint8_t channel,
                                                   const SimRaftOptions& options) {
    std::unique_ptr<SimRaft> machine(new SimRaft(host, channel, options));
    WALRUS_RETURN_IF_ERROR(machine->open());
    return std::unique_ptr<SimMachine>(std::move(machine));
}

Status SimRaft::open() {
    Result<std::unique_ptr<raft_storage::Storage>> store =
        raft_storage::Storage::open(store_options(host_, options_));
    if (!store) return std::move(store).error();
    store_ = *std::move(store);
    if (options_.make_state) state_ = options_.make_state(host_);
    const raft::Restored restored = store_->restored();
    if (restored.snapshot.index > 0) {
        WALRUS_RETURN_IF_ERROR(restore(store_->open_snapshot(), restored.snapshot.index));
    }
    raft::Options raft_options = options_.raft;
    raft_options.id = host_.address();
    raft_options.max_payload_bytes = store_->max_payload_bytes();
    Result<raft::Raft> raft = raft::Raft::open(raft_options, restored, host_.random());
    if (!raft) return std::move(raft).error();
    raft_.emplace(*std::move(raft));
    return {};
}

void SimRaft::tick() {
    raft_->tick();
    if (!waiting_.empty()) submit_waiting();
    work();
}

void SimRaft::receive(SimAddress, std::string_view frame) {
    Result<raft::Message> message = raft::decode_message(as_bytes(frame));
    const Status status = message ? raft_->step(*std::move(message)) : message.error();
    if (!status) return host_.fail(status.error());
    work();
}

void SimRaft::work() {
    for (;;) {
        release_promises();
        if (!raft_->has_ready()) break;
        take(raft_->ready());
        if (!store_->status()) return;
    }
    maybe_snapshot();
    if (state_) state_->settled();
}

void SimRaft::take(raft::Ready ready) {
    send(ready.messages);
    if (ready.install) {
        WALRUS_ASSERT(received_ && received_->meta == *ready.install);
        const auto reader = store_->open_snapshot(*received_);
        if (!goes_on(restore(reader, ready.install->index))) return;
    }
    apply(ready.committed);
    reads_.insert(reads_.end(), ready.reads.begin(), ready.reads.end());
    for (const raft::SnapshotRead& read : ready.snapshot_reads) answer(read);
    for (const raft::SnapshotPiece& piece : ready.snapshot_pieces) receive_piece(piece);
    if (ready.batch == 0) return;
    waiting_.push_back(std::move(ready));
    submit_waiting();
}

void SimRaft::submit_waiting() {
    while (!waiting_.empty()) {
        raft::Ready& ready = waiting_.front();
        const Status submitted = store_->submit(ready);
        if (!submitted) return static_cast<void>(goes_on(submitted));
        if (ready.must_sync) wait_for_disk();
        promises_.push_back({ready.batch, std::move(ready.messages_after_persist)});
        waiting_.pop_front();
    }
}

void SimRaft::wait_for_disk() {
    if (disk_busy_) return;
    disk_busy_ = true;
    host_.after(host_.disk_delay_ns(), [this] {
        disk_busy_ = false;
        const Status flushed = store_->flush();
        if (!goes_on(flushed)) return;
        if (!flushed) wait_for_disk();
        work();
    });
}

void SimRaft::release_promises() {
    const std::uint64_t durable = store_->durable_batch();
    if (durable == persisted_) return;
    persisted_ = durable;
    raft_->persisted(durable);
    while (!promises_.empty() && promises_.front().batch <= durable) {
        send(promises_.front().messages);
        promises_.pop_front();
    }
}

void SimRaft::send(const std::vector<raft::Message>& messages) {
    for (const raft::Message& message : messages) {
        if (options_.on_send) options_.on_send(message);
        host_.send(channel_, message.to, raft::encode(message));
    }
}

void SimRaft::apply(const std::vector<raft::Entry>& entries) {
    for (const raft::Entry& entry : entries) {
        WALRUS_ASSERT(entry.index == applied_.index + 1);
        applied_ = {entry.index, hash_entry(applied_.hash, entry)};
        applied_log_.push_back(applied_);
        if (state_) state_->apply(entry);
    }
    if (!entries.empty()) raft_->applied(applied_.index);
}

bool SimRaft::goes_on(const Status& status) {
    if (status || status.error().code == Errc::kNoSpace) return true;
    host_.fail(status.error());
    return false;
}

// --- snapshots ---

Status SimRaft::restore(const Result<raft_storage::SnapshotReader>& reader, raft::Index index) {
    if (!reader) return reader.error();
    const Result<std::string> body = reader->read_body(0, reader->body_size());
    if (!body) return body.error();
    if (body->size() < kSnapshotBytes) {
        return Error{Errc::kCorruption, "sim state machine: a snapshot of another size"};
    }
    applied_ = {index, load_le<std::uint64_t>(as_bytes(*body).data())};
    applied_log_.push_back(applied_);
    if (state_) return state_->restore(as_bytes(*body).subspan(kSnapshotBytes));
    return {};
}

void SimRaft::answer(const raft::SnapshotRead& read) {
    Result<raft_storage::SnapshotBytes> bytes = store_->read_snapshot(read);
    if (bytes) {
        raft_->provide_chunk(read, std::move(bytes->data), bytes->done);
    } else if (bytes.error().code == Errc::kNotFound) {
        raft_->chunk_unavailable(read);
    } else {
        goes_on(bytes.error());
    }
}

void SimRaft::receive_piece(const raft::SnapshotPiece& piece) {
    Status status;
    if (piece.offset == 0) {
        receiver_.reset();
        auto receiver = store_->receive_snapshot(piece.meta);
        if (receiver) {
            receiver_.emplace(*std::move(receiver));
        } else {
            status = receiver.error();
        }
    }
    if (receiver_ && status) status = receiver_->append(as_bytes(piece.data.text()));
    if (!goes_on(status)) return;
    if (!piece.done) return;
    bool intact = false;
    if (receiver_ && status) {
        Result<raft_storage::SnapshotFile> file = receiver_->finish();
        intact = file.has_value();
        if (intact) {
            received_ = *file;
            store_->adopt(*file);
        } else if (file.error().code != Errc::kClosed && !goes_on(file.error())) {
            return;
        }
    }
    receiver_.reset();
    raft_->snapshot_received(piece.meta, intact);
}

void SimRaft::maybe_snapshot() {
    const raft::Index index = applied_.index;
    if (!waiting_.empty() || index < raft_->log().snapshot().index + options_.snapshot_every) {
        return;
    }
    if (raft_->conf_at(index).voters.empty()) return;
    const raft::SnapshotMeta meta{index, *raft_->log().term(index), raft_->conf_at(index)};
    Result<raft_storage::SnapshotWriter> writer = store_->create_snapshot(meta);
    if (!writer) return static_cast<void>(goes_on(writer.error()));
    std::string body(kSnapshotBytes, ' ');
    store_le(reinterpret_cast<std::byte*>(body.data()), applied_.hash);
    if (state_) body += state_->snapshot();
    const Status wrote = writer->append(as_bytes(body));
    if (!wrote) return static_cast<void>(goes_on(wrote));
    const Result<raft_storage::SnapshotFile> file = writer->finish();
    if (!file) return static_cast<void>(goes_on(file.error()));
    raft_->snapshot_saved(meta);
    const Status saved = store_->save(*file, raft_->log().base_index());
    if (!goes_on(saved)) return;
    wait_for_disk();
}

}  // namespace walrus::testing
