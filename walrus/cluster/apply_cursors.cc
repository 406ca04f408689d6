// Cursors: one owner at a time, never backwards, never beyond what exists.
#include "walrus/cluster/apply.h"

namespace walrus::cluster {
namespace {

// One past the last offset a cursor may have.  In an unsealed segment the metadata does not know
// the high watermark: the owner checks that; here is what can be known.
Offset cursor_limit(const Topic& topic) {
    const Segment& last = topic.last();
    return last.state == SegmentState::kSealed ? last.end() : last.base + last.max_records;
}

bool is_registered(const ClusterData& data, const LeaderId& owner) {
    const auto node = data.nodes.find(owner.node);
    return node != data.nodes.end() && node->second.boot == owner.boot && node->second.serves();
}

Outcome commit_one(ClusterData& data, const CursorCommit& commit) {
    Topic* topic = find_topic(data, commit.topic);
    if (topic == nullptr) return Outcome::kNotFound;
    const auto found = topic->cursors.find(commit.consumer);
    if (found == topic->cursors.end()) return Outcome::kNotFound;
    Cursor& cursor = found->second;
    if (cursor.generation != commit.generation) return Outcome::kStaleEpoch;
    // The same offset again is a harmless copy; an older one must not move it back.
    if (commit.offset < cursor.offset) return Outcome::kStaleVersion;
    if (commit.offset > cursor_limit(*topic)) return Outcome::kOutOfRange;
    cursor.offset = commit.offset;
    return Outcome::kApplied;
}

}  // namespace

CommandResult apply_body(ClusterData& data, Index index, const AcquireCursor& command) {
    if (command.consumer.size() > kMaxNameBytes) return rejected(Outcome::kInvalid);
    Topic* topic = find_topic(data, command.topic);
    if (topic == nullptr) return rejected(Outcome::kNotFound);
    CommandResult result{.topic = topic->id};
    const auto reject = [&](Outcome outcome) {
        result.outcome = outcome;
        return result;
    };
    if (!is_registered(data, command.owner)) return reject(Outcome::kStaleNode);
    if (command.reset_to && *command.reset_to > cursor_limit(*topic)) {
        return reject(Outcome::kOutOfRange);
    }
    const auto found = topic->cursors.find(command.consumer);
    const bool exists = found != topic->cursors.end();
    const Index generation = exists ? found->second.generation : 0;
    if (generation != command.expect_generation) return reject(Outcome::kStaleVersion);
    if (!exists && topic->cursors.size() >= kMaxCursorsPerTopic) return reject(Outcome::kLimit);

    Cursor cursor = exists ? found->second : Cursor{.offset = topic->log_start_offset()};
    if (command.reset_to) cursor.offset = *command.reset_to;
    cursor.generation = index;
    cursor.owner = command.owner;
    topic->cursors[command.consumer] = cursor;
    return result;
}

CommandResult apply_body(ClusterData& data, Index, const CommitCursors& command) {
    if (command.commits.empty() || command.commits.size() > kMaxCommitsPerCommand) {
        return rejected(Outcome::kInvalid);
    }
    CommandResult result;
    for (const CursorCommit& commit : command.commits) {
        result.items.push_back(commit_one(data, commit));
    }
    return result;
}

CommandResult apply_body(ClusterData& data, Index, const DeleteCursor& command) {
    Topic* topic = find_topic(data, command.topic);
    if (topic == nullptr) return rejected(Outcome::kNotFound);
    CommandResult result{.topic = topic->id};
    const auto found = topic->cursors.find(command.consumer);
    if (found == topic->cursors.end()) {
        result.outcome = Outcome::kNotFound;
    } else if (found->second.generation != command.expect_generation) {
        result.outcome = Outcome::kStaleVersion;
    } else {
        topic->cursors.erase(found);
    }
    return result;
}

}  // namespace walrus::cluster
