#include "walrus/raft/progress.h"

#include <algorithm>

#include "walrus/base/assert.h"
#include "walrus/raft/mutants.h"

namespace walrus::raft {

InflightWindow::InflightWindow(std::size_t max_messages, std::uint64_t max_bytes)
    : ring_(max_messages), max_bytes_(max_bytes) {}

void InflightWindow::add(Index last_index, std::uint64_t bytes) {
    WALRUS_ASSERT(!full());
    ring_[(start_ + count_) % ring_.size()] = {last_index, bytes};
    ++count_;
    bytes_ += bytes;
}

void InflightWindow::free_oldest() {
    if (count_ == 0) return;
    bytes_ -= ring_[start_].bytes;
    start_ = (start_ + 1) % ring_.size();
    --count_;
}

void InflightWindow::free_through(Index index) {
    while (count_ > 0 && ring_[start_].last_index <= index) free_oldest();
}

void InflightWindow::clear() {
    start_ = count_ = 0;
    bytes_ = 0;
}

Progress::Progress(const Options& options, Index last_index)
    : next_(last_index + 1), inflight_(options.max_inflight_messages, options.max_inflight_bytes) {}

bool Progress::may_send() const {
    switch (state_) {
        case ProgressState::kProbe: return !probe_sent_;
        case ProgressState::kReplicate: return !inflight_.full();
        case ProgressState::kSnapshot: return false;
    }
    return false;
}

void Progress::sent(std::size_t count, std::uint64_t bytes) {
    poke = false;
    if (state_ == ProgressState::kProbe) {
        probe_sent_ = true;
        return;
    }
    if (count == 0) return;
    next_ += count;
    inflight_.add(next_ - 1, bytes);
}

void Progress::accepted(Index match) {
    // Replies may come late and out of order; what was once durable stays so (trap 4).
    match_ = std::max(match_, match);
    if (mutant_on(Mutant::kMatchIndexRegress)) match_ = match;
    next_ = std::max(next_, match_ + 1);
    inflight_.free_through(match);
    if (state_ == ProgressState::kProbe) {
        state_ = ProgressState::kReplicate;
        next_ = match_ + 1;
        inflight_.clear();
    } else if (state_ == ProgressState::kSnapshot && match_ >= transfer_.meta.index) {
        become_probe();
    }
}

bool Progress::rejected(Index rejected_prev, Index hint) {
    if (state_ == ProgressState::kSnapshot) return false;
    if (rejected_prev <= match_) return false;
    if (state_ == ProgressState::kProbe && rejected_prev != next_ - 1) return false;
    const Index lower = std::min(rejected_prev, hint + 1);
    become_probe();
    next_ = std::max(lower, match_ + 1);
    return true;
}

void Progress::heard() {
    recent_active = true;
    probe_sent_ = false;
    if (inflight_.full()) inflight_.free_oldest();
}

void Progress::begin_snapshot(const SnapshotMeta& meta) {
    state_ = ProgressState::kSnapshot;
    transfer_ = {};
    transfer_.meta = meta;
    inflight_.clear();
}

void Progress::become_probe() {
    state_ = ProgressState::kProbe;
    probe_sent_ = false;
    next_ = match_ + 1;
    inflight_.clear();
    transfer_ = {};
}

void Progress::note_round(Index last_index, std::uint64_t now_tick, std::uint32_t election_ticks) {
    if (match_ == 0 || match_ < catch_up_.round_end) return;
    if (match_ >= last_index) {
        catch_up_ = {};
        catch_up_.caught_up = true;
        return;
    }
    if (catch_up_.round_end > 0) {
        catch_up_.caught_up = now_tick - catch_up_.round_start_tick < election_ticks;
    }
    catch_up_.round_end = last_index;
    catch_up_.round_start_tick = now_tick;
}

}  // namespace walrus::raft
