// TestNode: Raft with a disk and a state machine in memory, for the tests of this room.
//
// The disk keeps what was persisted; a crash loses the rest, except for a prefix that may have
// reached the disk without anybody being told.  The state machine is a chain of hashes: two nodes
// that applied the same entries have the same state.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "walrus/raft/raft.h"

namespace walrus::raft {

struct TestDisk {
    HardState hard_state;
    SnapshotMeta snapshot;
    std::string snapshot_data;
    std::vector<Entry> entries;
};

// What the state machine is after an entry.
struct AppliedState {
    Index index = 0;
    std::uint64_t hash = 0;

    bool operator==(const AppliedState&) const = default;
};

std::string to_text(const ConfState& conf);
std::string_view role_name(Role role);
std::uint64_t hash_entry(std::uint64_t before, const Entry& entry);

class TestNode {
public:
    // A member of a new cluster (`conf` names the voters) or one that will join (empty).
    TestNode(const Options& options, const ConfState& conf, Random& random);

    bool alive() const { return raft_.has_value(); }
    NodeId id() const { return options_.id; }
    Raft& raft() { return *raft_; }
    const Raft& raft() const { return *raft_; }
    TestDisk& disk() { return disk_; }
    const TestDisk& disk() const { return disk_; }

    // Does the work of one Ready except the persisting; false when there was none.  Messages that
    // may go at once are added to outbox().
    bool pump();
    // Completes the oldest write; false when none is under way.
    bool persist_one();
    // pump() and persist_one() until nothing is left to do.
    void settle();

    std::vector<Message>& outbox() { return outbox_; }
    const AppliedState& applied() const { return applied_; }
    // Entries applied since the start or restart, oldest first; a snapshot adds its state only.
    std::vector<AppliedState>& apply_history() { return apply_history_; }
    std::vector<std::string>& applied_commands() { return applied_commands_; }
    std::vector<ReadState>& reads() { return reads_; }
    std::vector<ReadId>& failed_reads() { return failed_reads_; }

    // One line: role, term, log, configuration.
    std::string describe() const;

    // Snapshots the state machine and compacts; false when nothing is new.
    bool take_snapshot();
    // Stops without warning.  Of the writes under way a prefix chosen by `survivors` survives;
    // nothing when it is null.
    void crash(Random* survivors);
    // Starts again from the disk.
    Status restart();

private:
    struct IncomingFile {
        SnapshotMeta meta;
        std::string bytes;
    };

    void apply(const std::vector<Entry>& entries);
    void apply_snapshot(const SnapshotMeta& meta, const std::string& data);
    void answer(const SnapshotRead& read);
    void receive(const SnapshotPiece& piece);
    // The first `steps` parts of a batch reach the disk: hard state, install, each entry.
    void write(const Ready& ready, std::size_t steps);

    Options options_;
    Random& random_;
    TestDisk disk_;
    std::optional<Raft> raft_;
    std::deque<Ready> writes_;
    std::deque<IncomingFile> received_;  // Complete snapshots that may be installed.
    IncomingFile incoming_;
    AppliedState applied_;
    std::vector<Message> outbox_;
    std::vector<AppliedState> apply_history_;
    std::vector<std::string> applied_commands_;
    std::vector<ReadState> reads_;
    std::vector<ReadId> failed_reads_;
};

}  // namespace walrus::raft
