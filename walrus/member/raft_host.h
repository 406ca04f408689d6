// RaftHost: the metadata log of a node, Raft with its store, driven on the loop.
//
// Persists, then sends promises, then applies.  The order is that of raft.h.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/member/channels.h"
#include "walrus/member/jobs.h"
#include "walrus/net/transport.h"
#include "walrus/raft/raft.h"
#include "walrus/raft_storage/storage.h"

namespace walrus::member {

// What committed commands mean.
class StateMachine {
public:
    virtual ~StateMachine() = default;
    virtual void apply(const raft::Entry& command) = 0;
    virtual std::string snapshot() const = 0;
    // In place of everything applied so far.
    virtual Status restore(Bytes snapshot) = 0;
};

struct RaftHostOptions {
    raft_storage::Options store;
    raft::Options raft;
    raft::Index snapshot_entries = 10'000;  // Applied ones between two snapshots.
    std::uint64_t read_timeout_ticks = 100;
    std::function<void()> wake;  // A job has left something for work().
};

// All on the loop.  After calls that may cause effects, work() must follow.
class RaftHost {
public:
    // Recovers the store and restores `machine` from the newest snapshot.  All references outlive
    // the host.
    static Result<std::unique_ptr<RaftHost>> open(RaftHostOptions options, StateMachine& machine,
                                                  net::Transport& transport, Jobs& jobs,
                                                  Random& random);

    void tick();
    // kCorruption: no message of `from`; it was dropped.
    Status receive(net::PeerId from, std::string_view frame);
    // Does all that can be done now.  An error: the node cannot go on.
    Status work();

    Result<raft::Proposed> propose(raft::Payload command) {
        return raft_->propose(std::move(command));
    }
    // `done` is called inside work(), tick() or never: when the machine has applied everything that
    // was committed before this call, or with kTimeout.
    void read_barrier(std::function<void(Status)> done);

    bool leads() const { return raft_->role() == raft::Role::kLeader; }
    raft::Raft& raft() { return *raft_; }
    const raft::Raft& raft() const { return *raft_; }
    const raft_storage::Storage& store() const { return *store_; }
    raft::Index applied_index() const { return applied_; }

    // Something waits for the disk, with Threading::kInline for flush().
    bool unsynced() const { return persisted_ < submitted_; }
    // A full disk is no error.
    Status flush();
    // Tells the best voter to take over, when this node leads.  It may not hear it.
    void hand_over();
    Status close() { return store_->close(); }

private:
    RaftHost(RaftHostOptions options, StateMachine& machine, net::Transport& transport, Jobs& jobs)
        : options_(std::move(options)), machine_(machine), transport_(transport), jobs_(jobs) {}

    Status open_all(Random& random);
    Status take(raft::Ready ready);
    Status submit_waiting();
    void release_promises();
    void send(const std::vector<raft::Message>& messages);
    void apply(const std::vector<raft::Entry>& entries);

    // raft_snapshots.cc
    Status restore(const Result<raft_storage::SnapshotReader>& reader, raft::Index index);
    Status answer(const raft::SnapshotRead& read);
    Status receive_piece(const raft::SnapshotPiece& piece);
    void finish_receiving(const raft::SnapshotMeta& meta);
    Status maybe_snapshot();
    void written(const raft::SnapshotMeta& meta, const Result<raft_storage::SnapshotFile>& file);
    // Success too when the disk is full: then the thing is tried again.
    static Status unless_full(const Status& status);

    // raft_reads.cc
    void ask_reads();
    void settle_reads();
    void tick_reads();

    struct Promise {
        std::uint64_t batch = 0;
        std::vector<raft::Message> messages;
    };
    // Barriers that are asked for together.
    struct Reads {
        std::vector<std::function<void(Status)>> done;
        std::uint64_t began_tick = 0;
        std::uint64_t asked_tick = 0;
        std::optional<raft::Index> index = {};  // Confirmed: wait until this is applied.
    };

    const RaftHostOptions options_;
    StateMachine& machine_;
    net::Transport& transport_;
    Jobs& jobs_;
    std::unique_ptr<raft_storage::Storage> store_;
    std::optional<raft::Raft> raft_;
    raft::Index applied_ = 0;
    std::deque<raft::Ready> waiting_;  // For space on the disk; else empty.
    std::deque<Promise> promises_;     // Submitted, not durable.
    std::uint64_t submitted_ = 0;
    std::uint64_t persisted_ = 0;
    std::uint64_t ticks_ = 0;

    std::optional<raft_storage::SnapshotReceiver> receiver_;
    std::optional<raft_storage::SnapshotFile> received_;
    bool snapshotting_ = false;
    std::optional<Error> failed_;  // Found by a job.

    std::map<raft::ReadId, Reads> reads_;  // Asked.
    std::vector<Reads> unasked_;           // New, or to be asked again.
    std::uint64_t reads_begun_ = 0;
};

}  // namespace walrus::member
