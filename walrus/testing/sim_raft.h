// SimRaft: a Raft member with its store and a state machine, as a machine of a SimHost.
//
// It is the driver of raft.h in virtual time: a submitted batch is durable when the host's disk is
// done.  The state machine is a chain of hashes over the entries it applied, so that two nodes that
// applied the same have the same.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "walrus/raft/raft.h"
#include "walrus/raft_storage/storage.h"
#include "walrus/testing/sim_host.h"

namespace walrus::testing {

// What committed commands mean on one node, besides the chain of hashes.  It lives as long as the
// process.
class SimStateMachine {
public:
    virtual ~SimStateMachine() = default;
    virtual void apply(const raft::Entry& entry) = 0;
    virtual std::string snapshot() const = 0;
    // In place of everything applied so far; at the start, too.
    virtual Status restore(Bytes snapshot) = 0;
    // Raft is at rest; it may be asked for more now.
    virtual void settled() = 0;
};

struct SimRaftOptions {
    raft::Options raft;  // `id` is the host's address.
    std::uint64_t cluster = 1;
    raft::Index snapshot_every = 200;  // Applied entries.
    // Sees every message before it leaves.
    std::function<void(const raft::Message&)> on_send;
    // Nothing: the chain of hashes alone.
    std::function<std::unique_ptr<SimStateMachine>(SimHost&)> make_state;
};

// What the state machine is after an entry.
struct SimApplied {
    raft::Index index = 0;
    std::uint64_t hash = 0;
};

std::uint64_t hash_entry(std::uint64_t before, const raft::Entry& entry);

class SimRaft final : public SimMachine {
public:
    // Makes the store of a new node on the host's disk.
    static Status format(SimHost& host, const SimRaftOptions& options, const raft::ConfState& conf);
    // kNotFound: the disk has no store.
    static Result<std::unique_ptr<SimMachine>> start(SimHost& host, std::uint8_t channel,
                                                     const SimRaftOptions& options);

    void tick() override;
    void receive(SimAddress from, std::string_view frame) override;

    // After calls of raft(), work() must follow in the same event.
    raft::Raft& raft() { return *raft_; }
    const raft::Raft& raft() const { return *raft_; }
    const raft_storage::Storage& store() const { return *store_; }
    SimStateMachine* state() { return state_.get(); }
    void work();
    raft::ReadId next_read_id() { return store_->boot() << 32 | ++reads_begun_; }

    // What happened since it was asked the last time: states after each entry or snapshot, and
    // reads that may be served.
    std::vector<SimApplied>& applied_log() { return applied_log_; }
    std::vector<raft::ReadState>& reads() { return reads_; }
    const SimApplied& applied() const { return applied_; }

private:
    SimRaft(SimHost& host, std::uint8_t channel, const SimRaftOptions& options)
        : host_(host), channel_(channel), options_(options) {}

    Status open();
    void take(raft::Ready ready);
    void submit_waiting();
    void wait_for_disk();
    void release_promises();
    void send(const std::vector<raft::Message>& messages);
    void apply(const std::vector<raft::Entry>& entries);
    Status restore(const Result<raft_storage::SnapshotReader>& reader, raft::Index index);
    void answer(const raft::SnapshotRead& read);
    void receive_piece(const raft::SnapshotPiece& piece);
    void maybe_snapshot();
    // True when the machine can go on: success, or a full disk.
    bool goes_on(const Status& status);

    struct Promise {
        std::uint64_t batch = 0;
        std::vector<raft::Message> messages;
    };

    SimHost& host_;
    const std::uint8_t channel_;
    const SimRaftOptions& options_;
    std::unique_ptr<raft_storage::Storage> store_;
    std::optional<raft::Raft> raft_;
    std::unique_ptr<SimStateMachine> state_;
    SimApplied applied_;
    std::deque<raft::Ready> waiting_;  // For space on the disk; else empty.
    std::deque<Promise> promises_;     // Submitted, not durable.
    std::uint64_t persisted_ = 0;
    bool disk_busy_ = false;
    std::optional<raft_storage::SnapshotReceiver> receiver_;
    std::optional<raft_storage::SnapshotFile> received_;
    std::vector<SimApplied> applied_log_;
    std::vector<raft::ReadState> reads_;
    std::uint64_t reads_begun_ = 0;
};

}  // namespace walrus::testing
