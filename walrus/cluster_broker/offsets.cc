#include "walrus/cluster_broker/offsets.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "walrus/cluster_broker/outcomes.h"
#include "walrus/cluster_broker/topic_names.h"

namespace walrus::cluster_broker {

using broker::CommittedOffset;
using broker::OffsetCommit;
using cluster::Outcome;

namespace {

constexpr std::uint64_t kLoadRetryMs = 50;
constexpr int kTries = 5;

bool is_shared(std::string_view group) {
    return group.empty();
}

Error taken(std::string_view group) {
    return {Errc::kFenced, "offsets of '" + std::string(group) + "': another node has taken them"};
}

}  // namespace

// Answered when all of its parts have ended; a part whose callback never runs leaves it open, and
// is never taken for a success.
struct ClusterOffsets::Job {
    std::string group;
    broker::StatusCallback done;
    std::size_t parts_left = 1;  // And who makes the parts.
    Status status = {};

    void end_part(Status ended = {}) {
        if (status && !ended) status = std::move(ended);
        if (--parts_left == 0) done(std::move(status));
    }
};

ClusterOffsets::~ClusterOffsets() {
    core_.loop.cancel(retry_);
}

const cluster::Topic* ClusterOffsets::find(std::string_view topic, std::int32_t partition) const {
    if (core_.member == nullptr) return nullptr;
    if (partition == 0) return core_.state().find_topic(topic);
    return core_.state().find_topic(cluster_topic_name(topic, partition));
}

// --- moving ---

void ClusterOffsets::commit(std::string_view group, std::vector<OffsetCommit> offsets,
                            broker::StatusCallback done) {
    if (core_.member == nullptr) return done(broker_closed());
    if (group.size() > cluster::kMaxNameBytes)
        return done(Error{
            Errc::kInvalidArgument,
            "group: its name has more than " + std::to_string(cluster::kMaxNameBytes) + " bytes"});
    const auto job = std::make_shared<Job>(Job{std::string(group), std::move(done)});
    job->parts_left += offsets.size();
    for (const OffsetCommit& offset : offsets) {
        const cluster::Topic* topic = find(offset.topic, offset.partition);
        if (topic == nullptr)
            job->end_part(no_topic(offset.topic));
        else
            start({job, topic->id, offset.committed.offset});
    }
    flush();
    job->end_part();
}

// A commit of the cursor's owner moves it forward; everything else takes it.
void ClusterOffsets::start(Part part) {
    const cluster::Topic* topic = core_.topic(part.topic);
    if (topic == nullptr)
        return part.job->end_part(Error{Errc::kNotFound, "offsets: the topic was deleted"});
    const auto found = topic->cursors.find(part.job->group);
    const cluster::Cursor* cursor = found == topic->cursors.end() ? nullptr : &found->second;
    const bool is_ours = cursor != nullptr && cursor->owner == core_.member->self();
    if (is_ours && (part.offset >= cursor->offset || is_shared(part.job->group)))
        return waiting_.push_back(std::move(part));
    if (is_shared(part.job->group)) return part.job->end_part(taken(""));
    take_over(std::move(part), cursor);
}

void ClusterOffsets::take_over(Part part, const cluster::Cursor* found) {
    cluster::AcquireCursor command{.topic = part.topic,
                                   .consumer = part.job->group,
                                   .owner = core_.member->self(),
                                   .expect_generation = found == nullptr ? 0 : found->generation,
                                   .reset_to = part.offset};
    core_.member->propose(
        std::move(command),
        [this, part = std::move(part)](const Result<cluster::CommandResult>& result) mutable {
            if (!result) return part.job->end_part(result.error());
            if (result->applied()) return part.job->end_part();
            // Somebody was faster, perhaps we ourselves with another commit.
            if (result->outcome != Outcome::kStaleVersion)
                return part.job->end_part(command_error("offsets", result->outcome));
            if (++part.tries >= kTries || core_.member == nullptr)
                return part.job->end_part(taken(part.job->group));
            start(std::move(part));
            flush();
        });
}

void ClusterOffsets::flush() {
    if (flushing_ || waiting_.empty() || core_.member == nullptr) return;
    cluster::CommitCursors command;
    std::vector<Part> parts;
    while (!waiting_.empty() && parts.size() < cluster::kMaxCommitsPerCommand) {
        Part part = std::move(waiting_.front());
        waiting_.pop_front();
        const cluster::Topic* topic = core_.topic(part.topic);
        const auto* cursors = topic == nullptr ? nullptr : &topic->cursors;
        const auto found =
            cursors == nullptr ? decltype(cursors->end()){} : cursors->find(part.job->group);
        if (cursors == nullptr || found == cursors->end() ||
            found->second.owner != core_.member->self()) {
            part.job->end_part(taken(part.job->group));
            continue;
        }
        command.commits.push_back(
            {part.topic, part.job->group, found->second.generation, part.offset});
        parts.push_back(std::move(part));
    }
    if (parts.empty()) return;
    flushing_ = true;
    core_.member->propose(
        std::move(command),
        [this, parts = std::move(parts)](const Result<cluster::CommandResult>& result) mutable {
            flushing_ = false;
            on_flushed(std::move(parts), result);
            flush();
        });
}

void ClusterOffsets::on_flushed(std::vector<Part> parts,
                                const Result<cluster::CommandResult>& result) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
        Part& part = parts[i];
        if (!result) {
            part.job->end_part(result.error());
            continue;
        }
        const Outcome outcome = i < result->items.size() ? result->items[i] : result->outcome;
        if (outcome == Outcome::kApplied) {
            part.job->end_part();
            continue;
        }
        // A group may go back; the cursor is taken for that.
        if (outcome == Outcome::kStaleVersion && !is_shared(part.job->group) &&
            ++part.tries < kTries && core_.member != nullptr)
            start(std::move(part));
        else if (outcome == Outcome::kStaleEpoch || outcome == Outcome::kStaleVersion)
            part.job->end_part(taken(part.job->group));
        else
            part.job->end_part(command_error("offsets", outcome));
    }
}

