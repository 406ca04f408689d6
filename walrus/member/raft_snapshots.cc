// Snapshots of the metadata: written now and then, sent to who is far behind, installed.
#include <utility>

#include "walrus/member/raft_host.h"

namespace walrus::member {

Status RaftHost::restore(const Result<raft_storage::SnapshotReader>& reader, raft::Index index) {
    if (!reader) return reader.error();
    const Result<std::string> body = reader->read_body(0, reader->body_size());
    if (!body) return body.error();
    applied_ = index;
    return machine_.restore(as_bytes(*body));
}

Status RaftHost::answer(const raft::SnapshotRead& read) {
    Result<raft_storage::SnapshotBytes> bytes = store_->read_snapshot(read);
    if (bytes) {
        raft_->provide_chunk(read, std::move(bytes->data), bytes->done);
    } else if (bytes.error().code == Errc::kNotFound) {
        raft_->chunk_unavailable(read);
    } else {
        return bytes.error();
    }
    return {};
}

Status RaftHost::receive_piece(const raft::SnapshotPiece& piece) {
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
    if (!status) {
        receiver_.reset();
        WALRUS_RETURN_IF_ERROR(unless_full(status));
    }
    if (piece.done) finish_receiving(piece.meta);
    return {};
}

// Syncing it may take long.
void RaftHost::finish_receiving(const raft::SnapshotMeta& meta) {
    if (!receiver_) {
        raft_->snapshot_received(meta, false);
        return;
    }
    const auto receiver =
        std::make_shared<raft_storage::SnapshotReceiver>(*std::exchange(receiver_, std::nullopt));
    jobs_.run([receiver] { return receiver->finish(); },
              [this, meta](const Result<raft_storage::SnapshotFile>& file) {
                  if (file) {
                      received_ = *file;
                      store_->adopt(*file);
                  } else if (file.error().code != Errc::kCorruption &&
                             file.error().code != Errc::kClosed &&
                             file.error().code != Errc::kNoSpace) {
                      failed_ = file.error();
                  }
                  raft_->snapshot_received(meta, file.has_value());
                  options_.wake();
              });
}

Status RaftHost::maybe_snapshot() {
    const raft::Index last = raft_->log().snapshot().index;
    if (snapshotting_ || !waiting_.empty() || applied_ < last + options_.snapshot_entries) {
        return {};
    }
    // A joiner cannot say which configuration was in force before the first it knows.
    if (raft_->conf_at(applied_).voters.empty()) return {};
    const raft::SnapshotMeta meta{applied_, *raft_->log().term(applied_), raft_->conf_at(applied_)};
    Result<raft_storage::SnapshotWriter> created = store_->create_snapshot(meta);
    if (!created) return unless_full(created.error());
    snapshotting_ = true;
    const auto writer = std::make_shared<raft_storage::SnapshotWriter>(*std::move(created));
    const auto body = std::make_shared<const std::string>(machine_.snapshot());
    jobs_.run(
        [writer, body]() -> Result<raft_storage::SnapshotFile> {
            WALRUS_RETURN_IF_ERROR(writer->append(as_bytes(*body)));
            return writer->finish();
        },
        [this, meta](const Result<raft_storage::SnapshotFile>& file) { written(meta, file); });
    return {};
}

void RaftHost::written(const raft::SnapshotMeta& meta,
                       const Result<raft_storage::SnapshotFile>& file) {
    snapshotting_ = false;
    Status status;
    if (!file) {
        status = file.error();
    } else {
        raft_->snapshot_saved(meta);
        status = store_->save(*file, raft_->log().base_index());
    }
    if (const Status fine = unless_full(status); !fine) failed_ = fine.error();
    options_.wake();
}

}  // namespace walrus::member
