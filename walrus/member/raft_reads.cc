// Barriers: reads of the metadata that see everything that was committed before.
#include <algorithm>
#include <iterator>
#include <utility>

#include "walrus/member/raft_host.h"

namespace walrus::member {

void RaftHost::read_barrier(std::function<void(Status)> done) {
    // New ones of the same turn share a question.
    const bool joins = !unasked_.empty() && unasked_.back().began_tick == ticks_;
    if (!joins) unasked_.push_back({.done = {}, .began_tick = ticks_});
    unasked_.back().done.push_back(std::move(done));
}

void RaftHost::ask_reads() {
    std::vector<Reads> again;
    for (Reads& reads : std::exchange(unasked_, {})) {
        // Ids must not repeat, also across restarts.
        const raft::ReadId id = store_->boot() << 32 | ++reads_begun_;
        reads.asked_tick = ticks_;
        if (raft_->read_index(id)) {
            reads_.emplace(id, std::move(reads));
        } else {
            again.push_back(std::move(reads));
        }
    }
    unasked_ = std::move(again);
}

void RaftHost::settle_reads() {
    std::vector<std::function<void(Status)>> done;
    for (auto at = reads_.begin(); at != reads_.end();) {
        Reads& reads = at->second;
        const bool settled = reads.index && *reads.index <= applied_;
        if (settled) std::ranges::move(reads.done, std::back_inserter(done));
        at = settled ? reads_.erase(at) : std::next(at);
    }
    for (const auto& each : done) each({});
}

// A question that was passed on may be lost, and who has no leader must wait for one.
void RaftHost::tick_reads() {
    std::vector<std::function<void(Status)>> late;
    const auto take_if_late = [&](Reads& reads) {
        if (ticks_ - reads.began_tick < options_.read_timeout_ticks) return false;
        std::ranges::move(reads.done, std::back_inserter(late));
        return true;
    };
    std::erase_if(unasked_, take_if_late);
    for (auto at = reads_.begin(); at != reads_.end();) {
        Reads& reads = at->second;
        const bool over = take_if_late(reads);
        const bool lost =
            !over && !reads.index && ticks_ - reads.asked_tick >= options_.raft.election_ticks;
        if (lost) unasked_.push_back(std::move(reads));
        at = over || lost ? reads_.erase(at) : std::next(at);
    }
    for (const auto& each : late) {
        each(Error{Errc::kTimeout, "metadata: no leader confirmed the read in time; ask again"});
    }
}

}  // namespace walrus::member
