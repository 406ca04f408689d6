#include "walrus/raft/raft_log.h"

#include <algorithm>
#include <string>
#include <utility>

#include "walrus/raft/mutants.h"

namespace walrus::raft {
namespace {

Error corrupt(std::string what) {
    return {Errc::kCorruption, "raft log: " + std::move(what)};
}

Status check_contiguous(const std::vector<Entry>& entries, const HardState& hard_state) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (entries[i].index == 0 || entries[i].term == 0) return corrupt("an entry has no place");
        if (entries[i].term > hard_state.term) return corrupt("an entry is of a later term");
        if (i == 0) continue;
        if (entries[i].index != entries[i - 1].index + 1) {
            return corrupt("gap before index " + std::to_string(entries[i].index));
        }
        if (entries[i].term < entries[i - 1].term) {
            return corrupt("terms fall at index " + std::to_string(entries[i].index));
        }
    }
    return {};
}

}  // namespace

Result<RaftLog> RaftLog::restore(const SnapshotMeta& snapshot, std::vector<Entry> entries,
                                 const HardState& hard_state, Index applied) {
    WALRUS_RETURN_IF_ERROR(check_contiguous(entries, hard_state));
    if (!entries.empty() && entries.front().index > snapshot.index + 1) {
        return corrupt("gap between the snapshot and the first entry");
    }
    RaftLog log;
    log.snapshot_ = snapshot;
    log.base_index_ = snapshot.index;
    log.base_term_ = snapshot.term;
    // An installed snapshot supersedes a stored log that ends before it or disagrees with it.
    const bool begins_inside = !entries.empty() && entries.front().index <= snapshot.index;
    bool keep = !entries.empty();
    if (begins_inside) {
        const Index skip = snapshot.index - entries.front().index;
        keep = skip < entries.size() && entries[skip].term == snapshot.term;
    }
    if (keep && begins_inside) {
        // The oldest trailing entry becomes the base: only its term is of use.
        log.base_index_ = entries.front().index;
        log.base_term_ = entries.front().term;
        entries.erase(entries.begin());
    }
    if (keep) log.entries_.assign(entries.begin(), entries.end());
    log.handed_ = log.durable_ = log.last_index();
    log.commit_ = std::max(hard_state.commit, snapshot.index);
    if (log.commit_ > log.last_index()) {
        // Committed entries are missing: cutting the log here would forget what was promised.
        if (!mutant_on(Mutant::kAcceptLostCommit)) {
            return corrupt("ends at " + std::to_string(log.last_index()) +
                           ", before its commit index " + std::to_string(log.commit_));
        }
        log.commit_ = log.last_index();
    }
    if (applied < snapshot.index || applied > log.commit_) {
        return corrupt("applied index " + std::to_string(applied) + " is outside the log");
    }
    log.applied_ = log.applying_ = applied;
    return log;
}

std::optional<Term> RaftLog::term(Index index) const {
    if (index == base_index_) return base_term_;
    if (index < base_index_ || index > last_index()) return std::nullopt;
    return at(index).term;
}

const Entry& RaftLog::at(Index index) const {
    WALRUS_ASSERT(index > base_index_ && index <= last_index());
    return entries_[index - base_index_ - 1];
}

std::vector<Entry> RaftLog::slice(Index from, Index to, std::uint64_t max_bytes) const {
    std::vector<Entry> result;
    if (from > to) return result;
    std::uint64_t bytes = cost_bytes(at(from));
    Index end = from;
    while (end < to && bytes + cost_bytes(at(end + 1)) <= max_bytes) bytes += cost_bytes(at(++end));
    result.reserve(end - from + 1);
    for (Index i = from; i <= end; ++i) result.push_back(at(i));
    return result;
}

Index RaftLog::last_with_term_at_most(Index from, Term limit) const {
    Index index = std::min(from, last_index());
    while (index > base_index_ && at(index).term > limit) --index;
    return index;
}

bool RaftLog::up_to_date(Index other_last_index, Term other_last_term) const {
    if (mutant_on(Mutant::kVoteForStaleLog)) return true;
    if (other_last_term != last_term()) return other_last_term > last_term();
    return other_last_index >= last_index();
}

void RaftLog::append(Entry entry) {
    WALRUS_ASSERT(entry.index == last_index() + 1);
    entries_.push_back(std::move(entry));
}

Index RaftLog::find_conflict(std::span<const Entry> entries) const {
    for (const Entry& entry : entries) {
        // What is compacted was committed, so it cannot differ.
        if (entry.index < base_index_) continue;
        if (!matches(entry.index, entry.term)) return entry.index;
    }
    return 0;
}

void RaftLog::truncate(Index from) {
    WALRUS_ASSERT(from > commit_ && from > base_index_);
    if (from > last_index()) return;
    entries_.resize(from - base_index_ - 1);
    handed_ = std::min(handed_, from - 1);
    durable_ = std::min(durable_, from - 1);
    cap_writes(from - 1);
}

void RaftLog::cap_writes(Index last_index) {
    if (mutant_on(Mutant::kLateBatchMarksRewritten)) return;
    for (Write& write : writes_) write.last_index = std::min(write.last_index, last_index);
}

void RaftLog::commit_to(Index to) {
    WALRUS_ASSERT(to <= last_index());
    commit_ = std::max(commit_, to);
}

void RaftLog::install(const SnapshotMeta& meta) {
    // Up to the old commit index the disk holds what the snapshot stands for; beyond it the old
    // log may differ, so only the batch that carries the snapshot counts.
    durable_ = std::min(durable_, commit_);
    cap_writes(durable_);
    entries_.clear();
    snapshot_ = meta;
    base_index_ = handed_ = meta.index;
    base_term_ = meta.term;
    commit_ = applied_ = applying_ = meta.index;
}

void RaftLog::compact(const SnapshotMeta& meta, std::uint64_t trailing_entries) {
    if (meta.index <= snapshot_.index || meta.index > applied_) return;
    WALRUS_ASSERT(matches(meta.index, meta.term));
    snapshot_ = meta;
    const Index keep_from = meta.index > trailing_entries ? meta.index - trailing_entries : 0;
    const Index through = std::min(keep_from, durable_);
    if (through <= base_index_) return;
    base_term_ = at(through).term;
    entries_.erase(entries_.begin(),
                   entries_.begin() + static_cast<std::ptrdiff_t>(through - base_index_));
    base_index_ = through;
}

std::vector<Entry> RaftLog::take_unwritten(std::uint64_t batch) {
    std::vector<Entry> result = slice(handed_ + 1, last_index(), ~std::uint64_t{0});
    handed_ = last_index();
    writes_.push_back({batch, handed_});
    return result;
}

void RaftLog::persisted(std::uint64_t batch) {
    while (!writes_.empty() && writes_.front().batch <= batch) {
        durable_ = std::max(durable_, std::min(writes_.front().last_index, last_index()));
        writes_.pop_front();
    }
}

bool RaftLog::has_unapplied() const {
    return applying_ < std::min(commit_, durable_);
}

std::vector<Entry> RaftLog::take_unapplied(std::uint64_t max_bytes) {
    std::vector<Entry> result = slice(applying_ + 1, std::min(commit_, durable_), max_bytes);
    applying_ += result.size();
    return result;
}

void RaftLog::applied(Index index) {
    WALRUS_ASSERT(index <= applying_);
    applied_ = std::max(applied_, index);
}

}  // namespace walrus::raft
