#include "walrus/raft_storage/stored_state.h"

#include <string>
#include <utility>

#include "walrus/base/assert.h"

namespace walrus::raft_storage {
namespace {

Error corrupt(std::string what) {
    return {Errc::kCorruption, "raft store: " + std::move(what)};
}

}  // namespace

Status StoredState::apply(Record record) {
    if (const auto* begin = std::get_if<CheckpointBegin>(&record)) {
        if (begin->identity.cluster == 0 || begin->identity.node == raft::kNobody ||
            begin->identity.disk == 0) {
            return corrupt("a checkpoint belongs to nobody");
        }
        if (complete_ && begin->identity != now_.identity) return corrupt("its identity changes");
        // The one before, if any, was broken off by a crash.
        next_ = Contents{};
        next_->identity = begin->identity;
        next_->boot = begin->boot;
        next_->in_checkpoint = true;
        return {};
    }
    if (const auto* end = std::get_if<CheckpointEnd>(&record)) return finish(*end);
    if (!next_ && !complete_) return corrupt("it does not begin with a checkpoint");
    Contents& to = next_ ? *next_ : now_;
    return std::visit([&](auto&& body) { return to.apply(std::forward<decltype(body)>(body)); },
                      std::move(record));
}

Status StoredState::finish(CheckpointEnd end) {
    if (!next_) return corrupt("the end of a checkpoint that never began");
    if (next_->entries.size() != end.entries || next_->last_index() < next_->snapshot.meta.index) {
        return corrupt("a checkpoint lacks entries");
    }
    if (complete_ &&
        (next_->hard_state.term < now_.hard_state.term ||
         next_->hard_state.commit < now_.hard_state.commit || next_->boot < now_.boot)) {
        return corrupt("a checkpoint goes back in time");
    }
    next_->in_checkpoint = false;
    now_ = *std::exchange(next_, std::nullopt);
    complete_ = true;
    return {};
}

void StoredState::Contents::drop_back() {
    entry_bytes -= raft::cost_bytes(entries.back());
    entries.pop_back();
}

void StoredState::Contents::drop_front() {
    entry_bytes -= raft::cost_bytes(entries.front());
    entries.pop_front();
}

Status StoredState::Contents::apply(raft::HardState state) {
    if (state.term < hard_state.term) return corrupt("the term falls");
    if (state.commit < hard_state.commit) return corrupt("the commit index falls");
    if (state.term == hard_state.term && hard_state.vote != raft::kNobody &&
        state.vote != hard_state.vote) {
        return corrupt("two votes in term " + std::to_string(state.term));
    }
    hard_state = state;
    return {};
}

Status StoredState::Contents::apply(SnapshotSaved saved) {
    const raft::Index index = saved.file.meta.index;
    if (index <= snapshot.meta.index || index > last_index()) {
        return corrupt("a snapshot at " + std::to_string(index) + " does not fit the log");
    }
    // After the first comparison there are entries, and they reach back to the old snapshot.
    if (entries[index - entries.front().index].term != saved.file.meta.term) {
        return corrupt("a snapshot at " + std::to_string(index) + " is of another term");
    }
    snapshot = std::move(saved.file);
    // The entry at first_kept is needed for its term; what follows the snapshot always stays.
    while (!entries.empty() && entries.front().index < saved.first_kept &&
           entries.front().index < index) {
        drop_front();
    }
    return {};
}

Status StoredState::Contents::apply(SnapshotInstalled installed) {
    if (installed.file.meta.index < snapshot.meta.index) {
        return corrupt("an older snapshot is installed");
    }
    snapshot = std::move(installed.file);
    entries.clear();
    entry_bytes = 0;
    return {};
}

Status StoredState::Contents::apply(Truncate truncate) {
    if (truncate.from <= snapshot.meta.index || truncate.from <= hard_state.commit) {
        return corrupt("committed entries are given up from " + std::to_string(truncate.from));
    }
    if (truncate.from > last_index()) return corrupt("entries are given up that are not there");
    while (!entries.empty() && entries.back().index >= truncate.from) drop_back();
    return {};
}

Status StoredState::Contents::apply(raft::Entry entry) {
    if (entry.term > hard_state.term) return corrupt("an entry is of a later term");
    // Trailing entries of a checkpoint begin before its snapshot.
    const bool first_of_checkpoint =
        in_checkpoint && entries.empty() && entry.index > 0 && entry.index <= snapshot.meta.index;
    if (!first_of_checkpoint && entry.index != last_index() + 1) {
        return corrupt("entry " + std::to_string(entry.index) + " follows " +
                       std::to_string(last_index()));
    }
    entry_bytes += raft::cost_bytes(entry);
    entries.push_back(std::move(entry));
    return {};
}

Status StoredState::Contents::apply(CheckpointBegin) {
    WALRUS_ASSERT(false);
    return {};
}

Status StoredState::Contents::apply(CheckpointEnd) {
    WALRUS_ASSERT(false);
    return {};
}

raft::Restored StoredState::restored() const {
    raft::Restored restored;
    restored.hard_state = now_.hard_state;
    restored.snapshot = now_.snapshot.meta;
    restored.entries.assign(now_.entries.begin(), now_.entries.end());
    restored.applied = now_.snapshot.meta.index;
    return restored;
}

Status StoredState::checkpoint(const Identity& identity, std::uint64_t boot,
                               const std::function<Status(Record)>& emit) const {
    WALRUS_RETURN_IF_ERROR(emit(CheckpointBegin{kFormatVersion, identity, boot}));
    WALRUS_RETURN_IF_ERROR(emit(SnapshotInstalled{now_.snapshot}));
    WALRUS_RETURN_IF_ERROR(emit(now_.hard_state));
    for (const raft::Entry& entry : now_.entries) WALRUS_RETURN_IF_ERROR(emit(entry));
    return emit(CheckpointEnd{now_.entries.size()});
}

}  // namespace walrus::raft_storage
