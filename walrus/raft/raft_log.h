// RaftLog: the part of the log that is in memory, and how far it is written, committed, applied.
//
//        base            applied   commit   durable  handed    last
//   ------|----------------|---------|--------|--------|--------|
//   gone  | trailing window; every entry up to last is in memory
//
// Writes are handed out in numbered batches and complete in order.  A truncation takes the indexes
// it removes away from every batch still under way, so that the late completion of an old write
// never vouches for the entries that replaced its own.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "walrus/base/result.h"
#include "walrus/raft/message.h"

namespace walrus::raft {

// One thread.  Memory: the entries after base_index(), nothing else that grows.
class RaftLog {
public:
    RaftLog() = default;

    // Takes what storage returned.  Stored entries that a newer snapshot replaced are dropped.
    // kCorruption: the entries do not fit each other, the snapshot or the commit index.
    static Result<RaftLog> restore(const SnapshotMeta& snapshot, std::vector<Entry> entries,
                                   const HardState& hard_state, Index applied);

    Index base_index() const { return base_index_; }  // Last index not in memory any more.
    Index last_index() const { return base_index_ + entries_.size(); }
    Term last_term() const { return entries_.empty() ? base_term_ : entries_.back().term; }
    Index durable_index() const { return durable_; }
    Index commit_index() const { return commit_; }
    Index applied_index() const { return applied_; }
    const SnapshotMeta& snapshot() const { return snapshot_; }

    // Term of the entry at `index`; nothing when it is compacted or not there.
    std::optional<Term> term(Index index) const;
    bool matches(Index index, Term term_there) const { return term(index) == term_there; }
    // `index` must be in (base_index(), last_index()].
    const Entry& at(Index index) const;
    // Entries [from, to] up to `max_bytes`, at least one when the range is not empty.
    std::vector<Entry> slice(Index from, Index to, std::uint64_t max_bytes) const;
    // Largest index of at most `from` whose term is at most `limit`; base_index() if none is known.
    Index last_with_term_at_most(Index from, Term limit) const;
    // [P] 5.4.1: whether a log that ends so is at least as good as this one.
    bool up_to_date(Index other_last_index, Term other_last_term) const;

    // Adds one entry at last_index() + 1.
    void append(Entry entry);
    // First index at which `entries` differ from this log; 0 when all of them are here already.
    Index find_conflict(std::span<const Entry> entries) const;
    // Drops everything from `from` on.  `from` must be above the commit index.
    void truncate(Index from);
    // Raises the commit index; never lowers it.  `to` must be at most last_index().
    void commit_to(Index to);

    // Replaces everything by a snapshot that was received.
    void install(const SnapshotMeta& meta);
    // Notes a snapshot of this node's own state machine and forgets entries it makes superfluous.
    void compact(const SnapshotMeta& meta, std::uint64_t trailing_entries);

    // Entries not handed out for writing yet.
    bool has_unwritten() const { return handed_ < last_index(); }
    // Hands out the unwritten entries as a part of `batch`.
    std::vector<Entry> take_unwritten(std::uint64_t batch);
    // All batches up to `batch` are durable.
    void persisted(std::uint64_t batch);

    // Committed entries that are durable here, neither applied nor handed out for applying.
    bool has_unapplied() const;
    std::vector<Entry> take_unapplied(std::uint64_t max_bytes);
    void applied(Index index);
    Index handed_for_apply() const { return applying_; }

private:
    struct Write {
        std::uint64_t batch;
        Index last_index;  // Lowered when a truncation takes its entries away.
    };

    void cap_writes(Index last_index);

    Index base_index_ = 0;
    Term base_term_ = 0;
    std::deque<Entry> entries_;
    SnapshotMeta snapshot_;  // Invariant: base_index_ <= snapshot_.index.
    std::deque<Write> writes_;
    Index handed_ = 0;    // Invariant: handed_ <= last_index().
    Index durable_ = 0;   // Invariant: durable_ <= handed_.
    Index commit_ = 0;    // Never falls.
    Index applying_ = 0;  // Invariant: applied_ <= applying_ <= commit_.
    Index applied_ = 0;
};

}  // namespace walrus::raft
