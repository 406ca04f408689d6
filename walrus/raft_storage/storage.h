// Storage: what a Raft node must not forget, on the engine's log.
//
//   submit(Ready) -> records -> one frame of the engine's log (class disk) -> durable_batch()
//   snapshots     -> a file of their own, durable before the log names it
//
// Format and recovery: walrus/spec/raft_storage.md.  How Raft uses it: walrus/raft/raft.h.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "walrus/base/result.h"
#include "walrus/raft/ready.h"
#include "walrus/raft_storage/ack_queue.h"
#include "walrus/raft_storage/record.h"
#include "walrus/raft_storage/snapshot_file.h"
#include "walrus/raft_storage/stored_state.h"
#include "walrus/wal/wal.h"

namespace walrus::raft_storage {

struct Options {
    std::string directory;      // Of this store alone.
    std::uint64_t cluster = 0;  // Drawn when the cluster was made; never 0.
    raft::NodeId node = raft::kNobody;
    // Of one file of the engine's log; four to six of them exist, and a ring of the same size.
    std::uint64_t file_size_bytes = 16 << 20;
    wal::Backend backend = wal::Backend::kAuto;
    wal::Threading threading = wal::Threading::kBackground;
    // Called when durable_batch() moved or the store failed: by the engine's thread, or inside
    // submit() and flush().  Must not block or call the store, but for durable_batch().
    std::function<void()> on_progress;

    // The seams; null means the real one.  They must outlive the store.
    env::Env* env = nullptr;
    Clock* clock = nullptr;
    Random* random = nullptr;
};

// A piece of a snapshot file for another node.
struct SnapshotBytes {
    raft::Payload data;
    bool done = false;  // Nothing follows.
};

// One thread, but for durable_batch().
//
// Failure: after the first failed write everything fails with kPoisoned, nothing more becomes
// durable, and the node must stop; the next open() decides what survived.  kNoSpace is no such
// failure: nothing was promised, and the same call may be made again when space has returned.
class Storage {
public:
    // Makes the store of a new node: with the first members of a new cluster, or empty for a node
    // that will join one.  Draws the disk id.  A crash leaves a store or nothing.
    // kAlreadyExists: there is a store, or what is left of one; nothing was changed.
    static Status format(const Options& options, const raft::ConfState& first_conf);

    // Recovers, counts the opening and returns when that is durable.  Removes what crashes left.
    // kNotFound: there is no store; a node that lost its disk must come back as another node.
    // kInvalidArgument: it belongs to another cluster or node.  kBusy: it is open elsewhere.
    // kCorruption: what was promised is damaged; the node must be replaced, not repaired.
    static Result<std::unique_ptr<Storage>> open(Options options);

    // Stops; what was submitted and is not durable may be lost, as in a crash.
    ~Storage();
    // Makes everything durable and stops.  Later calls fail.
    Status close();

    const Identity& identity() const { return state_.identity(); }
    // How often the store was opened, this time included.  Read ids made from it never repeat.
    std::uint64_t boot() const { return state_.boot(); }
    // For Raft::open().  The state machine starts from open_snapshot(), or empty at index 0.
    raft::Restored restored() const { return state_.restored(); }
    // For raft::Options::max_payload_bytes.
    std::uint64_t max_payload_bytes() const { return options_.file_size_bytes / 8; }

    // Takes what a Ready wants persisted; batches come in order, each once.  Returns before it is
    // durable.  What fits one frame (file_size_bytes / 4) is written whole or not at all.  A batch
    // that keeps no promise (not must_sync) counts as durable with the one before it, and reaches
    // the disk with the next.
    // kNoSpace: submit the same Ready again, before any other.  kTooLarge: an entry is above
    // max_payload_bytes(); nothing was written.
    Status submit(const raft::Ready& ready);
    // All batches up to it are durable; for Raft::persisted().  Any thread.
    std::uint64_t durable_batch() const { return acks_.durable_batch(); }
    // Waits until every submitted batch is durable.  With Threading::kInline nothing becomes
    // durable otherwise.
    Status flush();
    // kPoisoned after a failure.
    Status status() const;

    // The state machine's snapshot at `meta`: write it with the writer, in any thread.
    Result<SnapshotWriter> create_snapshot(const raft::SnapshotMeta& meta);
    // Takes a finished one over, after Raft::snapshot_saved(); `first_kept` is the base_index() of
    // Raft's log then.  One that is not newer than what is stored is removed.
    Status save(const SnapshotFile& file, raft::Index first_kept);
    // Another node's snapshot: write its bytes with the receiver, in any thread.
    Result<SnapshotReceiver> receive_snapshot(const raft::SnapshotMeta& meta);
    // Takes a finished one over, before Raft::snapshot_received(): an install may name it.
    void adopt(const SnapshotFile& file);

    // The newest snapshot.  kNotFound: there is none yet.
    Result<SnapshotReader> open_snapshot() const { return open_snapshot(state_.snapshot()); }
    // One that was finished: the state machine reads it before Raft's install is submitted.
    Result<SnapshotReader> open_snapshot(const SnapshotFile& file) const;
    // For Raft::provide_chunk().  kNotFound: it is not the newest any more.
    Result<SnapshotBytes> read_snapshot(const raft::SnapshotRead& read);

private:
    // What must wait until a frame is durable.
    struct Chore {
        std::uint64_t frame = 0;
        std::uint64_t remove_serial = 0;  // Of a snapshot file; 0: none.
        std::optional<Offset> new_head;   // The log begins here.
    };

    explicit Storage(Options options);

    // --- opening ---
    Status open_log();
    Status replay();
    Status check_identity() const;
    Status check_snapshot() const;
    Status remove_leftovers();
    Status begin_boot();

    // --- writing ---
    Status note(Status status);
    Status write(const raft::Ready& ready);
    Status install(const raft::SnapshotMeta& meta);
    // Adds a record to the frame that is being built, and to the state.
    Status emit(Record record);
    // Sends the frame; with it everything up to `batch` is complete.
    Status send_frame(std::uint64_t batch);
    Status write_checkpoint(const Identity& identity, std::uint64_t boot);
    bool checkpoint_due() const;
    void retire_superseded();
    Status do_chores();
    Status move_head(Offset to);
    void remove_snapshot(std::uint64_t serial);
    SnapshotPlace new_place();

    const Options options_;
    StoredState state_;
    AckQueue acks_;
    std::optional<Error> failed_;
    std::optional<raft::HardState> deferred_;  // Of batches that keep no promise.
    std::uint64_t accepted_batch_ = 0;
    std::uint64_t snapshots_made_ = 0;
    std::vector<SnapshotFile> adopted_;  // Received, not installed; oldest first.
    std::optional<SnapshotReader> reader_;
    std::uint64_t reader_serial_ = 0;

    std::vector<std::string> frame_;  // Encoded records.
    std::uint64_t frame_bytes_ = 0;
    std::uint64_t last_frame_ = 0;
    Offset frame_offset_;                    // Of the last frame's first record.
    Lsn end_;                                // Of the last frame.
    Lsn checkpoint_end_;                     // Of the last checkpoint.
    bool checkpoint_needed_ = false;         // state_ is ahead of the log.
    std::vector<std::uint64_t> superseded_;  // Snapshot files that the log may still name.
    std::deque<Chore> chores_;
    std::unique_ptr<wal::Wal> wal_;  // Last: its threads call acks_.
};

}  // namespace walrus::raft_storage