void ClusterOffsets::acquire(std::string_view group, std::string_view topic, std::int32_t partition,
                             broker::StatusCallback done) {
    if (core_.member == nullptr) return done(broker_closed());
    const cluster::Topic* found = find(topic, partition);
    if (found == nullptr) return done(no_topic(topic));
    cluster::AcquireCursor command{
        .topic = found->id, .consumer = std::string(group), .owner = core_.member->self()};
    if (const auto cursor = found->cursors.find(command.consumer); cursor != found->cursors.end()) {
        if (cursor->second.owner == command.owner) return done({});
        command.expect_generation = cursor->second.generation;
    }
    core_.member->propose(std::move(command), [group = std::string(group), done = std::move(done)](
                                                  const Result<cluster::CommandResult>& result) {
        // Not known is as good as not: nothing was given out, and asking again is harmless.
        if (!result) return done(Error{Errc::kBusy, result.error().message});
        if (result->applied()) return done({});
        const bool was_taken = result->outcome == Outcome::kStaleVersion;
        done(was_taken ? taken(group) : command_error("cursor", result->outcome));
    });
}

void ClusterOffsets::forget_group(std::string_view group, broker::StatusCallback done) {
    if (core_.member == nullptr) return done(broker_closed());
    const auto job = std::make_shared<Job>(Job{std::string(group), std::move(done)});
    std::vector<cluster::DeleteCursor> commands;  // Each may change what is walked through here.
    for (const auto& [id, topic] : core_.state().data().topics)
        if (const auto found = topic.cursors.find(job->group); found != topic.cursors.end())
            commands.push_back({id, job->group, found->second.generation});
    job->parts_left += commands.size();
    for (cluster::DeleteCursor& command : commands)
        core_.member->propose(
            std::move(command), [job](const Result<cluster::CommandResult>& result) {
                if (!result) return job->end_part(result.error());
                const bool gone = result->applied() || result->outcome == Outcome::kNotFound;
                job->end_part(gone ? Status() : command_error("group", result->outcome));
            });
    job->end_part();
}

void ClusterOffsets::forget_topic(std::string_view /*topic*/, broker::StatusCallback done) {
    done({});
}

// --- looking ---

std::optional<CommittedOffset> ClusterOffsets::committed(std::string_view group,
                                                         std::string_view topic,
                                                         std::int32_t partition) const {
    const cluster::Topic* found = find(topic, partition);
    if (found == nullptr) return std::nullopt;
    const auto cursor = found->cursors.find(std::string(group));
    if (cursor == found->cursors.end()) return std::nullopt;
    return CommittedOffset{.offset = cursor->second.offset};
}

std::vector<OffsetCommit> ClusterOffsets::of_group(std::string_view group) const {
    std::vector<OffsetCommit> all;
    if (core_.member == nullptr) return all;
    const std::string consumer(group);
    for (const auto& [name, id] : core_.state().data().topic_ids) {
        const auto place = parse_cluster_topic(name);
        const cluster::Topic* topic = core_.topic(id);
        if (!place || topic == nullptr) continue;
        const auto cursor = topic->cursors.find(consumer);
        if (cursor == topic->cursors.end()) continue;
        all.push_back({std::string(place->topic), place->partition,
                       CommittedOffset{.offset = cursor->second.offset}});
    }
    // By the cluster's names "t", "t-b", "t/1": not the order of topic and partition.
    std::ranges::sort(all, [](const OffsetCommit& a, const OffsetCommit& b) {
        return std::tie(a.topic, a.partition) < std::tie(b.topic, b.partition);
    });
    return all;
}

std::vector<std::string> ClusterOffsets::groups() const {
    std::set<std::string> names;
    if (core_.member != nullptr)
        for (const auto& [id, topic] : core_.state().data().topics)
            for (const auto& [consumer, cursor] : topic.cursors) names.insert(consumer);
    return {names.begin(), names.end()};
}

// --- coordinating ---

Status ClusterOffsets::coordinates() const {
    if (core_.member == nullptr) return broker_closed();
    if (core_.member->controller() != core_.self())
        return Error{Errc::kNotLeader, "groups: another node coordinates them"};
    if (!loaded_) return Error{Errc::kBusy, "groups: their offsets are being loaded"};
    return {};
}

void ClusterOffsets::controller_changed() {
    ++reign_;
    loaded_ = false;
    if (core_.member != nullptr && core_.member->controller() == core_.self()) load();
}

// Offsets that an earlier coordinator committed must be known here before any is told.
void ClusterOffsets::load() {
    core_.member->read_barrier([this, reign = reign_](const Status& status) {
        if (reign != reign_ || core_.member == nullptr) return;
        if (status) {
            loaded_ = true;
            return;
        }
        core_.loop.cancel(retry_);
        retry_ = core_.loop.after_ms(kLoadRetryMs, [this, reign] {
            retry_ = 0;
            if (reign == reign_ && core_.member != nullptr) load();
        });
    });
}

void ClusterOffsets::close() {
    ++reign_;
    for (Part& part : std::exchange(waiting_, {})) part.job->end_part(broker_closed());
}

}  // namespace walrus::cluster_broker
