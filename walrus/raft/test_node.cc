#include "walrus/raft/test_node.h"

#include <algorithm>
#include <utility>

#include "walrus/raft/codec.h"

namespace walrus::raft {
namespace {

std::uint64_t mix(std::uint64_t hash, std::string_view text) {
    for (const char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3ULL;
    }
    return hash;
}

// Long enough for several chunks at the tests' chunk size.
std::string snapshot_bytes(const AppliedState& state) {
    std::string text = std::to_string(state.hash);
    text.resize(40, ' ');
    return text;
}

void add_all(std::vector<Message>& to, std::vector<Message>& from) {
    std::move(from.begin(), from.end(), std::back_inserter(to));
    from.clear();
}

}  // namespace

std::uint64_t hash_entry(std::uint64_t before, const Entry& entry) {
    return mix(before, encode(entry));
}

std::string_view role_name(Role role) {
    switch (role) {
        case Role::kFollower: return "follower";
        case Role::kPreCandidate: return "pre-candidate";
        case Role::kCandidate: return "candidate";
        case Role::kLeader: return "leader";
    }
    return "?";
}

std::string to_text(const ConfState& conf) {
    std::string text;
    const auto add = [&](const char* name, const std::vector<NodeId>& ids) {
        if (ids.empty()) return;
        text += (text.empty() ? "" : " ") + std::string(name) + "=";
        for (std::size_t i = 0; i < ids.size(); ++i) {
            text += (i == 0 ? "" : ",") + std::to_string(ids[i]);
        }
    };
    add("voters", conf.voters);
    add("outgoing", conf.outgoing);
    add("learners", conf.learners);
    add("next-learners", conf.next_learners);
    if (conf.auto_leave) text += " auto-leave";
    return text.empty() ? "nobody" : text;
}

std::string TestNode::describe() const {
    std::string text = "node " + std::to_string(options_.id) + ": ";
    if (!alive()) return text + "down";
    const RaftLog& log = raft_->log();
    text += std::string(role_name(raft_->role())) + " term=" + std::to_string(raft_->term());
    text += " vote=" + std::to_string(raft_->vote()) + " leader=" + std::to_string(raft_->leader());
    text += " log=" + std::to_string(log.base_index() + 1) + ".." +
            std::to_string(log.last_index()) + " last-term=" + std::to_string(log.last_term());
    text += " commit=" + std::to_string(log.commit_index()) +
            " applied=" + std::to_string(applied_.index);
    return text + " " + to_text(raft_->conf());
}

TestNode::TestNode(const Options& options, const ConfState& conf, Random& random)
    : options_(options), random_(random) {
    disk_.snapshot.conf = conf;
    restart().value();
}

Status TestNode::restart() {
    applied_ = {};
    if (disk_.snapshot.index > 0) {
        applied_ = {disk_.snapshot.index, std::stoull(disk_.snapshot_data)};
    }
    apply_history_.clear();
    applied_commands_.clear();
    Restored restored{disk_.hard_state, disk_.snapshot, disk_.entries, disk_.snapshot.index};
    auto raft = Raft::open(options_, std::move(restored), random_);
    if (!raft) return raft.error();
    raft_.emplace(*std::move(raft));
    return {};
}

bool TestNode::pump() {
    if (!raft_->has_ready()) return false;
    Ready ready = raft_->ready();
    add_all(outbox_, ready.messages);
    std::copy(ready.reads.begin(), ready.reads.end(), std::back_inserter(reads_));
    std::copy(ready.failed_reads.begin(), ready.failed_reads.end(),
              std::back_inserter(failed_reads_));
    if (ready.install) {
        const auto file = std::find_if(received_.begin(), received_.end(),
                                       [&](const auto& f) { return f.meta == *ready.install; });
        WALRUS_ASSERT(file != received_.end());
        apply_snapshot(file->meta, file->bytes);
    }
    apply(ready.committed);
    for (const SnapshotRead& read : ready.snapshot_reads) answer(read);
    for (const SnapshotPiece& piece : ready.snapshot_pieces) receive(piece);
    if (ready.batch != 0) writes_.push_back(std::move(ready));
    return true;
}

bool TestNode::persist_one() {
    if (writes_.empty()) return false;
    Ready ready = std::move(writes_.front());
    writes_.pop_front();
    write(ready, ready.entries.size() + 2);
    raft_->persisted(ready.batch);
    add_all(outbox_, ready.messages_after_persist);
    return true;
}

void TestNode::settle() {
    while (pump() || persist_one()) {
    }
}

void TestNode::write(const Ready& ready, std::size_t steps) {
    if (steps >= 1 && ready.hard_state) disk_.hard_state = *ready.hard_state;
    if (steps >= 2 && ready.install) {
        const auto file = std::find_if(received_.begin(), received_.end(),
                                       [&](const auto& f) { return f.meta == *ready.install; });
        disk_.snapshot = file->meta;
        disk_.snapshot_data = file->bytes;
        received_.erase(received_.begin(), file + 1);
        // A crash may come between the snapshot and the removal of the old log.
        if (steps > 2 || ready.entries.empty()) disk_.entries.clear();
    }
    for (std::size_t i = 0; i + 2 < steps; ++i) {
        const Entry& entry = ready.entries[i];
        while (!disk_.entries.empty() && disk_.entries.back().index >= entry.index) {
            disk_.entries.pop_back();
        }
        disk_.entries.push_back(entry);
    }
}

void TestNode::crash(Random* survivors) {
    raft_.reset();
    std::size_t whole = survivors == nullptr ? 0 : survivors->below(writes_.size() + 1);
    for (; whole > 0; --whole) {
        write(writes_.front(), writes_.front().entries.size() + 2);
        writes_.pop_front();
    }
    if (survivors != nullptr && !writes_.empty()) {
        write(writes_.front(), survivors->below(writes_.front().entries.size() + 3));
    }
    writes_.clear();
    received_.clear();
    incoming_ = {};
    outbox_.clear();
    reads_.clear();
    failed_reads_.clear();
}

void TestNode::apply(const std::vector<Entry>& entries) {
    for (const Entry& entry : entries) {
        WALRUS_ASSERT(entry.index == applied_.index + 1);
        applied_ = {entry.index, hash_entry(applied_.hash, entry)};
        apply_history_.push_back(applied_);
        if (entry.kind == EntryKind::kCommand) applied_commands_.emplace_back(entry.data.text());
    }
    if (!entries.empty()) raft_->applied(applied_.index);
}

void TestNode::apply_snapshot(const SnapshotMeta& meta, const std::string& data) {
    applied_ = {meta.index, std::stoull(data)};
    apply_history_.push_back(applied_);
}

void TestNode::answer(const SnapshotRead& read) {
    if (disk_.snapshot.index != read.snapshot_index) {
        raft_->chunk_unavailable(read);
        return;
    }
    const std::string& data = disk_.snapshot_data;
    const std::size_t from = std::min<std::size_t>(read.offset, data.size());
    std::string piece = data.substr(from, read.max_bytes);
    const bool done = from + piece.size() == data.size();
    raft_->provide_chunk(read, Payload(std::move(piece)), done);
}

void TestNode::receive(const SnapshotPiece& piece) {
    if (piece.offset == 0) incoming_ = {piece.meta, {}};
    incoming_.bytes.append(piece.data.text());
    if (!piece.done) return;
    received_.push_back(std::exchange(incoming_, {}));
    raft_->snapshot_received(piece.meta, true);
}

bool TestNode::take_snapshot() {
    const Index index = applied_.index;
    // The own snapshot may not overtake one that is still being written.
    if (index <= disk_.snapshot.index || !raft_->log().term(index)) return false;
    if (raft_->log().snapshot().index != disk_.snapshot.index) return false;
    if (raft_->conf_at(index).voters.empty()) return false;
    const SnapshotMeta meta{index, *raft_->log().term(index), raft_->conf_at(index)};
    disk_.snapshot = meta;
    disk_.snapshot_data = snapshot_bytes(applied_);
    raft_->snapshot_saved(meta);
    std::erase_if(disk_.entries,
                  [&](const Entry& entry) { return entry.index < raft_->log().base_index(); });
    return true;
}

}  // namespace walrus::raft
